//! A process with all that it started: signalled together, and killed until none is left.

use std::io;
use std::process::ExitStatus;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tokio::process::Child;
use tokio::time::sleep;

use crate::testbed::machine;

/// What the kernel has not ended by then, it does not end.
const END_LIMIT: Duration = Duration::from_secs(20);

const MOMENT: Duration = Duration::from_millis(1);

/// A process that leads a group of its own. It is killed, and gone with its descendants, when this is dropped: what comes next, or has
/// the terminal next, does not meet them.
#[derive(Debug)]
pub(in crate::testbed) struct Group {
    pub(in crate::testbed) child: Child,
    /// The process: its group has the same number.
    pub(in crate::testbed) pid: u32,
}

impl Group {
    /// That of a child that was put at the head of a group when it was started.
    pub(super) fn led_by(child: Child) -> io::Result<Self> {
        let pid = child.id().ok_or(io::ErrorKind::BrokenPipe)?;
        Ok(Self { child, pid })
    }

    /// Whether the leader has ended. It is not waited for, so that its number stays taken while the rest of the group lives.
    pub(super) fn has_ended(&self) -> bool {
        self.child.id().is_none() || machine::has_ended(self.pid)
    }

    /// Signals all of them, and returns those that the leader had started. A leader that was waited for is nobody's any more.
    pub(super) fn signal(&self, signal: Signal) -> Vec<u32> {
        let Some(leader) = self.child.id().and_then(pid) else { return Vec::new() };
        // Those in the group get the signal at once, so that none starts others meanwhile. A server of PostgreSQL, for one, has a session
        // of its own and is in no group of ours: it is looked for before, since a leader that is dead has no children.
        let descendants = machine::descendants(self.pid);
        // Those who are gone need no signal.
        let _ = kill_process_group(leader, signal);
        for descendant in descendants.iter().copied().filter_map(pid) {
            let _ = kill_process(descendant, signal);
        }
        descendants
    }

    /// Ends all of them, waits until they are gone, and tells how the leader ended.
    pub(super) async fn kill(&mut self) -> io::Result<ExitStatus> {
        let descendants = self.signal(Signal::KILL);
        let killed = Instant::now();
        let status = self.child.wait().await;
        while is_any_left(&descendants) && killed.elapsed() < END_LIMIT {
            sleep(MOMENT).await;
        }
        status
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let descendants = self.signal(Signal::KILL);
        let killed = Instant::now();
        // The system takes its time to give back the memory of a million tokens, and more where every core is busy.
        while (matches!(self.child.try_wait(), Ok(None)) || is_any_left(&descendants))
            && killed.elapsed() < END_LIMIT
        {
            thread::sleep(MOMENT);
        }
    }
}

fn pid(process: u32) -> Option<Pid> {
    Pid::from_raw(i32::try_from(process).ok()?)
}

fn is_any_left(processes: &[u32]) -> bool {
    processes.iter().any(|process| !machine::has_ended(*process))
}
