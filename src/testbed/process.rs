//! A server in a process of its own, from start to stop; and an errand in one, until it is done.

use std::fs::File;
use std::io::{self, Read as _, Write};
use std::net::SocketAddr;
use std::os::fd::AsFd as _;
use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use zeroize::Zeroizing;

use crate::testbed::spec::{Listening, ServerSpec};
use crate::wire::Endpoint;

/// What a process is told on its standard input.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Launch {
    /// The cores it may use.
    pub cores: Vec<u32>,
    /// What it is.
    pub spec: ServerSpec,
}

/// A running server. It ends when this is dropped, and is gone then; it ends too when this program does in whatever way, which
/// holds the other end of its standard input.
#[derive(Debug)]
pub struct ServerProcess {
    /// What messages call it.
    pub name: String,
    /// Its process.
    pub pid: u32,
    /// Where it answers plain HTTP/1.1.
    pub address: SocketAddr,
    /// Where the load reaches it.
    pub endpoint: Endpoint,
    child: Owned,
    /// Ends with the last words of the process when it ends.
    said: JoinHandle<String>,
}

/// A server that did not start or did not live.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// The program itself did not start.
    #[error("cannot start the {name}")]
    Spawn {
        /// Which server.
        name: String,
        /// What the system said.
        source: io::Error,
    },
    /// It ended, or said something else than its address.
    #[error("the {name} did not start: {said}")]
    NotReady {
        /// Which server.
        name: String,
        /// Its last words.
        said: String,
    },
    /// An errand that was not done.
    #[error("the {name} failed: {said}")]
    Undone {
        /// Which one.
        name: String,
        /// Its last words.
        said: String,
    },
    /// It ended in the middle of a trial.
    #[error("the {name} ended during the trial ({status}): {said}")]
    Ended {
        /// Which server.
        name: String,
        /// How.
        status: String,
        /// Its last words.
        said: String,
    },
}

/// How many bytes of what a server says are kept.
const LAST_WORDS: usize = 8 << 10;

/// A server that has not said where it listens by then will not.
const START_LIMIT: Duration = Duration::from_secs(20);

impl ServerProcess {
    /// Starts `program` as a server and waits until it can be reached.
    pub async fn start(program: &Path, name: &str, launch: &Launch) -> Result<Self, ProcessError> {
        let failed = |source| ProcessError::Spawn { name: name.to_owned(), source };
        let (child, mut said) = spawn(program, &["serve", "spec"]).map_err(failed)?;
        let mut child = Owned(child);
        let pid = child.0.id().ok_or_else(|| failed(io::ErrorKind::BrokenPipe.into()))?;
        let ready = timeout(START_LIMIT, converse(&mut child.0, launch)).await;
        match ready {
            Ok(Ok(Listening { address, endpoint })) => {
                Ok(Self { name: name.to_owned(), pid, address, endpoint, child, said })
            }
            Ok(Err(_)) => {
                Err(ProcessError::NotReady { name: name.to_owned(), said: last_words(&mut said).await })
            }
            Err(_) => Err(ProcessError::NotReady {
                name: name.to_owned(),
                said: format!("it said nothing within {} s", START_LIMIT.as_secs()),
            }),
        }
    }

    /// Fails if the process has ended.
    pub async fn ensure_alive(&mut self) -> Result<(), ProcessError> {
        match self.child.0.try_wait() {
            Ok(None) => Ok(()),
            Ok(Some(status)) => Err(ProcessError::Ended {
                name: self.name.clone(),
                status: status.to_string(),
                said: last_words(&mut self.said).await,
            }),
            Err(source) => Err(ProcessError::Spawn { name: self.name.clone(), source }),
        }
    }

    /// Ends the process and waits until it is gone.
    pub async fn stop(mut self) {
        // It is gone already, or it cannot be waited for: either way there is nothing left to stop.
        let _ = self.child.0.kill().await;
    }
}

/// A process that is killed, and gone, when this is dropped: what comes next, or has the terminal next, does not meet it.
#[derive(Debug)]
struct Owned(Child);

impl Drop for Owned {
    fn drop(&mut self) {
        // It is gone already, or it cannot be waited for: either way there is nothing left to stop.
        let _ = self.0.start_kill();
        let killed = Instant::now();
        // The system takes its time to give back the memory of a million tokens, and more where every core is busy.
        while matches!(self.0.try_wait(), Ok(None)) && killed.elapsed() < END_LIMIT {
            thread::sleep(Duration::from_millis(1));
        }
    }
}

/// What the kernel has not ended by then, it does not end.
const END_LIMIT: Duration = Duration::from_secs(20);

/// Has a process of `program` do `command` on what it is `told`, for `limit` at most, and returns what it answers.
pub async fn errand<T: DeserializeOwned>(
    program: &Path,
    name: &str,
    command: &str,
    told: &impl Serialize,
    limit: Duration,
) -> Result<T, ProcessError> {
    let (mut child, mut said) =
        spawn(program, &[command]).map_err(|source| ProcessError::Spawn { name: name.to_owned(), source })?;
    let undone = |said| ProcessError::Undone { name: name.to_owned(), said };
    match timeout(limit, converse(&mut child, told)).await {
        Ok(Ok(answer)) => {
            // What it had to say is said: nothing is lost with it.
            let _ = child.kill().await;
            Ok(answer)
        }
        Ok(Err(_)) => Err(undone(last_words(&mut said).await)),
        Err(_) => Err(undone(format!("it was not done within {} s", limit.as_secs()))),
    }
}

/// A process of `program`, and what will have been its last words.
pub(super) fn spawn(program: &Path, arguments: &[&str]) -> io::Result<(Child, JoinHandle<String>)> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // A group of its own: an interrupt from the keyboard is for the parent, which stops its servers.
        .process_group(0)
        .kill_on_drop(true)
        .spawn()?;
    let mut stderr = child.stderr.take().expect("standard error is piped");
    let said = tokio::spawn(async move {
        let mut said = Vec::new();
        // Read all the time: a server that nobody listens to would stand still once the pipe is full.
        while let Ok(1..) = stderr.read_buf(&mut said).await {
            let superfluous = said.len().saturating_sub(LAST_WORDS);
            said.drain(..superfluous);
        }
        String::from_utf8_lossy(&said).trim().to_owned()
    });
    Ok((child, said))
}

async fn converse<T: DeserializeOwned>(child: &mut Child, told: &impl Serialize) -> io::Result<T> {
    tell(child, told).await?;
    let stdout = child.stdout.as_mut().expect("standard output is piped");
    let mut answer = String::new();
    BufReader::new(stdout).read_line(&mut answer).await?;
    Ok(serde_json::from_str(&answer)?)
}

/// Tells a process what it is for.
pub(super) async fn tell(child: &mut Child, told: &impl Serialize) -> io::Result<()> {
    let stdin = child.stdin.as_mut().expect("standard input is piped");
    let line = line(told)?;
    stdin.write_all(&line).await?;
    stdin.flush().await
}

/// What is told, as a line. It holds private keys: the buffer is overwritten, and never moves, which would leave a copy.
fn line(told: &impl Serialize) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut length = Length(0);
    serde_json::to_writer(&mut length, told)?;
    let mut line = Zeroizing::new(Vec::with_capacity(length.0 + 1));
    serde_json::to_writer(&mut *line, told)?;
    line.push(b'\n');
    Ok(line)
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

/// A process that goes on living is not waited for.
async fn last_words(said: &mut JoinHandle<String>) -> String {
    match timeout(Duration::from_secs(1), said).await {
        Ok(Ok(said)) if !said.is_empty() => said,
        _ => "it said nothing".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_told_in_a_buffer_that_never_grew_and_heard_whole_whatever_its_length() {
        for length in [0, 10, CHUNK - 3, CHUNK - 2, CHUNK, 5 * CHUNK] {
            let told = "x".repeat(length);
            let line = line(&told).unwrap();
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
