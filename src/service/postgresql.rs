//! PostgreSQL: tables on disk, with a log that is written before them.

use std::cmp::Reverse;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;

use crate::service::{PrivatePlace, Service};

/// A `postgres`, with a cluster of its own.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PostgresqlServer {}

const PASSWORD: &str = "password";
const USER: &str = "bearerbench";

/// Where Debian has a folder for each version.
const VERSIONS: &str = "/usr/lib/postgresql";

impl Service for PostgresqlServer {
    fn programs(&self) -> &'static [&'static str] {
        &["postgres", "initdb"]
    }

    fn package(&self) -> &'static str {
        "postgresql"
    }

    fn folders(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(VERSIONS).into_iter().flatten().filter_map(Result::ok);
        let mut versions: Vec<u32> =
            entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
        versions.sort_unstable_by_key(|version| Reverse(*version));
        versions
            .into_iter()
            .map(|version| Path::new(VERSIONS).join(version.to_string()).join("bin"))
            .collect()
    }

    fn schemes(&self) -> &'static [&'static str] {
        &["postgresql", "postgres"]
    }

    fn example(&self) -> &'static str {
        "postgresql://user:password@127.0.0.1:5432/database"
    }

    fn refuses_root(&self) -> bool {
        true
    }

    fn files(&self, private: &PrivatePlace<'_>) -> Vec<(&'static str, String)> {
        vec![(PASSWORD, format!("{}\n", private.password))]
    }

    fn preparation(&self, private: &PrivatePlace<'_>) -> Option<(&'static str, Vec<OsString>)> {
        let mut arguments: Vec<OsString> =
            ["--username", USER, "--auth", "scram-sha-256"].map(Into::into).into();
        arguments.extend(["--encoding", "UTF8", "--locale", "C"].map(Into::into));
        // What a machine that loses its power forgets is gone with the folder anyway.
        arguments.push("--no-sync".into());
        arguments.extend(["--pwfile".into(), private.folder.join(PASSWORD).into()]);
        arguments.extend(["--pgdata".into(), data(private).into()]);
        Some(("initdb", arguments))
    }

    fn command(&self, private: &PrivatePlace<'_>) -> Vec<OsString> {
        let (ip, port) = (private.address.ip(), private.address.port());
        let mut settings = vec![
            format!("listen_addresses={ip}"),
            format!("port={port}"),
            "unix_socket_directories=".to_owned(),
        ];
        settings.extend(private.settings.iter().map(|(name, value)| format!("{name}={value}")));
        let mut arguments: Vec<OsString> = vec!["-D".into(), data(private).into()];
        arguments.extend(settings.into_iter().flat_map(|setting| ["-c".into(), setting.into()]));
        arguments
    }

    fn ready(&self) -> &'static str {
        "database system is ready to accept connections"
    }

    fn url(&self, private: &PrivatePlace<'_>) -> String {
        format!("postgresql://{USER}:{}@{}/postgres", private.password, private.address)
    }
}

fn data(private: &PrivatePlace<'_>) -> PathBuf {
    private.folder.join("data")
}
