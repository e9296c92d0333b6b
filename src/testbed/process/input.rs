//! What a process is told on its standard input: one line, which may hold private keys.

use std::fs::File;
use std::io::{self, Read as _, Write};
use std::os::fd::AsFd as _;
use std::thread;

use serde::Serialize;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Child;
use zeroize::Zeroizing;

/// A line for standard input. It holds private keys: the buffer is overwritten when this is dropped.
#[derive(Clone)]
pub struct Told(Zeroizing<Vec<u8>>);

impl Told {
    /// `told` as JSON. The buffer never moves, which would leave a copy.
    pub fn json(told: &impl Serialize) -> io::Result<Self> {
        let mut length = Length(0);
        serde_json::to_writer(&mut length, told)?;
        let mut line = Zeroizing::new(Vec::with_capacity(length.0 + 1));
        serde_json::to_writer(&mut *line, told)?;
        line.push(b'\n');
        Ok(Self(line))
    }

    /// Tells it to a process, whose standard input stays open.
    pub(in crate::testbed) async fn tell(&self, child: &mut Child) -> io::Result<()> {
        let stdin = child.stdin.as_mut().expect("standard input is piped");
        stdin.write_all(&self.0).await?;
        stdin.flush().await
    }
}

impl std::fmt::Debug for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Told").finish_non_exhaustive()
    }
}

/// Counts what is written.
struct Length(usize);

impl Write for Length {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Ends this process when its parent does, which holds the other end of standard input and loses it in whatever way it ends.
pub fn end_with_parent() {
    thread::spawn(|| {
        let _ = io::stdin().lock().read_to_end(&mut Vec::new());
        std::process::exit(1);
    });
}

/// The line that this process was told on standard input. It holds private keys: every buffer is overwritten, which
/// that of [`io::stdin`] is not.
pub fn told() -> io::Result<Zeroizing<Vec<u8>>> {
    first_line(File::from(io::stdin().as_fd().try_clone_to_owned()?))
}

/// The parent tells a single line: what is read behind it is lost.
fn first_line(mut input: impl io::Read) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut buffer = Zeroizing::new(vec![0; CHUNK]);
    let mut length = 0;
    loop {
        if length == buffer.len() {
            let mut larger = Zeroizing::new(vec![0; 2 * buffer.len()]);
            larger[..length].copy_from_slice(&buffer);
            buffer = larger;
        }
        let count = match input.read(&mut buffer[length..]) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        let end = buffer[length..length + count].iter().position(|byte| *byte == b'\n');
        if let Some(end) = end.map(|end| length + end).or((count == 0).then_some(length)) {
            // The allocation stays, and is overwritten to its end.
            buffer.truncate(end);
            return Ok(buffer);
        }
        length += count;
    }
}

/// More than most lines.
const CHUNK: usize = 16 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_told_in_a_buffer_that_never_grew_and_heard_whole_whatever_its_length() {
        for length in [0, 10, CHUNK - 3, CHUNK - 2, CHUNK, 5 * CHUNK] {
            let told = "x".repeat(length);
            let Told(line) = Told::json(&told).unwrap();
            assert_eq!((line.len(), line.capacity()), (length + 3, length + 3));
            let heard = first_line(&line[..]).unwrap();
            assert_eq!(serde_json::from_slice::<String>(&heard).unwrap(), told);
        }
    }

    #[test]
    fn what_ends_without_a_line_end_is_heard_and_what_follows_one_is_not() {
        assert_eq!(&first_line(&b"12"[..]).unwrap()[..], b"12");
        assert_eq!(&first_line(&b"12\n34"[..]).unwrap()[..], b"12");
        assert_eq!(&first_line(&b""[..]).unwrap()[..], b"");
    }
}
