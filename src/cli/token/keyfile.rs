//! Keys to files: private ones for their owner alone, and none is overwritten by accident.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::Context as _;

use crate::cli::exit::BadArgument;
use crate::cli::token::input::Unusable;

/// Before the umask: its owner alone may read a file.
pub(super) const PRIVATE: u32 = 0o600;
/// Before the umask: everybody may read a file.
pub(super) const PUBLIC: u32 = 0o644;

/// Fails if a file is there that `force` does not allow to replace.
pub(super) fn must_not_exist(path: &Path, force: bool) -> anyhow::Result<()> {
    if force || !path.exists() {
        return Ok(());
    }
    Err(anyhow::anyhow!("it exists, and may be the only copy of a key; --force replaces it"))
        .with_context(|| Unusable(path.display().to_string()))
}

/// Writes a new file. One that `force` replaces is removed first, since its permissions would stay.
pub(super) fn write(path: &Path, text: &str, mode: u32, force: bool) -> anyhow::Result<()> {
    let write = || -> std::io::Result<()> {
        if force && path.exists() {
            fs::remove_file(path)?;
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
        writeln!(file, "{}", text.trim_end())?;
        file.sync_all()
    };
    write().with_context(|| BadArgument(format!("cannot write the key to {}", path.display())))
}
