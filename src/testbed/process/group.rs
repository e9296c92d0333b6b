//! A process with all that it started: signalled together, and killed until none is left.

use std::collections::BTreeSet;
use std::io;
use std::process::{ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tokio::process::{Child, Command};
use tokio::time::sleep;

use crate::testbed::machine::{self, ProcessId};

/// What the kernel has not ended by then, it does not end.
const END_LIMIT: Duration = Duration::from_secs(20);

const MOMENT: Duration = Duration::from_millis(1);

/// How often it is looked whether a process has ended that nobody has killed: nobody tells.
const POLLING: Duration = Duration::from_millis(5);

/// A process that leads a group of its own. It is killed, and gone with its descendants, when this is dropped: what comes next, or has
/// the terminal next, does not meet them. To drop it blocks the thread until they are gone: that is for panics and for what is given up;
/// else it is killed before.
#[derive(Debug)]
pub(in crate::testbed) struct Group {
    pub(in crate::testbed) child: Child,
    /// The process: its group has the same number.
    pub(in crate::testbed) pid: u32,
    /// Kills the group when this program ends.
    pub(super) guard: Option<Child>,
}

impl Group {
    /// That of a child that was put at the head of a group when it was started.
    pub(super) fn led_by(child: Child) -> io::Result<Self> {
        let pid = child.id().ok_or(io::ErrorKind::BrokenPipe)?;
        Ok(Self { child, pid, guard: None })
    }

    /// Has it killed when this program ends in whatever way: by a shell that holds the other end of a pipe, and loses it then. The
    /// kernel would kill the leader alone.
    pub(super) fn guard(&mut self) -> io::Result<()> {
        let script = "read -r line; kill -s KILL -- \"-$0\"";
        let guard = Command::new("sh")
            .args(["-c", script, &self.pid.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // An interrupt from the keyboard is not for it.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        self.guard = Some(guard);
        Ok(())
    }

    /// Whether the leader has ended. It is not waited for, so that its number stays taken while the rest of the group lives.
    pub(super) fn has_ended(&self) -> bool {
        self.child.id().is_none() || machine::has_ended(self.pid)
    }

    /// Waits until the leader has ended.
    pub(super) async fn ended(&self) {
        while !self.has_ended() {
            sleep(POLLING).await;
        }
    }

    /// Asks the leader to end, who asks the others.
    pub(super) fn ask_to_end(&self) {
        if let Some(leader) = self.child.id().and_then(pid) {
            let _ = kill_process(leader, Signal::TERM);
        }
    }

    /// Signals all of them, and returns who they are. A leader that was waited for is nobody's any more, and neither is its group.
    ///
    /// A server of `PostgreSQL`, for one, has a session of its own and is in no group of ours: it is found as a descendant. Who has lost
    /// its parent is found by its group. Whoever is signalled may just have started another: they are looked for until none is new.
    pub(super) fn signal(&self, signal: Signal) -> BTreeSet<ProcessId> {
        let mut all = BTreeSet::new();
        let Some(leader) = self.child.id().and_then(pid) else { return all };
        loop {
            let found = machine::relatives(self.pid, &all);
            let new: Vec<ProcessId> = found.difference(&all).copied().collect();
            if new.is_empty() {
                return all;
            }
            // Those in the group get the signal at once. Those who are gone need none.
            let _ = kill_process_group(leader, signal);
            for process in new.iter().filter(|process| !process.has_ended()) {
                let _ = pid(process.pid).map(|pid| kill_process(pid, signal));
            }
            all.extend(new);
        }
    }

    /// Ends all of them, waits until they are gone, and tells how the leader ended.
    pub(super) async fn kill(&mut self) -> io::Result<ExitStatus> {
        let all = self.end();
        let killed = Instant::now();
        if let Some(mut guard) = self.guard.take() {
            let _ = guard.wait().await;
        }
        let status = self.child.wait().await;
        while is_any_left(&all) && killed.elapsed() < END_LIMIT {
            sleep(MOMENT).await;
        }
        status
    }

    /// Nobody who stands still starts another, or leaves one behind whose parent nobody knows: so they are stopped first.
    fn end(&mut self) -> BTreeSet<ProcessId> {
        if let Some(guard) = &mut self.guard {
            // Before the number of the group may be somebody else's.
            let _ = guard.start_kill();
        }
        let mut all = self.signal(Signal::STOP);
        all.extend(self.signal(Signal::KILL));
        all
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let all = self.end();
        let killed = Instant::now();
        // The system takes its time to give back the memory of a million tokens, and more where every core is busy.
        while (matches!(self.child.try_wait(), Ok(None)) || is_any_left(&all)) && killed.elapsed() < END_LIMIT
        {
            thread::sleep(MOMENT);
        }
    }
}

fn pid(process: u32) -> Option<Pid> {
    Pid::from_raw(i32::try_from(process).ok()?)
}

fn is_any_left(processes: &BTreeSet<ProcessId>) -> bool {
    processes.iter().any(|process| !process.has_ended())
}
