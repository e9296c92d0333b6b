//! `recording.jsonl`: a line a trial, written as soon as it exists.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use crate::observation::{Recording, SCHEMA, older};

/// The name of the recording in its folder.
pub const FILE_NAME: &str = "recording.jsonl";

/// Appends one trial and sees it safely on its way to the disk.
pub fn append(file: &mut File, recording: &Recording) -> io::Result<()> {
    let mut line = serde_json::to_vec(recording)?;
    line.push(b'\n');
    file.write_all(&line)?;
    file.sync_data()
}

/// A recording that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file is not there, or the system refuses it.
    #[error("cannot read {path:?}; `bearerbench run` writes it into the folder it names at its end", path = .path)]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A line that is no trial.
    #[error("{path}:{line}: not the facts of a trial")]
    Line {
        /// Which file.
        path: String,
        /// Which line, from 1.
        line: usize,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// A line from a newer program.
    #[error(
        "{path}:{line}: schema {found} is newer than {SCHEMA}, the newest this version reads; use a newer bearerbench"
    )]
    Newer {
        /// Which file.
        path: String,
        /// Which line, from 1.
        line: usize,
        /// The version found.
        found: u32,
    },
    /// Nothing was recorded.
    #[error("{path:?} holds no trial")]
    Empty {
        /// Which file.
        path: PathBuf,
    },
}

/// Reads every trial of the recording in `folder`.
///
/// A last line without its end of line is a trial that was cut off while it was written (a crash, a
/// full disk): it is left out, and every line before it is kept.
pub fn read(folder: &Path) -> Result<Vec<Recording>, ReadError> {
    let path = folder.join(FILE_NAME);
    let failed = |source| ReadError::File { path: path.clone(), source };
    let mut reader = BufReader::new(File::open(&path).map_err(failed)?);
    let mut recordings = Vec::new();
    let mut text = String::new();
    while reader.read_line(&mut text).map_err(failed)? > 0 && text.ends_with('\n') {
        recordings.push(parse(&text, &path, recordings.len() + 1)?);
        text.clear();
    }
    if recordings.is_empty() { Err(ReadError::Empty { path }) } else { Ok(recordings) }
}

/// The version first: another format may differ in anything else.
#[derive(serde::Deserialize)]
struct Version {
    schema: u32,
}

fn parse(text: &str, path: &Path, line: usize) -> Result<Recording, ReadError> {
    let path = path.display().to_string();
    let failed = |source| ReadError::Line { path: path.clone(), line, source };
    let version: Version = serde_json::from_str(text).map_err(failed)?;
    if version.schema > SCHEMA {
        return Err(ReadError::Newer { path, line, found: version.schema });
    }
    older::read(text, version.schema).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::synthetic;

    #[test]
    fn a_recording_is_read_as_it_was_written_and_one_of_a_newer_version_is_refused() {
        let mut facts = serde_json::to_value(synthetic::recording(3)).unwrap();
        let read = parse(&facts.to_string(), Path::new(FILE_NAME), 1).unwrap();
        assert_eq!(serde_json::to_value(read).unwrap(), facts);
        facts["schema"] = (SCHEMA + 1).into();
        assert!(matches!(parse(&facts.to_string(), Path::new(FILE_NAME), 1), Err(ReadError::Newer { .. })));
    }

    #[test]
    fn every_recording_fits_the_schema_and_an_older_one_does_once_it_was_read() {
        let schema = serde_json::to_value(schemars::schema_for!(Recording)).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        let check = |facts: &serde_json::Value| {
            let errors =
                validator.iter_errors(facts).map(|error| format!("{}: {error}", error.instance_path()));
            assert_eq!(errors.collect::<Vec<_>>(), [""; 0]);
        };
        let synthetic = synthetic::recordings().into_iter().chain(synthetic::search());
        for recording in synthetic.chain(synthetic::signatures().iter().cloned()) {
            check(&serde_json::to_value(recording).unwrap());
        }
        for line in include_str!("../../tests/recordings/version-3.jsonl").lines() {
            assert!(!validator.is_valid(&serde_json::from_str(line).unwrap()), "version 3 had another form");
            check(&serde_json::to_value(older::read(line, 3).unwrap()).unwrap());
        }
    }
}
