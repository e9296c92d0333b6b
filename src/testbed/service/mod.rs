//! Programs that keep tokens for the servers of a trial: found, started privately, and gone with their folders.

mod folder;
mod owner;
mod stored;
#[cfg(test)]
mod tests;

use std::env;
use std::io;
use std::path::PathBuf;
use std::process::Stdio;

use tokio::process::Command;

use crate::auth::store::StoreError;
use crate::auth::token::opaque;
use crate::plan::NeededService;
use crate::registry::{Part, UnknownPart};
use crate::service::{PrivatePlace, Service};
use crate::testbed::node::Place;
use crate::testbed::process::{ALSO, Invocation, Process, ProcessError, Ready, runnable};
use crate::wire::Wire;
use owner::Owner;

pub(super) use folder::ServiceFolder;
pub use stored::ensure_usable;
pub(super) use stored::{StoredTokens, removed};

/// A program that this one has started for itself alone. It is killed, and its folder gone, when this is dropped.
#[derive(Debug)]
pub struct PrivateService {
    /// Where its clients find it.
    pub url: String,
    name: String,
    process: Process,
    place: Place,
    folder: ServiceFolder,
}

/// Why a service is not there.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// Its program is not there, or did not start.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// A port.
    #[error("no port can be reserved for {name}")]
    Port {
        /// Of the service.
        name: String,
        /// What the system said.
        source: io::Error,
    },
    /// Its folder.
    #[error("cannot make the folder of {name}, {}; set TMPDIR to a folder that any user can reach", .folder.display())]
    Folder {
        /// Of the service.
        name: String,
        /// Where it would be.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// What it needs before it starts.
    #[error("{program} failed, so that {name} cannot start: {said}")]
    Preparation {
        /// Of the service.
        name: String,
        /// What was to be done.
        program: &'static str,
        /// What that said.
        said: String,
    },
    /// It is there, and of no use.
    #[error("services.{name}")]
    Store {
        /// Of the service.
        name: String,
        /// What the store said.
        source: StoreError,
    },
    /// A store that does not take a place.
    #[error(transparent)]
    Place(#[from] UnknownPart),
}

impl PrivateService {
    /// Starts one with these settings of its own configuration, on these cores, and waits until it is ready.
    pub async fn start(
        service: &Part<dyn Service>,
        settings: &[(&'static str, String)],
        cores: &[u32],
    ) -> Result<Self, ServiceError> {
        let name = service.kind().to_owned();
        let programs = programs(service)?;
        let owner = if service.refuses_root() { Owner::if_root() } else { None };
        let folder = env::temp_dir().join(format!("bearerbench-{name}-{}", opaque::mint()));
        let unmade = |source| ServiceError::Folder { name: name.clone(), folder: folder.clone(), source };
        let folder = ServiceFolder::create(&folder, owner).map_err(unmade)?;
        let unreserved = |source| ServiceError::Port { name: name.clone(), source };
        let place = Place::reserve(Wire::default()).map_err(unreserved)?;
        let (address, password) = (place.address, opaque::mint());
        let private = PrivatePlace { folder: folder.path(), address, password: &password, settings };
        for (file, text) in service.files(&private) {
            folder.write(file, &text).map_err(|source| ServiceError::Folder {
                name: name.clone(),
                folder: folder.path().join(file),
                source,
            })?;
        }
        if let Some((program, arguments)) = service.preparation(&private) {
            let (program_path, arguments) = Owner::running(owner, programs.join(program), arguments);
            let mut command = Command::new(program_path);
            command.args(arguments).current_dir(folder.path()).env("LC_ALL", "C").stdin(Stdio::null());
            let ended = command.kill_on_drop(true).output().await;
            let failed = |said| ServiceError::Preparation { name: name.clone(), program, said };
            let ended = ended.map_err(|error| failed(error.to_string()))?;
            if !ended.status.success() {
                let said = String::from_utf8_lossy(&ended.stderr).trim().to_owned();
                return Err(failed(if said.is_empty() { ended.status.to_string() } else { said }));
            }
        }
        let program = programs.join(service.programs()[0]);
        let (program, arguments) = Owner::running(owner, program, service.command(&private));
        let invocation = Invocation {
            arguments,
            environment: vec![("LC_ALL".into(), "C".into())],
            folder: Some(folder.path().to_owned()),
            cores: cores.to_vec(),
            ..Invocation::of(&name, program, Ready::Line(service.ready().to_owned()))
        };
        let url = service.url(&private);
        let process = Process::start(invocation).await?;
        Ok(Self { url, name, process, place, folder })
    }

    /// Its name, its process, its place and its folder, which is to go last.
    pub(super) fn parts(self) -> (String, Process, Place, ServiceFolder) {
        (self.name, self.process, self.place, self.folder)
    }

    /// Its process, which may have started others.
    pub fn pid(&self) -> Option<u32> {
        self.process.pid()
    }

    /// Kills it where it stands.
    pub async fn kill(&mut self) {
        self.process.kill().await;
    }

    /// Starts it again, with what is in its folder.
    pub async fn restart(&mut self) -> Result<(), ProcessError> {
        self.process.restart().await
    }

    /// Stops it where it stands: its connections stay, and nothing is answered.
    pub fn pause(&self) -> Result<(), ProcessError> {
        self.process.pause()
    }

    /// Lets it go on.
    pub fn resume(&self) -> Result<(), ProcessError> {
        self.process.resume()
    }
}

fn programs(service: &Part<dyn Service>) -> Result<PathBuf, ProcessError> {
    folder_with(service.kind(), &**service)
}

/// The folder with all programs of a service.
fn folder_with(name: &str, service: &dyn Service) -> Result<PathBuf, ProcessError> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut folders = env::split_paths(&path).chain(ALSO.map(PathBuf::from)).chain(service.folders());
    let has_all = |folder: &PathBuf| service.programs().iter().all(|program| runnable(&folder.join(program)));
    let missing = service.programs()[0];
    folders.find(has_all).ok_or_else(|| ProcessError::NotInstalled {
        name: name.to_owned(),
        program: missing.into(),
        package: Some(service.package()),
    })
}

/// Fails if this machine lacks a program that a private service is.
fn ensure_installed(needed: &NeededService) -> Result<(), ServiceError> {
    programs(&needed.service)?;
    Ok(())
}
