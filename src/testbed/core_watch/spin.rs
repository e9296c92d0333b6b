//! The watching itself: a thread a core that runs only when nobody else wants to.

use std::hint::spin_loop;
use std::io::{self, BufRead as _, Write as _};
use std::process;
use std::sync::Arc;
use std::thread;

use rustix::time::clock_gettime;
use thread_priority::{
    NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy, set_thread_priority_and_policy,
    thread_native_id,
};

use crate::testbed::core_watch::rightful::{Rightful, Used};
use crate::testbed::core_watch::{Seen, Task};
use crate::testbed::machine;
use crate::units::Stamp;

/// Readings of the clock further apart than this mean that something ran in between, in nanoseconds.
const SOMETHING: u64 = 1_500;
/// Only so much taken time is a gap, in nanoseconds.
const LEAST: u64 = 5_000;
/// Pauses of the processor between two readings, a microsecond or less in all: the generator may run on the other half of a core
/// that both share.
const PAUSES: u32 = 16;
/// Looking who ran takes a system call for each process, and no longer than this unless something runs meanwhile.
const LOOKING: u64 = 10_000;
/// How often it is told what was seen, in nanoseconds: whoever hears it runs on these cores too.
const TELLING: u64 = 20_000_000;

/// Watches every core of `task` for as long as standard output is read. Each further line of standard input is a list of the processes
/// that have a right to the cores from then on; the process ends with standard input, as its parent does.
pub fn watch(task: &Task) -> io::Result<()> {
    let rightful = Arc::new(Rightful::new(task.processes.clone()));
    let told = Arc::clone(&rightful);
    thread::spawn(move || {
        for line in io::stdin().lock().lines().map_while(Result::ok) {
            let Ok(processes) = serde_json::from_str(&line) else { break };
            told.replace(processes);
        }
        process::exit(1);
    });
    thread::scope(|scope| {
        let watch = |core: &u32| {
            let (core, rightful, alone) = (*core, &rightful, task.cores.len() == 1);
            scope.spawn(move || watch_core(core, rightful, alone))
        };
        let threads: Vec<_> = task.cores.iter().map(watch).collect();
        threads.into_iter().try_for_each(|thread| thread.join().expect("watching does not panic"))
    })
}

/// Where in the time that this thread was away a gap lies nobody sees. If it is most of that time, it began it: a server that
/// runs is short beside it, and what it does afterwards is work off what the gap left. A gap that began later than
/// it did would count requests as followed while nobody served them, and make a latency longer than it is. If a gap is
/// the smaller part, the servers are busy whatever happens, and it is laid at the end.
fn watch_core(core: u32, rightful: &Rightful, alone: bool) -> io::Result<()> {
    machine::pin_thread(&[core]).map_err(io::Error::other)?;
    give_way()?;
    let mut seen = Vec::new();
    tell(core, &mut seen, Stamp::now())?;
    let mut used = Used::default();
    used.look(rightful);
    let mut last = Stamp::now();
    let mut told = last;
    loop {
        (0..PAUSES).for_each(|_| spin_loop());
        let now = Stamp::now();
        let away = now.nanos().saturating_sub(last.nanos());
        last = now;
        // On several cores the servers run elsewhere while this thread does: what they use then must not hide a gap.
        if away >= SOMETHING || !alone {
            // The servers may have run on another core during the gap as well: then at least so much was taken.
            let taken = away.saturating_sub(used.look(rightful));
            if taken >= LEAST {
                let since = if taken * 2 >= away { away } else { taken };
                seen.push(Seen { core, until: now, taken: Some(Stamp::from_nanos(now.nanos() - since)) });
            }
            last = after(now);
        }
        if now.nanos() - told.nanos() >= TELLING {
            let before = own_nanos();
            tell(core, &mut seen, now)?;
            told = now;
            // What this thread itself used to tell it is no gap; whatever else ran meanwhile is one.
            last = Stamp::from_nanos(now.nanos() + own_nanos().saturating_sub(before));
        }
    }
}

/// When looking was over that began at an instant: what ran meanwhile is left for the next look.
fn after(begun: Stamp) -> Stamp {
    let now = Stamp::now();
    if now.nanos() - begun.nanos() < LOOKING { now } else { begun }
}

/// Anything that wants the core gets it at once.
fn give_way() -> io::Result<()> {
    let policy = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
    set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, policy)
        .map_err(|error| io::Error::other(format!("{error:?}")))
}

/// CPU time of this thread.
fn own_nanos() -> u64 {
    let time = clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    u64::try_from(time.tv_sec * 1_000_000_000 + time.tv_nsec).expect("CPU time is not negative")
}

/// Tells everything that was seen, and until when.
fn tell(core: u32, seen: &mut Vec<Seen>, until: Stamp) -> io::Result<()> {
    seen.push(Seen { core, until, taken: None });
    let lines: String = seen.drain(..).map(Seen::line).collect();
    let mut out = io::stdout().lock();
    out.write_all(lines.as_bytes())?;
    out.flush()
}
