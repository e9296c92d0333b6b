//! How the scheduler waits for a due instant: the 1 ms wheel of `tokio::time` would be 1 ms late.

use std::cell::Cell;
use std::fmt;
use std::hint::spin_loop;
use std::io;
use std::os::fd::OwnedFd;
use std::str::FromStr;
use std::time::Duration;

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::task::yield_now;

use crate::load::gaps::Looker;
use crate::observation::Distribution;
use crate::units::{Offset, Stamp};

/// What the generator does while it waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// It sleeps until the instant: cheapest, and as late as the timer wakes it.
    Sleep,
    /// It sleeps, and spins only shortly before a due instant. For a core that it shares.
    Hybrid,
    /// The same, but it asks for answers again and again while one is outstanding. For a core
    /// of its own: a client that sleeps adds its own 20 to 40 us of waking up to what it measures.
    Busy,
    /// It never sleeps.
    Spin,
}

impl Precision {
    /// Every mode, the cheapest first.
    pub const ALL: [Self; 4] = [Self::Sleep, Self::Hybrid, Self::Busy, Self::Spin];

    /// Its name on the command line and in recordings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sleep => "sleep",
            Self::Hybrid => "hybrid",
            Self::Busy => "busy",
            Self::Spin => "spin",
        }
    }

    /// Whether the thread is awake whenever something can happen, and sees what is taken from it.
    pub(super) fn looks_all_the_time(self) -> bool {
        matches!(self, Self::Busy | Self::Spin)
    }

    /// How long before an instant to begin spinning if awakenings can be late by so much: half as much again, since an
    /// answer that is read meanwhile delays one too.
    fn margin(self, late: Duration) -> Duration {
        let most = match self {
            Self::Sleep => return Duration::ZERO,
            Self::Hybrid => MOST,
            Self::Busy | Self::Spin => MOST_OF_ITS_OWN,
        };
        (late * 3 / 2).clamp(LEAST, most)
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Precision {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|mode| mode.name() == text).ok_or_else(|| {
            format!("unknown precision {text:?}; known: {}", Self::ALL.map(Self::name).join(", "))
        })
    }
}

/// The clock of a run, and how to wait on it.
pub(super) trait Pacer: 'static {
    /// The time since the load began.
    fn now(&self) -> Offset;

    /// A stamp of the host's clock as an instant of the load.
    fn at(&self, stamp: Stamp) -> Offset;

    /// Waits until an instant, and meanwhile lets the readers read and connect. `outstanding` tells whether an
    /// answer is on its way, or a connection waited for.
    async fn wait_until(&self, instant: Offset, outstanding: impl Fn() -> bool);

    /// The gaps since it was asked last: when something else ran where this clock should have been read.
    fn gaps(&self) -> Vec<[Offset; 2]> {
        Vec::new()
    }
}

/// The clock of this machine.
pub(super) struct HostPacer {
    start: Stamp,
    precision: Precision,
    /// How early the timer is set; the rest is spun.
    ahead: Cell<Duration>,
    /// The same as calibrated: under load a timer can be later, never earlier.
    least_ahead: Duration,
    /// How late the timer usually is at most.
    usual: Duration,
    timer: Timer,
    looker: Looker,
}

impl HostPacer {
    /// A clock that begins at `start`.
    pub(super) fn new(start: Stamp, calibrated: Calibrated) -> Self {
        let Calibrated { precision, ahead, late, timer } = calibrated;
        let usual = Duration::from_nanos(late.quantile(0.99).unwrap_or(0)) * 3 / 2;
        let looker = Looker::new();
        // A thread that got its core later than the load began was not there.
        looker.missed([start, Stamp::now()]);
        Self { start, precision, ahead: Cell::new(ahead), least_ahead: ahead, usual, timer, looker }
    }

    /// Learns from an awakening that was late by so much: the timer is set earlier at once, and later again by and by.
    fn learn(&self, late: Duration) {
        let ahead = self.ahead.get();
        let forgotten = ahead.saturating_sub(ahead / FORGETTING);
        self.ahead.set(forgotten.max(self.least_ahead).max(self.precision.margin(late)));
    }

    async fn sleep_until(&self, due: Stamp) {
        let asleep = self.looker.sleeps();
        self.timer.sleep_until(Duration::from_nanos(due.nanos())).await;
        drop(asleep);
        let now = Stamp::now();
        let late = Duration::from_nanos(now.nanos().saturating_sub(due.nanos()));
        // Timers are late; one that is later than was allowed for met something else on the core.
        let ahead = self.ahead.get();
        if late > (if ahead.is_zero() { self.usual } else { ahead }) {
            self.looker.missed([due, now]);
        }
        self.learn(late);
    }

    /// How long to sleep at once where nothing is to be done for so long.
    fn nap(&self, idle: Duration) -> Duration {
        match self.precision {
            Precision::Busy if idle > NAPPED + NAP => idle.saturating_sub(NAPPED),
            Precision::Busy => idle.min(NAP),
            _ => idle,
        }
    }
}

impl Pacer for HostPacer {
    fn now(&self) -> Offset {
        let now = Stamp::now();
        self.looker.read(now);
        now.offset(self.start)
    }

    fn at(&self, stamp: Stamp) -> Offset {
        stamp.offset(self.start)
    }

    fn gaps(&self) -> Vec<[Offset; 2]> {
        self.looker.take().into_iter().map(|gap| gap.map(|stamp| stamp.offset(self.start))).collect()
    }

    async fn wait_until(&self, instant: Offset, outstanding: impl Fn() -> bool) {
        let mut has_slept = false;
        loop {
            let now = self.now();
            let left = instant.since(now);
            if left.is_zero() {
                if !has_slept {
                    // Or it would spin for ever where it once spun all the time.
                    self.learn(Duration::ZERO);
                }
                return;
            }
            let near = left <= self.ahead.get();
            let polls = match self.precision {
                Precision::Sleep | Precision::Hybrid => near && outstanding(),
                Precision::Busy => outstanding(),
                Precision::Spin => !near || outstanding(),
            };
            if polls && left > ANSWER {
                yield_now().await;
            } else if near {
                spin_loop();
            } else {
                let woken = now + self.nap(left.saturating_sub(self.ahead.get()));
                self.sleep_until(Stamp::from_nanos(self.start.nanos() + woken.nanos())).await;
                has_slept = true;
            }
        }
    }
}

/// So near to a due instant no answer is read any more: reading and recording one takes about this long.
const ANSWER: Duration = Duration::from_micros(3);
/// A core that sleeps for long sleeps deeply, or is lent to others by the hypervisor, and then wakes milliseconds late.
/// Therefore the last of a sleep is taken in naps where the core is the generator's own.
const NAPPED: Duration = Duration::from_millis(5);
const NAP: Duration = Duration::from_micros(100);

/// A timer of the kernel, and how well it keeps time on this thread.
pub(super) struct Calibrated {
    pub(super) precision: Precision,
    /// How long before an instant spinning begins.
    pub(super) ahead: Duration,
    /// How late the timer was, in nanoseconds.
    pub(super) late: Distribution,
    timer: Timer,
}

/// The timer is tried so often, which takes about 100 ms: its 99th percentile is exceeded three times then.
const TRIALS: u32 = 300;
/// With gaps like those of a load: half of a millisecond's wait is long enough to sleep.
const TRIAL: Duration = Duration::from_micros(250);
/// Spinning begins no later than this: less is what the timer itself is coarse by.
const LEAST: Duration = Duration::from_micros(30);
/// And no earlier: with less sleep than this between two requests a core might as well spin.
const MOST: Duration = Duration::from_micros(250);
/// Nobody else has a use for what is spun on a core of the generator's own, and all but the pauses of a hypervisor are shorter.
const MOST_OF_ITS_OWN: Duration = Duration::from_micros(600);
/// What was learned from a late awakening halves in 7,000 that were not.
const FORGETTING: u32 = 10_000;

impl Calibrated {
    /// Tries the timer on this thread. Needs a tokio runtime around it.
    pub(super) async fn new(precision: Precision) -> io::Result<Self> {
        let timer = Timer::new()?;
        let trial = if precision == Precision::Busy { NAP } else { TRIAL };
        let mut late = Distribution::default();
        for _ in 0..TRIALS {
            let due = Duration::from_nanos(Stamp::now().nanos()) + trial;
            timer.sleep_until(due).await;
            let woken = Duration::from_nanos(Stamp::now().nanos());
            late.record(u64::try_from(woken.saturating_sub(due).as_nanos()).expect("less than 584 years"));
        }
        let p99 = Duration::from_nanos(late.quantile(0.99).unwrap_or(0));
        Ok(Self { precision, ahead: precision.margin(p99), late, timer })
    }
}

struct Timer(AsyncFd<OwnedFd>);

impl Timer {
    fn new() -> io::Result<Self> {
        let timer =
            timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
        #[expect(
            deprecated,
            reason = "unsound for types that give out a closed descriptor, which `OwnedFd` never does; the new name is unsafe"
        )]
        AsyncFd::with_interest(timer, Interest::READABLE).map(Self)
    }

    /// Sleeps until the host's clock shows `at`, counted from its own beginning.
    async fn sleep_until(&self, at: Duration) {
        let at = Timespec::try_from(at).expect("the clock counts from the last boot");
        let never = Timespec { tv_sec: 0, tv_nsec: 0 };
        let once = Itimerspec { it_interval: never, it_value: at };
        timerfd_settime(self.0.get_ref(), TimerfdTimerFlags::ABSTIME, &once)
            .expect("the descriptor is a timer and the time is valid");
        // Nothing is read from the timer: setting it again resets it, and saves a system call each time.
        let mut ready = self.0.readable().await.expect("the runtime that polls it still runs");
        ready.clear_ready();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn no_wait_ends_early_in_any_mode() {
        for precision in Precision::ALL {
            let pacer = HostPacer::new(Stamp::now(), Calibrated::new(precision).await.unwrap());
            for number in 1..=50 {
                let due = pacer.now() + Duration::from_micros(700);
                pacer.wait_until(due, || number % 2 == 0).await;
                assert!(pacer.now() >= due, "{precision}");
            }
        }
    }

    #[tokio::test]
    async fn a_late_awakening_sets_the_timer_earlier_for_a_while() {
        for (precision, most) in [(Precision::Hybrid, MOST), (Precision::Busy, MOST_OF_ITS_OWN)] {
            let mut calibrated = Calibrated::new(precision).await.unwrap();
            calibrated.ahead = LEAST;
            let pacer = HostPacer::new(Stamp::now(), calibrated);
            pacer.learn(LEAST * 2);
            assert_eq!(pacer.ahead.get(), LEAST * 3, "{precision}");
            pacer.learn(Duration::ZERO);
            assert!(pacer.ahead.get() > LEAST * 2, "{precision}");
            pacer.learn(Duration::from_secs(1));
            assert_eq!(pacer.ahead.get(), most, "{precision}");
            (0..7_000).for_each(|_| pacer.learn(Duration::ZERO));
            let left = pacer.ahead.get().as_secs_f64() / most.as_secs_f64();
            assert!((0.45..0.55).contains(&left), "{precision}: {left}");
            (0..40_000).for_each(|_| pacer.learn(Duration::ZERO));
            assert_eq!(pacer.ahead.get(), LEAST, "{precision}");
        }
    }

    #[tokio::test]
    async fn who_spins_all_the_time_comes_to_sleep_again() {
        let mut calibrated = Calibrated::new(Precision::Hybrid).await.unwrap();
        calibrated.ahead = LEAST;
        let pacer = HostPacer::new(Stamp::now(), calibrated);
        pacer.learn(Duration::from_secs(1));
        let before = pacer.ahead.get();
        pacer.wait_until(pacer.now() + MOST / 2, || false).await;
        assert!(pacer.ahead.get() < before);
    }

    #[tokio::test]
    async fn who_only_sleeps_is_never_ahead() {
        let pacer = HostPacer::new(Stamp::now(), Calibrated::new(Precision::Sleep).await.unwrap());
        pacer.learn(Duration::from_secs(1));
        assert!(pacer.ahead.get().is_zero());
    }

    #[test]
    fn every_mode_is_found_by_its_name_and_no_other() {
        for precision in Precision::ALL {
            assert_eq!(precision.name().parse(), Ok(precision));
        }
        let message = "precise".parse::<Precision>().unwrap_err();
        assert!(message.ends_with("known: sleep, hybrid, busy, spin"), "{message}");
    }
}
