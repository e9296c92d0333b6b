//! Whether the machine was fit for a run whose times are judged.
//!
//! On a virtual machine whose host is busy, a thread that is due gets its core late. The generator then
//! reports what is true of the machine and not of the server, and no bound on the generator says anything.
//! So every run that is judged by times is watched, and whether it counts is decided by what the machine
//! did, **never by what the generator reported** (rule 4 of the method: nothing is discarded by result):
//!
//! - `/proc/stat` tells how long the host kept the cores for itself, on average over the cores, and
//!   `schedstat` how long the generator's and the server's threads were ready but had no core. A thread
//!   that is held up for a share of the time makes a duration longer by about that share of it: both
//!   shares together, of the thread that waited more, may not exceed the tolerance of the test, 3 % for 3 %.
//! - Shares do not tell one long pause at the worst instant, say when a stall ends, from many short ones.
//!   A thread on every core therefore sleeps a millisecond at a time, and the server compares every sleep
//!   of its own with what it asked for. The latest awakening may not be later than the tolerance times the
//!   shortest time that is judged: 9 ms for 3 % of 300 ms.
//!
//! A run on an unfit machine is repeated, and ends as soon as one awakening was too late. If none of five was
//! fit, the test says so and judges nothing: it could only repeat what is known of the machine. The first fit
//! run is judged by the full bounds, and there is no second chance. A generator that is late by itself, because
//! it waits, blocks or counts from the wrong instant, moves none of these numbers and cannot hide behind them.
//! One that keeps a core busy for milliseconds on end can: it makes the watcher of that core late.

use std::io::{Write as _, stderr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, available_parallelism, sleep, spawn};
use std::time::{Duration, Instant};
use std::{fmt, fs};

use bearerbench::units::Stamp;
use rustix::thread::{CpuSet, Pid, sched_setaffinity};

/// How often a test is tried: enough for a machine that is quiet now and then.
const RUNS: u32 = 5;
/// After this long no further run is begun: a machine so slow will not become fit.
const ENOUGH: Duration = Duration::from_secs(30);
/// How long a watcher sleeps at a time: short beside what it looks for, and 1 % of a core.
const NAP: Duration = Duration::from_millis(1);
/// The unit of `/proc/stat` on every machine this program is built for.
const TICK: Duration = Duration::from_millis(10);

/// What a test claims.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Claim {
    /// How far from the truth a time may be, as a share of it.
    pub(crate) tolerance: f64,
    /// The shortest time that is compared with the truth.
    pub(crate) shortest: Duration,
}

impl Claim {
    /// How late a single awakening may be.
    fn latest(self) -> Duration {
        self.shortest.mul_f64(self.tolerance)
    }
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (percent, late) = (100.0 * self.tolerance, 1e3 * self.latest().as_secs_f64());
        write!(f, "{percent} % (stolen and waiting at most {percent} %, latest awakening {late:.1} ms)")
    }
}

/// What the machine did during a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    /// How long the run lasted.
    lasted: Duration,
    /// How long the host kept a core for itself, on average over the cores.
    stolen: Duration,
    /// How long a thread was ready but had no core, of the thread for which that was longest.
    delayed: Duration,
    /// How late the latest awakening was.
    latest: Duration,
}

impl Seen {
    /// Whether a run on this machine can prove or disprove a claim.
    fn is_fit_for(&self, claim: Claim) -> bool {
        let held_up = (self.stolen + self.delayed).as_secs_f64();
        held_up <= claim.tolerance * self.lasted.as_secs_f64() && self.latest <= claim.latest()
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let share = |part: Duration| 100.0 * part.as_secs_f64() / self.lasted.as_secs_f64();
        write!(
            f,
            "{:.1} % stolen, {:.1} % waiting for a core, latest awakening {:.1} ms",
            share(self.stolen),
            share(self.delayed),
            1e3 * self.latest.as_secs_f64()
        )
    }
}

/// The outcome of the first run for which the machine was fit. `None`, and a word on why, if there was none.
pub(crate) fn first_fit<T>(claim: Claim, run: impl FnMut() -> (T, Seen)) -> Option<T> {
    match tried(claim, run) {
        Ok((outcome, seen)) => {
            // For whoever reads that the claim was disproved nevertheless.
            eprintln!("judged: {seen}");
            Some(outcome)
        }
        Err(seen) => {
            let seen: Vec<_> = seen.iter().map(Seen::to_string).collect();
            // Past the harness, which shows only what a failed test prints.
            let _ = writeln!(
                stderr().lock(),
                "not judged: the machine was unfit for {claim}: {}",
                seen.join("; ")
            );
            None
        }
    }
}

/// The first run for which the machine was fit, or what it was like in every run.
fn tried<T>(claim: Claim, mut run: impl FnMut() -> (T, Seen)) -> Result<(T, Seen), Vec<Seen>> {
    let mut unfit = Vec::new();
    let begun = Instant::now();
    while unfit.len() < RUNS as usize && begun.elapsed() < ENOUGH {
        let (outcome, seen) = run();
        if seen.is_fit_for(claim) {
            return Ok((outcome, seen));
        }
        unfit.push(seen);
    }
    Err(unfit)
}

/// Watches the machine from its beginning to its end.
pub(crate) struct Watch {
    begun: Stamp,
    stolen: Duration,
    threads: Vec<(Pid, Duration)>,
    over: Arc<AtomicBool>,
    watchers: Vec<JoinHandle<Duration>>,
}

impl Watch {
    /// Begins to watch the machine and these threads of this process. As soon as the machine is unfit for a
    /// claim by a single awakening, the rest of the run is not worth its time, and `unfit` is set.
    pub(crate) fn begin(threads: &[Pid], claim: Claim, unfit: &Arc<AtomicBool>) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let watchers = (0..cores()).map(|core| {
            let (over, unfit) = (Arc::clone(&over), Arc::clone(unfit));
            spawn(move || latest_awakening(core, &over, claim.latest(), &unfit))
        });
        Self {
            watchers: watchers.collect(),
            threads: threads.iter().map(|thread| (*thread, run_delay(*thread))).collect(),
            stolen: stolen(),
            begun: Stamp::now(),
            over,
        }
    }

    /// What was seen, and how late the server was by its own account.
    pub(crate) fn end(self, server_late: Duration) -> Seen {
        let lasted = Duration::from_nanos(Stamp::now().offset(self.begun).nanos());
        let delays =
            self.threads.into_iter().map(|(thread, before)| run_delay(thread).saturating_sub(before));
        let delayed = delays.max().unwrap_or_default();
        let cores = u32::try_from(cores()).expect("fewer cores than 2^32");
        let stolen = stolen().saturating_sub(self.stolen) / cores;
        self.over.store(true, Ordering::Relaxed);
        let awakenings = self.watchers.into_iter().map(|watcher| watcher.join().expect("it only sleeps"));
        Seen { lasted, stolen, delayed, latest: awakenings.fold(server_late, Duration::max) }
    }
}

fn cores() -> usize {
    available_parallelism().expect("the kernel counts its cores").get()
}

fn latest_awakening(core: usize, over: &AtomicBool, allowed: Duration, unfit: &AtomicBool) -> Duration {
    let mut only = CpuSet::new();
    only.set(core);
    // Where the core is not ours to choose, it watches whichever it gets.
    let _ = sched_setaffinity(None, &only);
    let mut latest = Duration::ZERO;
    while !over.load(Ordering::Relaxed) {
        let asleep = Stamp::now();
        sleep(NAP);
        let slept = Duration::from_nanos(Stamp::now().offset(asleep).nanos());
        latest = latest.max(slept.saturating_sub(NAP));
        if latest > allowed {
            unfit.store(true, Ordering::Relaxed);
        }
    }
    latest
}

/// How long a thread of this process was ready but had no core.
fn run_delay(thread: Pid) -> Duration {
    let text = fs::read_to_string(format!("/proc/self/task/{thread}/schedstat")).unwrap_or_default();
    run_delay_in(&text).unwrap_or_default()
}

/// The second field of `schedstat`: nanoseconds in the queue of a core.
fn run_delay_in(schedstat: &str) -> Option<Duration> {
    schedstat.split_whitespace().nth(1)?.parse().ok().map(Duration::from_nanos)
}

/// How long the host kept the cores of this machine for itself, the sum over the cores.
fn stolen() -> Duration {
    stolen_in(&fs::read_to_string("/proc/stat").unwrap_or_default()).unwrap_or_default()
}

/// The eighth number of the first line of `/proc/stat`, the one for all cores.
fn stolen_in(stat: &str) -> Option<Duration> {
    let ticks: u32 = stat.lines().next()?.strip_prefix("cpu ")?.split_whitespace().nth(7)?.parse().ok()?;
    Some(TICK * ticks)
}

const CLAIM: Claim = Claim { tolerance: 0.03, shortest: Duration::from_millis(300) };
/// At the very limits of the claim: 3 % of 2 s, and 3 % of 300 ms.
const BARELY_FIT: Seen = Seen {
    lasted: Duration::from_secs(2),
    stolen: Duration::from_millis(20),
    delayed: Duration::from_millis(40),
    latest: Duration::from_millis(9),
};

#[test]
fn a_machine_is_fit_up_to_the_bound_under_test_and_no_further() {
    let fit = |seen: Seen| seen.is_fit_for(CLAIM);
    let (quiet, more) = (Duration::ZERO, Duration::from_micros(100));
    assert!(fit(BARELY_FIT));
    assert!(fit(Seen { stolen: quiet, delayed: quiet, latest: quiet, ..BARELY_FIT }));
    assert!(!fit(Seen { stolen: BARELY_FIT.stolen + more, ..BARELY_FIT }));
    assert!(!fit(Seen { delayed: BARELY_FIT.delayed + more, ..BARELY_FIT }));
    assert!(!fit(Seen { latest: BARELY_FIT.latest + more, ..BARELY_FIT }));
    assert!(BARELY_FIT.is_fit_for(Claim { tolerance: 0.05, ..CLAIM }));
    assert!(!BARELY_FIT.is_fit_for(Claim { shortest: Duration::from_millis(200), ..CLAIM }));
}

#[test]
fn the_first_fit_run_counts_and_five_unfit_ones_are_enough() {
    let unfit = Seen { latest: Duration::from_secs(1), ..BARELY_FIT };
    let runs_until = |fit_run: u32| {
        let mut runs = 0;
        let counted = tried(CLAIM, || {
            runs += 1;
            (runs, if runs == fit_run { BARELY_FIT } else { unfit })
        });
        (counted.ok().map(|(run, _)| run), runs)
    };
    assert_eq!(runs_until(1), (Some(1), 1));
    assert_eq!(runs_until(5), (Some(5), 5));
    assert_eq!(runs_until(6), (None, 5));
}

#[test]
fn the_kernel_is_read_at_the_right_places() {
    assert_eq!(run_delay_in("1963221 369956 2\n"), Some(Duration::from_nanos(369_956)));
    assert_eq!(run_delay_in(""), None);
    let stat = "cpu  531802 54265 86833 666290 3977 0 9989 66474 0 0\ncpu0 1 2 3 4 5 6 7 8 9 10\n";
    assert_eq!(stolen_in(stat), Some(Duration::from_millis(664_740)));
    assert_eq!(stolen_in("cpu  1 2 3 4\n"), None);
}
