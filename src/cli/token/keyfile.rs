//! Keys to files: private ones for their owner alone, and none is overwritten by accident.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::Context as _;

use crate::cli::exit::BadArgument;
use crate::cli::token::input::Unusable;

/// Who may read a file, before the umask.
#[derive(Clone, Copy)]
pub(super) enum Readers {
    /// Its owner.
    Owner,
    /// Everybody.
    Everybody,
}

/// Fails if a file is there that `force` does not allow to replace.
pub(super) fn must_not_exist(path: &Path, force: bool) -> anyhow::Result<()> {
    if force || !path.exists() {
        return Ok(());
    }
    Err(anyhow::anyhow!("it exists, and may be the only copy of a key; --force replaces it"))
        .with_context(|| Unusable(path.display().to_string()))
}

/// Writes a new file. One that `force` replaces is removed first, since its permissions would stay.
pub(super) fn write(path: &Path, text: &str, readers: Readers, force: bool) -> anyhow::Result<()> {
    let write = || -> std::io::Result<()> {
        if force && path.exists() {
            fs::remove_file(path)?;
        }
        let mut file = created(path, readers)?;
        file.write_all(text.as_bytes())?;
        if !text.ends_with('\n') {
            file.write_all(b"\n")?;
        }
        file.sync_all()
    };
    write().with_context(|| BadArgument(format!("cannot write the key to {}", path.display())))
}

fn created(path: &Path, readers: Readers) -> std::io::Result<File> {
    let mode = match readers {
        Readers::Owner => 0o600,
        Readers::Everybody => 0o644,
    };
    OpenOptions::new().write(true).create_new(true).mode(mode).open(path)
}
