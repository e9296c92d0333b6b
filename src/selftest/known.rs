//! A server of known truth in a process of its own, so that it can be stopped as a whole.

use std::io::{self, BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use serde::{Deserialize, Serialize};

use crate::observation::Distribution;
use crate::selftest::bench::SelftestError;
use crate::selftest::law::Law;
use crate::selftest::server::{Behaviour, Server};

/// The subcommand of this program that is such a server.
const COMMAND: &str = "known-server";

/// What it is told.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct KnownTimes {
    /// How long it takes for a request.
    pub law: Law,
    /// Decides every draw.
    pub seed: u64,
    /// The cores it may use.
    pub cores: Vec<u32>,
}

impl KnownTimes {
    /// Serves until `told` ends; `say` is given the address, and then how long requests were to take.
    pub fn serve(
        &self,
        mut told: impl io::Read,
        mut say: impl FnMut(String) -> io::Result<()>,
    ) -> io::Result<()> {
        let server = Server::start(Behaviour::Asleep { law: self.law, seed: self.seed }, &self.cores)?;
        say(serde_json::to_string(&server.address())?)?;
        told.read_to_end(&mut Vec::new())?;
        say(serde_json::to_string(&server.end().planned())?)
    }
}

/// Such a process. Dropping it ends it.
pub(super) struct KnownServer {
    child: Child,
    said: BufReader<ChildStdout>,
    /// Where it listens.
    pub(super) address: SocketAddr,
}

impl KnownServer {
    /// Starts `program` as that server.
    pub(super) fn start(program: &Path, known: &KnownTimes) -> Result<Self, SelftestError> {
        let child = Command::new(program).arg(COMMAND).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = child.map_err(SelftestError::Server)?;
        let stdin = child.stdin.as_mut().expect("it was asked for");
        serde_json::to_writer(&mut *stdin, known).map_err(|error| SelftestError::Server(error.into()))?;
        io::Write::write_all(stdin, b"\n").map_err(SelftestError::Server)?;
        let mut said = BufReader::new(child.stdout.take().expect("it was asked for"));
        let address = next(&mut said)?;
        Ok(Self { child, said, address })
    }

    /// Its number.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it; how long its requests were to take.
    pub(super) fn end(mut self) -> Result<Distribution, SelftestError> {
        drop(self.child.stdin.take());
        next(&mut self.said)
    }
}

fn next<T: for<'de> Deserialize<'de>>(said: &mut BufReader<ChildStdout>) -> Result<T, SelftestError> {
    let mut line = String::new();
    said.read_line(&mut line).map_err(SelftestError::Server)?;
    serde_json::from_str(&line).map_err(|error| SelftestError::Server(error.into()))
}

impl Drop for KnownServer {
    fn drop(&mut self) {
        // It has ended, or it is made to; either way nothing is left.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
