//! Room for open files and for the report, made sure of before anything starts.

use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::statvfs;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// How many files this process may have open; a connection is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileLimit {
    /// The limit in force.
    pub current: u64,
    /// How far this process may raise it by itself.
    pub maximum: u64,
}

/// Fewer files may be open than a trial needs.
#[derive(Debug, thiserror::Error)]
#[error(
    "{needed} files and connections must be open at once, but the limit is {limit}; \
     raise it with `ulimit -n {needed}` in the shell that starts bearerbench, or use fewer connections"
)]
pub struct TooFewFiles {
    needed: u64,
    limit: u64,
}

/// A folder whose disk has too little room, or none that can be asked for.
#[derive(Debug, thiserror::Error)]
pub enum DiskFull {
    /// There is room, but not enough.
    #[error("{folder:?} has {} of free disk, {} are needed; free some, or choose another folder with --out",
            megabytes(*.free), megabytes(*.needed))]
    TooLittle {
        /// The folder to be written.
        folder: PathBuf,
        /// Bytes free.
        free: u64,
        /// Bytes needed.
        needed: u64,
    },
    /// The system does not tell.
    #[error("cannot tell how much disk is free in {folder:?}")]
    Unknown {
        /// The folder to be written.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// How many files this process may have open.
pub fn open_file_limit() -> FileLimit {
    let limit = getrlimit(Resource::Nofile);
    FileLimit { current: limit.current.unwrap_or(u64::MAX), maximum: limit.maximum.unwrap_or(u64::MAX) }
}

/// Makes sure that `needed` files may be open at once, raising the limit of this process and of what it
/// starts where the system allows that.
pub fn ensure_open_files(needed: u64) -> Result<(), TooFewFiles> {
    let limit = open_file_limit();
    if needed <= limit.current {
        return Ok(());
    }
    if needed > limit.maximum {
        return Err(TooFewFiles { needed, limit: limit.maximum });
    }
    let raised = Rlimit { current: Some(needed), maximum: getrlimit(Resource::Nofile).maximum };
    setrlimit(Resource::Nofile, raised).map_err(|_| TooFewFiles { needed, limit: limit.current })
}

/// Bytes that this user may still write on the disk of `folder`, which need not exist yet.
pub fn free_space(folder: &Path) -> io::Result<u64> {
    let mut existing = folder;
    loop {
        // The parent of a relative path with one part is the empty path: the working directory.
        let asked = if existing.as_os_str().is_empty() { Path::new(".") } else { existing };
        match (statvfs(asked), existing.parent()) {
            (Ok(disk), _) => return Ok(disk.f_bavail.saturating_mul(disk.f_frsize)),
            (Err(rustix::io::Errno::NOENT), Some(parent)) => existing = parent,
            (Err(error), _) => return Err(error.into()),
        }
    }
}

/// Makes sure that `needed` bytes can be written on the disk of `folder`, which need not exist yet.
pub fn ensure_free_space(folder: &Path, needed: u64) -> Result<(), DiskFull> {
    match free_space(folder) {
        Ok(free) if free >= needed => Ok(()),
        Ok(free) => Err(DiskFull::TooLittle { folder: folder.to_owned(), free, needed }),
        Err(source) => Err(DiskFull::Unknown { folder: folder.to_owned(), source }),
    }
}

fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_files_than_the_system_allows_names_the_limit_and_how_to_raise_it() {
        let error = TooFewFiles { needed: 4_096, limit: 64 };
        assert_eq!(
            error.to_string(),
            "4096 files and connections must be open at once, but the limit is 64; raise it with \
             `ulimit -n 4096` in the shell that starts bearerbench, or use fewer connections"
        );
    }

    #[test]
    fn a_limit_is_raised_as_far_as_the_system_allows_and_refused_beyond() {
        let limit = open_file_limit();
        ensure_open_files(limit.current).unwrap();
        if limit.maximum < u64::MAX {
            assert!(ensure_open_files(limit.maximum + 1).is_err());
            assert_eq!(open_file_limit(), limit);
        }
        let one_more = (limit.current + 1).min(limit.maximum);
        ensure_open_files(one_more).unwrap();
        assert!(open_file_limit().current >= one_more);
    }

    #[test]
    fn the_disk_of_a_folder_yet_to_be_made_is_that_of_the_one_above() {
        let folder = tempfile::tempdir().unwrap();
        assert!(free_space(&folder.path().join("not/yet/there")).unwrap() > 0);
        assert!(free_space(Path::new("not-yet-there")).unwrap() > 0);
        ensure_free_space(folder.path(), 1).unwrap();
    }

    #[test]
    fn a_full_disk_says_how_much_is_missing_where() {
        let error = ensure_free_space(Path::new("/"), u64::MAX).unwrap_err().to_string();
        assert!(error.starts_with("\"/\" has ") && error.contains("choose another folder"), "{error}");
    }
}
