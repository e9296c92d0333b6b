//! Standard output, which belongs to the data, and standard error, which has the rest.

use std::io::{self, Write};

use anyhow::Context as _;

/// Writes `text` to standard output. Whoever read it and is gone, like `head`, has seen enough.
pub(super) fn print(text: &str) -> anyhow::Result<()> {
    match write(text) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.context("cannot write to standard output"),
    }
}

fn write(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    if !text.ends_with('\n') {
        stdout.write_all(b"\n")?;
    }
    stdout.flush()
}

/// Writes a line to standard error. That nobody listens is no reason to stop measuring.
pub(super) fn tell(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}
