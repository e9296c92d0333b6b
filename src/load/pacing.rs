//! How the scheduler waits for a due instant: the 1 ms wheel of `tokio::time` would be 1 ms late.

use std::hint::spin_loop;
use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::task::yield_now;

use crate::units::{Offset, Stamp};

/// What the generator does while it waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pacing {
    /// It asks for answers again and again while one is outstanding, and sleeps otherwise. For a core
    /// of its own: a client that sleeps adds its own 20 to 40 us of waking up to what it measures.
    Busy,
    /// It sleeps, and spins only shortly before a due instant. For a core that it shares.
    Hybrid,
}

impl Pacing {
    /// How early the timer is set; the rest is spun. Waking up takes 55 us at the 99th percentile on a
    /// quiet machine. The guest of a busy host wakes later: there the best of 30 seconds had a lag p99 of
    /// 95 us with 60 us, and of 35 us with 200 us, which only a core of one's own can afford.
    const fn ahead(self) -> Duration {
        match self {
            Self::Busy => Duration::from_micros(200),
            Self::Hybrid => Duration::from_micros(60),
        }
    }
}

/// The clock of a run, and how to wait on it.
pub(super) trait Pacer: 'static {
    /// The time since the load began.
    fn now(&self) -> Offset;

    /// Waits until an instant, and meanwhile lets the readers read. `outstanding` tells whether an
    /// answer is on its way.
    async fn wait_until(&self, instant: Offset, outstanding: impl Fn() -> bool);
}

/// The clock of this machine.
pub(super) struct HostPacer {
    start: Stamp,
    pacing: Pacing,
    timer: AsyncFd<OwnedFd>,
}

impl HostPacer {
    /// A clock that begins at `start`. Needs a tokio runtime around it.
    pub(super) fn new(start: Stamp, pacing: Pacing) -> io::Result<Self> {
        let timer =
            timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
        #[expect(
            deprecated,
            reason = "unsound for types that give out a closed descriptor, which `OwnedFd` never does; the new name is unsafe"
        )]
        let timer = AsyncFd::with_interest(timer, Interest::READABLE)?;
        Ok(Self { start, pacing, timer })
    }

    async fn sleep_until(&self, since_start: Duration) {
        let at = Duration::from_nanos(self.start.nanos()) + since_start;
        let at = Timespec::try_from(at).expect("the clock counts from the last boot");
        let never = Timespec { tv_sec: 0, tv_nsec: 0 };
        let once = Itimerspec { it_interval: never, it_value: at };
        timerfd_settime(self.timer.get_ref(), TimerfdTimerFlags::ABSTIME, &once)
            .expect("the descriptor is a timer and the time is valid");
        // Nothing is read from the timer: setting it again resets it, and saves a system call each time.
        let mut ready = self.timer.readable().await.expect("the runtime that polls it still runs");
        ready.clear_ready();
    }
}

impl Pacer for HostPacer {
    fn now(&self) -> Offset {
        Stamp::now().offset(self.start)
    }

    async fn wait_until(&self, instant: Offset, outstanding: impl Fn() -> bool) {
        loop {
            let left = instant.since(self.now());
            if left.is_zero() {
                return;
            }
            let near = left <= self.pacing.ahead();
            if outstanding() && (near || self.pacing == Pacing::Busy) {
                yield_now().await;
            } else if near {
                spin_loop();
            } else {
                self.sleep_until(instant.since(Offset::from(self.pacing.ahead()))).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn no_wait_ends_early() {
        for pacing in [Pacing::Busy, Pacing::Hybrid] {
            let pacer = HostPacer::new(Stamp::now(), pacing).unwrap();
            for number in 1..=100 {
                let due = Offset::from_nanos(number * 1_500_000);
                pacer.wait_until(due, || number % 2 == 0).await;
                assert!(pacer.now() >= due, "{pacing:?}");
            }
        }
    }
}
