//! A server in a process of its own, from start to stop.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::testbed::spec::{Ready, ServerSpec};

/// What a process is told on its standard input.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Launch {
    /// The cores it may use.
    pub cores: Vec<u32>,
    /// What it is.
    pub spec: ServerSpec,
}

/// A running server. It ends when this is dropped, and when this program ends in whatever way:
/// it holds the other end of its standard input.
#[derive(Debug)]
pub struct ServerProcess {
    /// What messages call it.
    pub name: String,
    /// Its process.
    pub pid: u32,
    /// Where it listens.
    pub address: SocketAddr,
    child: Child,
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
        let mut child = Command::new(program)
            .args(["serve", "spec"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // A group of its own: an interrupt from the keyboard is for the parent, which stops its servers.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)?;
        let mut stderr = child.stderr.take().expect("standard error is piped");
        let mut said = tokio::spawn(async move {
            let mut said = Vec::new();
            // Read all the time: a server that nobody listens to would stand still once the pipe is full.
            while let Ok(1..) = stderr.read_buf(&mut said).await {
                let superfluous = said.len().saturating_sub(LAST_WORDS);
                said.drain(..superfluous);
            }
            String::from_utf8_lossy(&said).trim().to_owned()
        });
        let pid = child.id().ok_or_else(|| failed(io::ErrorKind::BrokenPipe.into()))?;
        let ready = timeout(START_LIMIT, converse(&mut child, launch)).await;
        match ready {
            Ok(Ok(Ready { address })) => Ok(Self { name: name.to_owned(), pid, address, child, said }),
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
        match self.child.try_wait() {
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
        let _ = self.child.kill().await;
    }
}

async fn converse(child: &mut Child, launch: &Launch) -> io::Result<Ready> {
    let stdin = child.stdin.as_mut().expect("standard input is piped");
    let mut line = serde_json::to_vec(launch)?;
    line.push(b'\n');
    stdin.write_all(&line).await?;
    stdin.flush().await?;
    let stdout = child.stdout.as_mut().expect("standard output is piped");
    let mut answer = String::new();
    BufReader::new(stdout).read_line(&mut answer).await?;
    Ok(serde_json::from_str(&answer)?)
}

/// A process that goes on living is not waited for.
async fn last_words(said: &mut JoinHandle<String>) -> String {
    match timeout(Duration::from_secs(1), said).await {
        Ok(Ok(said)) if !said.is_empty() => said,
        _ => "it said nothing".to_owned(),
    }
}
