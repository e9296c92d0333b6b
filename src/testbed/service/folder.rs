//! A folder of a program of others that is gone afterwards, however this program ends.

use std::fs;
use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::testbed::service::Owner;

/// The folder. It is gone when this is dropped.
#[derive(Debug)]
pub(in crate::testbed) struct ServiceFolder {
    path: PathBuf,
    owner: Option<Owner>,
    /// Takes the folder away when this program ends: a shell that holds the other end of a pipe, and loses it then.
    guard: Child,
}

/// Whoever writes there may be about to end, and leave one file more.
const SCRIPT: &str = "read -r line; tries=0; \
    while [ -e \"$0\" ] && [ $tries -lt 100 ]; do rm -rf -- \"$0\"; tries=$((tries + 1)); sleep 0.1; done";

impl ServiceFolder {
    /// A new one, which nobody else can look into but its owner.
    pub(super) fn create(path: &Path, owner: Option<Owner>) -> io::Result<Self> {
        let guard = Command::new("sh")
            .args(["-c", SCRIPT])
            .arg(path)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // An interrupt from the keyboard is not for it.
            .process_group(0)
            .spawn()?;
        // From here on dropping it takes away what there is.
        let folder = Self { path: path.to_owned(), owner, guard };
        DirBuilder::new().mode(0o700).create(path)?;
        folder.give(path)?;
        Ok(folder)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file that nobody else can read.
    pub(super) fn write(&self, name: &str, text: &str) -> io::Result<()> {
        let path = self.path.join(name);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        file.write_all(text.as_bytes())?;
        self.give(&path)
    }

    /// What happens when this program is killed.
    #[cfg(test)]
    pub(super) fn lose_guard(&mut self) {
        drop(self.guard.stdin.take());
    }

    fn give(&self, path: &Path) -> io::Result<()> {
        self.owner.map_or(Ok(()), |owner| chown(path, Some(owner.uid), Some(owner.gid)))
    }
}

impl Drop for ServiceFolder {
    fn drop(&mut self) {
        if fs::remove_dir_all(&self.path).is_ok() {
            let _ = self.guard.kill();
        } else {
            // It tries for a while.
            drop(self.guard.stdin.take());
        }
        let _ = self.guard.wait();
    }
}
