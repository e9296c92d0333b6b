//! Who has a right to the cores of the servers, and how much of it they use.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use nix::time::ClockId;
use nix::unistd::Pid;

/// The processes that have a right to the cores, as they were told last.
#[derive(Debug)]
pub(super) struct Rightful {
    /// Locked for a line.
    processes: Mutex<Vec<u32>>,
    /// How often they were told anew: looked at all the time, which the lock should not be.
    version: AtomicU32,
}

/// What they have used up, as one thread has read it.
#[derive(Debug, Default)]
pub(super) struct Used {
    version: u32,
    clocks: Vec<Clock>,
}

#[derive(Debug)]
struct Clock {
    process: u32,
    /// CPU time of the process, of threads that have ended too.
    id: ClockId,
    nanos: u64,
}

impl Rightful {
    pub(super) fn new(processes: Vec<u32>) -> Self {
        Self { processes: Mutex::new(processes), version: AtomicU32::new(1) }
    }

    pub(super) fn replace(&self, processes: Vec<u32>) {
        *self.processes.lock().unwrap_or_else(PoisonError::into_inner) = processes;
        self.version.fetch_add(1, Ordering::Release);
    }

    fn clocks(&self) -> Vec<Clock> {
        let processes = self.processes.lock().unwrap_or_else(PoisonError::into_inner);
        processes.iter().filter_map(|process| Clock::of(*process)).collect()
    }
}

impl Used {
    /// Nanoseconds of CPU time since the last look. One that has ended uses nothing any more; of one that is new only what follows counts.
    pub(super) fn look(&mut self, rightful: &Rightful) -> u64 {
        let version = rightful.version.load(Ordering::Acquire);
        let mut used = 0;
        for clock in &mut self.clocks {
            let Some(now) = nanos(clock.id) else { continue };
            used += now.saturating_sub(clock.nanos);
            clock.nanos = now;
        }
        if version != self.version {
            self.version = version;
            let mut clocks = rightful.clocks();
            for clock in &mut clocks {
                // What a known one has used since it was read above is of the next look.
                if let Some(known) = self.clocks.iter().find(|known| known.process == clock.process) {
                    clock.nanos = known.nanos;
                }
            }
            self.clocks = clocks;
        }
        used
    }
}

impl Clock {
    /// `None` if there is no such process.
    fn of(process: u32) -> Option<Self> {
        let id = ClockId::pid_cpu_clock_id(Pid::from_raw(i32::try_from(process).ok()?)).ok()?;
        Some(Self { process, id, nanos: nanos(id)? })
    }
}

/// `None` if the process has ended.
fn nanos(clock: ClockId) -> Option<u64> {
    let time = clock.now().ok()?;
    let nanos = time.tv_sec() * 1_000_000_000 + time.tv_nsec();
    Some(u64::try_from(nanos).expect("CPU time is not negative"))
}

#[cfg(test)]
mod tests {
    use std::process::{Child, Command, Stdio};

    use super::*;

    fn burner() -> Child {
        Command::new("sh").args(["-c", "while :; do :; done"]).stdin(Stdio::null()).spawn().unwrap()
    }

    fn end(mut child: Child) {
        child.kill().unwrap();
        child.wait().unwrap();
    }

    fn wait_for_use(used: &mut Used, rightful: &Rightful) {
        let begun = std::time::Instant::now();
        while used.look(rightful) == 0 {
            assert!(begun.elapsed().as_secs() < 20, "nobody runs");
        }
    }

    #[test]
    fn who_has_ended_uses_nothing_and_hides_nobody_and_who_was_told_later_counts() {
        let [first, second, later] = [(), (), ()].map(|()| burner());
        let rightful = Rightful::new(vec![first.id(), second.id()]);
        let mut used = Used::default();
        assert_eq!(used.look(&rightful), 0, "a first look");
        wait_for_use(&mut used, &rightful);
        end(first);
        used.look(&rightful);
        wait_for_use(&mut used, &rightful);
        end(second);
        used.look(&rightful);
        assert_eq!(used.look(&rightful), 0, "all have ended");
        rightful.replace(vec![u32::MAX, later.id()]);
        assert_eq!(used.look(&rightful), 0, "what it used before it was told is left out");
        wait_for_use(&mut used, &rightful);
        end(later);
    }
}
