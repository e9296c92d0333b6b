//! The watching itself: a thread a core that runs only when nobody else wants to.

use std::hint::spin_loop;
use std::io::{self, Write as _};
use std::thread;

use nix::time::ClockId;
use nix::unistd::Pid;
use thread_priority::{
    NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy, set_thread_priority_and_policy,
    thread_native_id,
};

use crate::testbed::core_watch::{Seen, Task};
use crate::testbed::machine;
use crate::units::Stamp;

/// Readings of the clock further apart than this mean that something ran in between, in nanoseconds.
const SOMETHING: u64 = 1_500;
/// Only so much taken time is a gap, in nanoseconds.
const LEAST: u64 = 5_000;
/// How often it is told that a core was looked at, if there is nothing else to tell, in nanoseconds.
const TELLING: u64 = 2_000_000;

/// Watches every core of `task` for as long as standard output is read.
pub fn watch(task: &Task) -> io::Result<()> {
    let clocks = task.processes.iter().map(|process| clock(*process)).collect::<io::Result<Vec<_>>>()?;
    thread::scope(|scope| {
        let watch = |core: &u32| {
            let (core, clocks, alone) = (*core, &clocks, task.cores.len() == 1);
            scope.spawn(move || watch_core(core, clocks, alone))
        };
        let threads: Vec<_> = task.cores.iter().map(watch).collect();
        threads.into_iter().try_for_each(|thread| thread.join().expect("watching does not panic"))
    })
}

/// The clock of a process: its CPU time, of threads that have ended too.
fn clock(process: u32) -> io::Result<ClockId> {
    let process = i32::try_from(process).map_err(io::Error::other)?;
    Ok(ClockId::pid_cpu_clock_id(Pid::from_raw(process))?)
}

fn watch_core(core: u32, clocks: &[ClockId], alone: bool) -> io::Result<()> {
    machine::pin_thread(&[core]).map_err(io::Error::other)?;
    give_way()?;
    say(Seen { core, until: Stamp::now(), taken: None })?;
    let mut used = used_nanos(clocks)?;
    let mut last = Stamp::now();
    let mut told = last;
    loop {
        spin_loop();
        let now = Stamp::now();
        let away = now.nanos() - last.nanos();
        let mut seen = Seen { core, until: now, taken: None };
        if away >= SOMETHING {
            let used_now = used_nanos(clocks)?;
            // On several cores the servers may have run on another one meanwhile: then at least so much was taken.
            let taken = away.saturating_sub(used_now.saturating_sub(used));
            used = used_now;
            if taken >= LEAST {
                seen.taken = Some(Stamp::from_nanos(now.nanos() - taken));
            }
            last = Stamp::now();
        } else {
            last = now;
            if !alone {
                // What they use while this thread runs must not be held against a gap.
                used = used_nanos(clocks)?;
                last = Stamp::now();
            }
        }
        if seen.taken.is_some() || now.nanos() - told.nanos() >= TELLING {
            say(seen)?;
            told = now;
            // Writing is no gap, and whatever ran meanwhile is not known.
            (used, last) = (used_nanos(clocks)?, Stamp::now());
        }
    }
}

/// Anything that wants the core gets it at once.
fn give_way() -> io::Result<()> {
    let policy = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
    set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, policy)
        .map_err(|error| io::Error::other(format!("{error:?}")))
}

fn used_nanos(clocks: &[ClockId]) -> io::Result<u64> {
    clocks.iter().try_fold(0, |sum, clock| {
        let time = clock.now()?;
        let nanos = time.tv_sec() * 1_000_000_000 + time.tv_nsec();
        Ok(sum + u64::try_from(nanos).expect("CPU time is not negative"))
    })
}

fn say(seen: Seen) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(seen.line().as_bytes())?;
    out.flush()
}
