//! What a generator thread used of its core within the window, and what others took from it.

use std::fs;

use rustix::thread::gettid;
use rustix::time::{ClockId, clock_gettime};

use crate::units::Offset;

/// Reads the thread's own counters when the window begins and when it ends.
#[derive(Default)]
pub(super) struct Meter {
    at_start: Option<ThreadUsage>,
}

/// Nanoseconds of a thread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ThreadUsage {
    /// It ran.
    pub(super) cpu: u64,
    /// It was ready to run but had no core. Absent where the kernel does not tell.
    pub(super) delayed: Option<u64>,
}

impl Meter {
    pub(super) fn look(&mut self, now: Offset, window_start: Offset) {
        if self.at_start.is_none() && now >= window_start {
            self.at_start = Some(ThreadUsage::now());
        }
    }

    /// Since the beginning of the window; nothing if it was not reached.
    pub(super) fn read(&self) -> ThreadUsage {
        let Some(before) = self.at_start else { return ThreadUsage::default() };
        let now = ThreadUsage::now();
        let delayed = now.delayed.zip(before.delayed).map(|(now, before)| now - before);
        ThreadUsage { cpu: now.cpu - before.cpu, delayed }
    }
}

impl ThreadUsage {
    fn now() -> Self {
        let time = clock_gettime(ClockId::ThreadCPUTime);
        let nanos = time.tv_sec * 1_000_000_000 + time.tv_nsec;
        let cpu = u64::try_from(nanos).expect("CPU time is not negative");
        let schedstat = fs::read_to_string(format!("/proc/self/task/{}/schedstat", gettid()));
        Self { cpu, delayed: schedstat.ok().as_deref().and_then(delayed) }
    }
}

/// The second field of `schedstat`: nanoseconds in the queue of a core.
fn delayed(schedstat: &str) -> Option<u64> {
    schedstat.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_runs_uses_its_core_and_the_window_begins_when_it_is_reached() {
        let mut meter = Meter::default();
        meter.look(Offset::from_nanos(5), Offset::from_nanos(10));
        assert_eq!(meter.read(), ThreadUsage::default());
        meter.look(Offset::from_nanos(10), Offset::from_nanos(10));
        let before = meter.read().cpu;
        std::hint::black_box((0..100_000_u64).map(std::hint::black_box).sum::<u64>());
        assert!(meter.read().cpu > before);
        assert_eq!(delayed("1963221 369956 2\n"), Some(369_956));
        assert_eq!(delayed(""), None);
    }
}
