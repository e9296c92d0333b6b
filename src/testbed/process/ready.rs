//! By what a process is known to be ready.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use serde_json::value::RawValue;
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStdout};
use tokio::time::{sleep, timeout};

use crate::testbed::process::errand::answer;
use crate::testbed::process::group::Group;
use crate::testbed::process::output::Output;

/// By what a process is known to be ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ready {
    /// It prints a line of JSON, as our own servers do.
    JsonLine,
    /// It accepts connections there.
    Port(SocketAddr),
    /// It says this on one of its streams.
    Line(String),
}

/// What is not ready by then will not be.
pub(super) const START_LIMIT: Duration = Duration::from_secs(20);

/// How often it is tried whether a port accepts: nobody tells.
const MOMENT: Duration = Duration::from_millis(5);

impl fmt::Display for Ready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::JsonLine => write!(f, "print a line of JSON"),
            Self::Port(address) => write!(f, "accept connections at {address}"),
            Self::Line(text) => write!(f, "say {text:?}"),
        }
    }
}

impl Ready {
    /// Listens to the streams of `child`; what our own servers print is their answer, and no last words.
    pub(super) fn listen(&self, child: &mut Child) -> Output {
        let text = if let Self::Line(text) = self { Some(text.as_str()) } else { None };
        let mut output = Output::default();
        if let Some(stdout) = child.stdout.take_if(|_| *self != Self::JsonLine) {
            output.listen(stdout, text);
        }
        if let Some(stderr) = child.stderr.take() {
            output.listen(stderr, text);
        }
        output
    }

    /// Waits until it is so. `false` if the process ended, or said something else than was expected.
    pub(super) async fn wait(&self, group: &mut Group, output: &Output) -> bool {
        if let Some(stdout) = group.child.stdout.as_mut().filter(|_| *self == Self::JsonLine) {
            return has_json(stdout).await;
        }
        let is_ready = async {
            if let Self::Port(address) = self { accepts(*address).await } else { output.said_it().await }
        };
        tokio::select! {
            () = is_ready => true,
            () = group.ended() => false,
        }
    }
}

async fn has_json(stdout: &mut ChildStdout) -> bool {
    let said: io::Result<Box<RawValue>> = answer(stdout).await;
    said.is_ok()
}

async fn accepts(address: SocketAddr) {
    // One that hangs is no answer: where the queue of a listener is full the system says nothing.
    while !matches!(timeout(Duration::from_secs(1), TcpStream::connect(address)).await, Ok(Ok(_))) {
        sleep(MOMENT).await;
    }
}
