//! Whether the machine was fit for a run whose times are judged, decided by what the machine did, never by what the
//! generator reported.
//!
//! On a virtual machine whose host is busy, or beside other programs, a thread that is due gets its core late. The
//! generator then reports what is true of the machine and not of the server, and no bound on the generator says anything.
//! The kernel counts how long the threads of the generator and of the server were ready but had no core (`schedstat`),
//! and what the host kept for itself (`/proc/stat`); the server, which never sleeps while it has work, counts how long it
//! stood still nevertheless. A generator that is late by itself, because it waits, blocks or counts from the wrong
//! instant, moves none of these numbers and cannot hide behind them.

use std::fmt;
use std::fs;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use rustix::thread::{Pid, gettid};

use crate::units::Stamp;

/// The unit of `/proc/stat` on every machine this program is built for.
const TICK: Duration = Duration::from_millis(10);

/// How long a run was held up by what was neither the generator nor the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// How long the run lasted.
    pub lasted: Duration,
    /// The generator was ready but had no core.
    pub generator: Duration,
    /// The server was ready but had no core, or stood still.
    pub server: Duration,
    /// The host kept one of their cores for itself.
    pub stolen: Duration,
    /// The longest that the server stood still at once.
    pub longest: Duration,
}

impl Held {
    /// All of it: an instant at which both were held up counts twice.
    pub fn whole(&self) -> Duration {
        self.generator + self.server + self.stolen
    }

    /// As a share of the run.
    pub fn share(&self) -> f64 {
        self.whole().as_secs_f64() / self.lasted.as_secs_f64().max(f64::MIN_POSITIVE)
    }

    /// Why a quantile `q` of about this length cannot be judged to a tolerance, if it cannot.
    ///
    /// Either all that was held up together is too short to matter, whomever it hit, or it hit so few requests, when they
    /// were due or when they were answered, that they lie beyond the quantile and move it by less than the tolerance.
    pub fn hides_quantile(&self, q: f64, length: Duration, tolerance: f64) -> Option<Held> {
        let short = self.whole() <= length.mul_f64(tolerance / 2.0);
        let few = self.share() <= ((1.0 - q) / 4.0).min(tolerance);
        (!short && !few).then_some(*self)
    }

    /// Why a figure that grows by the share of time that was held up, and so many times as much, cannot be judged to a
    /// tolerance, if it cannot.
    pub fn hides_share(&self, amplified: f64, tolerance: f64) -> Option<Held> {
        (self.share() * amplified > tolerance).then_some(*self)
    }

    /// Why the mean time that requests spend in a queue at some load cannot be judged to a tolerance, if it cannot: who comes
    /// within a pause waits for half of it on average, and those behind wait for longer by as much as there is load.
    pub fn hides_queueing(&self, load: f64, mean: Duration, tolerance: f64) -> Option<Held> {
        let share = self.longest.as_secs_f64() / self.lasted.as_secs_f64().max(f64::MIN_POSITIVE);
        let added = self.longest.mul_f64(share / 2.0 / (1.0 - load));
        (added > mean.mul_f64(tolerance)).then_some(*self)
    }

    /// Why nothing can be judged that a whole of so long would change, if it cannot.
    pub fn hides_whole(&self, longest: Duration) -> Option<Held> {
        (self.whole() > longest).then_some(*self)
    }
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let share =
            |part: Duration| 100.0 * part.as_secs_f64() / self.lasted.as_secs_f64().max(f64::MIN_POSITIVE);
        let [generator, server, host] = [self.generator, self.server, self.stolen].map(share);
        write!(
            f,
            "without a core were the generator {generator:.2} %, the server {server:.2} %; the host took {host:.2} %"
        )
    }
}

/// Watches a run from its beginning to its end.
pub(super) struct RunWatch {
    begun: Stamp,
    server: Pid,
    server_before: Duration,
    cores: Vec<u32>,
    stolen: Duration,
}

impl RunWatch {
    /// Begins to watch the server's thread, and these cores; all of them if there are none.
    pub(super) fn begin(server: Pid, cores: &[u32]) -> Self {
        let (server_before, stolen) = (run_delay(&own_thread(server)), stolen(cores));
        Self { begun: Stamp::now(), server, server_before, cores: cores.to_vec(), stolen }
    }

    /// Takes note of the end, at which the server still runs. `generator` is how long the generator waited for a core.
    pub(super) fn end(self, generator: Duration) -> Held {
        Held {
            lasted: self.begun.elapsed(),
            generator,
            server: run_delay(&own_thread(self.server)).saturating_sub(self.server_before),
            stolen: stolen(&self.cores).saturating_sub(self.stolen),
            longest: Duration::ZERO,
        }
    }
}

/// Reads how long a thread of this process waited for a core, from where this is made to where it is dropped, both on
/// that thread.
pub(super) struct ThreadWatch {
    before: Duration,
    tell: Sender<Duration>,
}

impl ThreadWatch {
    /// The channel tells when it is over.
    pub(super) fn channel() -> (Sender<Duration>, Receiver<Duration>) {
        channel()
    }

    /// Begins to watch the calling thread.
    pub(super) fn begin(tell: Sender<Duration>) -> Self {
        Self { before: run_delay(&own_thread(gettid())), tell }
    }
}

impl Drop for ThreadWatch {
    fn drop(&mut self) {
        // Nobody listens any more if the run was given up.
        let _ = self.tell.send(run_delay(&own_thread(gettid())).saturating_sub(self.before));
    }
}

fn own_thread(thread: Pid) -> PathBuf {
    PathBuf::from(format!("/proc/self/task/{thread}/schedstat"))
}

/// How long the thread of another process that waited longest was ready but had no core.
pub(super) fn process_delay(process: u32) -> Duration {
    let threads = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    threads.map(|thread| run_delay(&thread.path().join("schedstat"))).max().unwrap_or_default()
}

fn run_delay(schedstat: &std::path::Path) -> Duration {
    fs::read_to_string(schedstat).ok().as_deref().and_then(run_delay_in).unwrap_or_default()
}

/// The second field of `schedstat`: nanoseconds in the queue of a core.
fn run_delay_in(schedstat: &str) -> Option<Duration> {
    schedstat.split_whitespace().nth(1)?.parse().ok().map(Duration::from_nanos)
}

fn stolen(cores: &[u32]) -> Duration {
    stolen_in(&fs::read_to_string("/proc/stat").unwrap_or_default(), cores)
}

/// The eighth number of the line of a core: ticks that the host kept for itself.
fn stolen_in(stat: &str, cores: &[u32]) -> Duration {
    let lines = stat.lines().filter_map(|line| line.strip_prefix("cpu")?.split_once(' '));
    let wanted = lines.filter(|(core, _)| match core.parse::<u32>() {
        Ok(core) => cores.contains(&core),
        // The line for all of them has no number.
        Err(_) => cores.is_empty(),
    });
    let ticks = wanted.filter_map(|(_, numbers)| numbers.split_whitespace().nth(7)?.parse::<u32>().ok());
    TICK * ticks.sum::<u32>()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLISECOND: Duration = Duration::from_millis(1);

    /// A hundredth of it held up, by all three.
    const HELD: Held = Held {
        lasted: Duration::from_secs(3),
        generator: MILLISECOND.saturating_mul(10),
        server: MILLISECOND.saturating_mul(10),
        stolen: MILLISECOND.saturating_mul(10),
        longest: MILLISECOND,
    };

    #[test]
    fn a_quantile_is_judged_where_what_was_held_up_is_rare_or_short_and_nowhere_else() {
        let fit = |held: Held, q, millis: u32, tolerance| {
            held.hides_quantile(q, MILLISECOND * millis, tolerance).is_none()
        };
        assert!(fit(HELD, 0.5, 10, 0.01), "half of all requests were not held up");
        assert!(!fit(HELD, 0.99, 10, 0.02), "a hundredth was");
        assert!(fit(HELD, 0.99, 6_000, 0.01), "but 30 ms are little beside 6 s");
        assert!(!fit(HELD, 0.99, 5_000, 0.01));
        let rarely = Held { lasted: Duration::from_secs(12), ..HELD };
        assert!(fit(rarely, 0.99, 10, 0.02) && !fit(rarely, 0.999, 10, 0.02));
        assert!(!fit(HELD, 0.5, 10, 0.009), "a figure of a percent is not judged where more was held up");
        assert!(HELD.hides_share(1.0, 0.02).is_none() && HELD.hides_share(10.0, 0.02).is_some());
        assert!(HELD.hides_whole(MILLISECOND * 30).is_none() && HELD.hides_whole(MILLISECOND * 29).is_some());
    }

    #[test]
    fn one_long_pause_makes_a_queue_that_many_short_ones_do_not() {
        let judged = |longest, load| {
            Held { longest: MILLISECOND * longest, ..HELD }
                .hides_queueing(load, MILLISECOND * 6, 0.03)
                .is_none()
        };
        // 3,000 ms hold a pause of 20 ms, half of it is 10 ms, 0.067 ms for everybody, twice that at half load.
        assert!(judged(1, 0.5) && judged(20, 0.5));
        assert!(!judged(30, 0.5) && !judged(20, 0.9));
    }

    #[test]
    fn the_kernel_is_read_at_the_right_places() {
        assert_eq!(run_delay_in("1963221 369956 2\n"), Some(Duration::from_nanos(369_956)));
        assert_eq!(run_delay_in(""), None);
        let stat = "cpu  5 5 8 6 3 0 9 7 0 0\ncpu0 1 2 3 4 5 6 7 3 9 10\ncpu1 1 2 3 4 5 6 7 4 9 10\nintr 5\n";
        for (cores, ticks) in [(&[][..], 7), (&[0], 3), (&[1], 4), (&[0, 1], 7), (&[5], 0)] {
            assert_eq!(stolen_in(stat, cores), TICK * ticks, "{cores:?}");
        }
        assert_eq!(stolen_in("", &[0]), Duration::ZERO);
    }

    #[test]
    fn a_thread_tells_how_long_it_waited_when_its_watch_ends() {
        let (tell, told) = ThreadWatch::channel();
        std::thread::spawn(move || drop(ThreadWatch::begin(tell))).join().unwrap();
        assert!(told.recv().unwrap() < Duration::from_secs(1));
        assert!(process_delay(std::process::id()) < Duration::from_hours(1));
    }
}
