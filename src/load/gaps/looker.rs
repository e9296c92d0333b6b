//! Finds the gaps of a generator thread in its own loop, which reads the clock all the time.

use std::cell::{Cell, RefCell};

use rustix::time::{ClockId, clock_gettime};

use crate::load::gaps::LEAST_NANOS;
use crate::units::Stamp;

/// Two readings of the clock further apart than this are suspicious: there is a send or a look for answers between them, or
/// somebody else.
const SUSPICIOUS: u64 = LEAST_NANOS;
/// The thread's own CPU time tells which. Reading it is a system call of some 300 ns, so it is read no more often than this,
/// which costs a thread that is never idle half a percent; what was taken meanwhile is found a little later.
const BETWEEN: u64 = 50_000;
/// And no less often, so that the rounding of many interrupts does not add up to a gap.
const AT_LEAST: u64 = 1_000_000;

/// No work between two readings lasts so long, whatever the CPU time says: some hypervisors take a core and do not tell, and then
/// the thread seems to have run. A handshake of TLS, or a hundred users who have thought, take less.
const UNEXPLAINED: u64 = 1_000_000;

/// What a thread knows of the time that it did not get.
pub(in crate::load) struct Looker {
    /// The last reading of the clock.
    last: Cell<u64>,
    /// Until here all is accounted for.
    mark: Cell<Mark>,
    /// A thread that sleeps cannot tell what is taken from it.
    sleeps: Cell<bool>,
    found: RefCell<Vec<[Stamp; 2]>>,
}

/// The clock and the CPU time of the thread, in nanoseconds.
#[derive(Clone, Copy)]
struct Mark {
    clock: u64,
    cpu: u64,
}

impl Looker {
    /// Begins to look, on the thread that it looks after.
    pub(in crate::load) fn new() -> Self {
        let now = Stamp::now();
        Self {
            last: Cell::new(now.nanos()),
            mark: Cell::new(Mark { clock: now.nanos(), cpu: cpu_nanos() }),
            sleeps: Cell::new(false),
            found: RefCell::default(),
        }
    }

    /// The thread has read the clock.
    pub(in crate::load) fn read(&self, now: Stamp) {
        let now = now.nanos();
        let since_last = now - self.last.replace(now);
        let since_mark = now - self.mark.get().clock;
        if (since_last >= SUSPICIOUS && since_mark >= BETWEEN) || since_mark >= AT_LEAST {
            self.account(now, since_last);
        }
    }

    /// The thread sleeps until what this gives is dropped; whoever runs on it meanwhile is not looked after.
    pub(in crate::load) fn sleeps(&self) -> Asleep<'_> {
        self.sleeps.set(true);
        Asleep(self)
    }

    /// The thread was not there when it should have been.
    pub(in crate::load) fn missed(&self, gap: [Stamp; 2]) {
        if gap[1].nanos().saturating_sub(gap[0].nanos()) >= LEAST_NANOS {
            self.found.borrow_mut().push(gap);
        }
    }

    /// The gaps since it was asked last.
    pub(in crate::load) fn take(&self) -> Vec<[Stamp; 2]> {
        self.found.take()
    }

    /// What the thread neither ran nor slept was taken from it: at the end, where it was noticed.
    fn account(&self, now: u64, since_last: u64) {
        let (mark, cpu) = (self.mark.get(), cpu_nanos());
        self.mark.set(Mark { clock: now, cpu });
        let without_core = (now - mark.clock).saturating_sub(cpu - mark.cpu);
        let unexplained = if since_last >= UNEXPLAINED { since_last } else { 0 };
        let taken = without_core.max(unexplained);
        if taken >= SUSPICIOUS && !self.sleeps.get() {
            self.found.borrow_mut().push([now - taken, now].map(Stamp::from_nanos));
        }
    }
}

/// A thread that sleeps, or whose sleep was broken off.
pub(in crate::load) struct Asleep<'a>(&'a Looker);

impl Drop for Asleep<'_> {
    fn drop(&mut self) {
        let now = Stamp::now().nanos();
        self.0.sleeps.set(false);
        self.0.last.set(now);
        self.0.mark.set(Mark { clock: now, cpu: cpu_nanos() });
    }
}

/// CPU time of this thread: time that a hypervisor took is not in it where the kernel is told of that.
fn cpu_nanos() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    u64::try_from(time.tv_sec * 1_000_000_000 + time.tv_nsec).expect("CPU time is not negative")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nanoseconds of the gaps that are found where the clock was read before and after the thread ran for so long.
    fn found(cpu: u64) -> u64 {
        let looker = Looker::new();
        let begun = cpu_nanos();
        while cpu_nanos() - begun < cpu {}
        looker.read(Stamp::now());
        looker.take().iter().map(|[begin, end]| end.nanos() - begin.nanos()).sum()
    }

    #[test]
    fn a_core_that_was_taken_unsaid_is_missed_by_whoever_looks_all_the_time() {
        assert!(found(UNEXPLAINED * 2) >= UNEXPLAINED * 2);
    }

    #[test]
    fn who_was_woken_before_the_end_of_a_sleep_looks_again() {
        let looker = Looker::new();
        drop(looker.sleeps());
        std::thread::sleep(std::time::Duration::from_millis(1));
        looker.read(Stamp::now());
        assert_eq!(looker.take().len(), 1);
    }

    #[test]
    fn work_is_no_gap() {
        // What else runs on the machine may be one; not every time.
        assert!((0..1_000).any(|_| found(BETWEEN + SUSPICIOUS) < SUSPICIOUS));
    }
}
