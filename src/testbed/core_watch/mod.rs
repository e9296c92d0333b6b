//! Watches the cores of the servers for time that something else takes from them, from a process beside them.
//!
//! A thread of the lowest priority spins on each core. When it does not run, either a server does, whose CPU time tells, or
//! somebody else: another program, the kernel, or the hypervisor. A process of its own, so that its CPU time is nobody's cost.
//!
//! Servers are known by their processes alone, not by what those start: the CPU time of a worker looks like somebody else's until
//! the worker is named too. Our own servers have threads and no workers.

mod rightful;
mod spin;

use std::io;
use std::path::Path;
use std::process;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout};
use tokio::task::JoinHandle;

use crate::observation::Role;
use crate::plan::Placement;
use crate::testbed::machine;
use crate::testbed::process::{ProcessError, Told, spawn};
use crate::testbed::{Testbed, TrialNode};
use crate::units::Stamp;

pub use spin::watch;

/// The subcommand of this program that watches.
pub const COMMAND: &str = "watch-cores";

/// What the process is told.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Task {
    /// The cores to watch.
    pub cores: Vec<u32>,
    /// The processes that have a right to them.
    pub processes: Vec<u32>,
}

/// What was seen of a core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Which one.
    pub core: u32,
    /// Until when it was looked at.
    pub until: Stamp,
    /// Since when somebody else had had it until then, if so.
    pub taken: Option<Stamp>,
}

/// A watch that goes on until this is dropped.
#[derive(Debug)]
pub struct CoreWatch {
    child: Child,
    listening: JoinHandle<()>,
}

impl Testbed {
    /// Watches the cores of the servers from now on; `heard` is told what is seen, and nothing when nobody watches any more. `None`
    /// where that cannot be, or would take the time of the servers from them: then gaps are looked for on the generator's core alone.
    pub async fn watch_cores(
        &self,
        program: &Path,
        placement: &Placement,
        heard: impl FnMut(Option<Seen>) + Send + 'static,
    ) -> Option<CoreWatch> {
        if machine::has_cpu_quota() {
            return None;
        }
        let processes = self.rightful(placement);
        // Without it figures are doubted by what else is known of the machine. A server that has ended tells so by itself.
        CoreWatch::start(program, &Task { cores: placement.servers.clone(), processes }, heard).await.ok()
    }

    /// Tells a watch who the servers are, after some were started again.
    pub async fn tell_watch(&self, watch: &mut CoreWatch, placement: &Placement) -> io::Result<()> {
        watch.tell(&self.rightful(placement)).await
    }

    /// The processes that have a right to the cores of the servers.
    fn rightful(&self, placement: &Placement) -> Vec<u32> {
        let mut processes: Vec<u32> = self.nodes().iter().filter_map(TrialNode::pid).collect();
        // A program of others may have a process for each connection: they are open before the load begins.
        let others = self.nodes().iter().filter(|node| node.role == Role::Store).filter_map(TrialNode::pid);
        processes.extend(others.flat_map(machine::descendants));
        // Several nodes may share one.
        processes.sort_unstable();
        processes.dedup();
        if placement.generators.is_empty() {
            // It shares the cores of the servers, and has as much right to them.
            processes.push(process::id());
        }
        processes
    }
}

impl CoreWatch {
    /// Starts a process of `program` that does `task`, and waits until it watches.
    pub async fn start(
        program: &Path,
        task: &Task,
        mut heard: impl FnMut(Option<Seen>) + Send + 'static,
    ) -> Result<Self, ProcessError> {
        let failed = |source| ProcessError::Spawn { name: "watch of the cores".to_owned(), source };
        let (mut child, _) = spawn(program, &[COMMAND]).map_err(failed)?;
        Told::json(task).map_err(failed)?.tell(&mut child).await.map_err(failed)?;
        let stdout = child.stdout.take().expect("standard output is piped");
        let mut lines = BufReader::new(stdout).lines();
        let mut silent = task.cores.clone();
        let mut first = Vec::new();
        while !silent.is_empty() {
            let seen = next(&mut lines).await.map_err(failed)?;
            let seen = seen.ok_or_else(|| failed(io::ErrorKind::UnexpectedEof.into()))?;
            silent.retain(|core| *core != seen.core);
            first.push(seen);
        }
        // Nothing is heard of a watch that did not begin everywhere.
        for seen in first {
            heard(Some(seen));
        }
        let listening = tokio::spawn(async move {
            while let Ok(Some(seen)) = next(&mut lines).await {
                heard(Some(seen));
            }
            heard(None);
        });
        Ok(Self { child, listening })
    }

    /// Tells it which processes have a right to the cores from now on.
    pub async fn tell(&mut self, processes: &[u32]) -> io::Result<()> {
        Told::json(&processes)?.tell(&mut self.child).await
    }
}

impl Drop for CoreWatch {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn next(lines: &mut Lines<BufReader<ChildStdout>>) -> io::Result<Option<Seen>> {
    let Some(line) = lines.next_line().await? else { return Ok(None) };
    Seen::parse(&line).map(Some).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, line))
}

impl Seen {
    /// A line of the watch: the core, until when it was looked at, and since when somebody else had had it.
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.split_whitespace();
        let core = words.next()?.parse().ok()?;
        let until = Stamp::from_nanos(words.next()?.parse().ok()?);
        let taken = words.next().map(str::parse).transpose().ok()?.map(Stamp::from_nanos);
        Some(Self { core, until, taken })
    }

    fn line(self) -> String {
        let Self { core, until, taken } = self;
        let taken = taken.map_or_else(String::new, |taken| format!(" {}", taken.nanos()));
        format!("{core} {}{taken}\n", until.nanos())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_understood() {
        for taken in [None, Some(Stamp::from_nanos(5))] {
            let seen = Seen { core: 3, until: Stamp::from_nanos(7), taken };
            assert_eq!(Seen::parse(&seen.line()), Some(seen));
        }
        assert_eq!(Seen::parse("3"), None);
        assert_eq!(Seen::parse("3 7 x"), None);
    }
}
