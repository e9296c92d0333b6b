//! Programs of others that servers of a trial need: how each is started privately, and how its address is written.

mod postgresql;
mod redis;

use std::ffi::OsString;
use std::fmt::Debug;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::registry::{Registry, Role, entry};

/// A program that keeps something for the servers of a trial.
pub trait Service: Debug + Send + Sync {
    /// The programs that it takes, all of one folder: the one that serves first.
    fn programs(&self) -> &'static [&'static str];

    /// The package of Debian that has them.
    fn package(&self) -> &'static str;

    /// Folders with programs that are in nobody's `PATH`, the best first.
    fn folders(&self) -> Vec<PathBuf> {
        Vec::new()
    }

    /// How its URLs begin, without the colon.
    fn schemes(&self) -> &'static [&'static str];

    /// A URL as somebody may write it.
    fn example(&self) -> &'static str;

    /// Whether it does not run as root.
    fn refuses_root(&self) -> bool {
        false
    }

    /// Files that it finds in its folder, with their texts.
    fn files(&self, private: &PrivatePlace<'_>) -> Vec<(&'static str, String)>;

    /// What is done once before it starts: a program and its arguments.
    fn preparation(&self, _private: &PrivatePlace<'_>) -> Option<(&'static str, Vec<OsString>)> {
        None
    }

    /// The arguments that it is started with, as often as it is.
    fn command(&self, private: &PrivatePlace<'_>) -> Vec<OsString>;

    /// What it says when it is ready.
    fn ready(&self) -> &'static str;

    /// Where its clients find it.
    fn url(&self, private: &PrivatePlace<'_>) -> String;
}

/// What a private service is told.
#[derive(Clone, Copy, Debug)]
pub struct PrivatePlace<'a> {
    /// Its own folder, gone when it is.
    pub folder: &'a Path,
    /// Where it listens.
    pub address: SocketAddr,
    /// What its clients must know.
    pub password: &'a str,
    /// Settings of its own configuration, by their names there.
    pub settings: &'a [(&'static str, String)],
}

/// Every service.
pub static SERVICES: Registry<dyn Service> = Registry {
    role: "service",
    entries: &[
        entry!(
            "redis",
            redis::RedisServer,
            "a Redis: private (redis-server), or at a URL like redis://host:6379"
        ),
        entry!(
            "postgresql",
            postgresql::PostgresqlServer,
            "a PostgreSQL: private (postgres), or at a URL like postgresql://user@host/database"
        ),
    ],
};

impl Role for dyn Service {
    fn registry() -> &'static Registry<Self> {
        &SERVICES
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::Part;

    #[test]
    fn every_service_is_told_its_address_and_nobody_can_read_its_password_off_the_list_of_processes() {
        for entry in SERVICES.entries {
            let service = Part::<dyn Service>::named(entry.name).unwrap();
            let settings = [("a_setting", "a value".to_owned())];
            let private = PrivatePlace {
                folder: Path::new("/folder"),
                address: "127.0.0.1:4321".parse().unwrap(),
                password: "secret",
                settings: &settings,
            };
            let arguments = [
                service.command(&private),
                service.preparation(&private).map(|(_, arguments)| arguments).unwrap_or_default(),
            ];
            let arguments: Vec<String> =
                arguments.concat().iter().map(|it| it.to_string_lossy().into_owned()).collect();
            let files = service.files(&private);
            let files: Vec<&str> = files.iter().map(|(_, text)| text.as_str()).collect();
            let told = format!("{} {}", arguments.join(" "), files.join(" "));
            for words in ["4321", "127.0.0.1", "a_setting", "a value", "secret"] {
                assert!(told.contains(words), "{}: no {words} in {told}", entry.name);
            }
            assert!(arguments.iter().all(|argument| !argument.contains("secret")), "{arguments:?}");
            let url = service.url(&private);
            assert!(url.contains("secret") && url.contains("127.0.0.1:4321"), "{url}");
            for url in [&*url, service.example()] {
                let scheme = url.split(':').next().unwrap();
                assert!(service.schemes().contains(&scheme), "{url}");
            }
        }
    }
}
