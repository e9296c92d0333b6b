//! The folder of a run: made before anything starts, never one that holds another run.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rustix::fs::{Access, access};

use crate::observation::{self, FILE_NAME, Recording};

/// An open recording in its folder.
#[derive(Debug)]
pub struct Output {
    folder: PathBuf,
    recording: File,
}

/// A folder that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// It cannot be made or written.
    #[error("cannot write {path:?}; choose another folder with --out", path = .path)]
    Create {
        /// What was to be made.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There is something in it, like another run.
    #[error("{folder:?} holds a recording or other files already; choose another folder with --out", folder = .folder)]
    Taken {
        /// The folder.
        folder: PathBuf,
    },
    /// A trial could not be written. Those before it are kept.
    #[error("cannot write a trial to {path:?}; the trials before it are kept, `bearerbench report` shows them", path = .path)]
    Append {
        /// The recording.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl OutputError {
    /// True if the folder cannot be used at all, which shows before anything starts.
    pub fn is_of_the_folder(&self) -> bool {
        matches!(self, Self::Create { .. } | Self::Taken { .. })
    }
}

impl Output {
    /// Makes sure that [`Output::create`] can be expected to succeed, without making anything: before what takes time or asks others.
    pub fn ensure_possible(folder: &Path) -> Result<(), OutputError> {
        let create = |source: io::Error| OutputError::Create { path: folder.to_owned(), source };
        match fs::read_dir(folder) {
            Ok(files) => {
                if files.take(1).count() > 0 {
                    return Err(OutputError::Taken { folder: folder.to_owned() });
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(create(error)),
        }
        // The folder itself, or the nearest above it that is there, in which it would be made.
        let there =
            folder.ancestors().find(|above| above.exists()).filter(|above| !above.as_os_str().is_empty());
        access(there.unwrap_or(Path::new(".")), Access::WRITE_OK).map_err(|error| create(error.into()))
    }

    /// Makes `folder` and an empty recording in it.
    pub fn create(folder: &Path) -> Result<Self, OutputError> {
        let path = folder.join(FILE_NAME);
        fs::create_dir_all(folder)
            .map_err(|source| OutputError::Create { path: folder.to_owned(), source })?;
        let taken = fs::read_dir(folder).is_ok_and(|mut files| files.next().is_some());
        if taken {
            return Err(OutputError::Taken { folder: folder.to_owned() });
        }
        match OpenOptions::new().append(true).create_new(true).open(&path) {
            Ok(recording) => Ok(Self { folder: folder.to_owned(), recording }),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(OutputError::Taken { folder: folder.to_owned() })
            }
            Err(source) => Err(OutputError::Create { path, source }),
        }
    }

    /// The folder for a run of `scenario` that begins now: `reports/<scenario>/<UTC time>`.
    pub fn default_folder(scenario: &str) -> PathBuf {
        let time = humantime::format_rfc3339_seconds(SystemTime::now()).to_string().replace(':', "-");
        Path::new("reports").join(scenario).join(time)
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Writes one trial.
    pub fn append(&mut self, recording: &Recording) -> Result<(), OutputError> {
        observation::append(&mut self.recording, recording)
            .map_err(|source| OutputError::Append { path: self.folder.join(FILE_NAME), source })
    }

    /// Takes the folder back if nothing was recorded in it.
    pub fn discard_if_empty(self) {
        if self.recording.metadata().is_ok_and(|facts| facts.len() == 0) {
            // What cannot be removed is an empty file in a folder of its own: no harm.
            let _ = fs::remove_file(self.folder.join(FILE_NAME));
            let _ = fs::remove_dir(&self.folder);
        }
    }
}
