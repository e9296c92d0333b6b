//! Which cores this process may use, and on which a thread runs.

use std::sync::OnceLock;
use std::{io, thread};

use rustix::thread::{CpuSet, Pid, sched_getaffinity, sched_setaffinity};

/// The cores this process may use, in order, as they were when this was first asked:
/// a thread that is pinned later, and what it starts, sees fewer.
pub fn available_cores() -> Vec<u32> {
    static AVAILABLE: OnceLock<Vec<u32>> = OnceLock::new();
    AVAILABLE.get_or_init(|| affinity(None).unwrap_or_else(|_| as_many_as_run_in_parallel())).clone()
}

/// A wish for cores that the system did not fulfil.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot run on cores {wanted:?}; this process may use {available:?}: choose among those, or give it more \
     (`taskset`, or the cpuset of its container)"
)]
pub struct PinError {
    wanted: Vec<u32>,
    available: Vec<u32>,
    source: io::Error,
}

/// Lets the calling thread run on `cores` alone, and every thread or process that it starts from now on.
pub fn pin_thread(cores: &[u32]) -> Result<(), PinError> {
    // Asked before the mask changes, so that the answer stays the one for the whole process.
    let available = available_cores();
    pin(None, cores).map_err(|source| PinError { wanted: cores.to_vec(), available, source })
}

/// Does `start` while the calling thread may run on `cores` alone, so that a process that it starts may too; on every core of the thread
/// if there is none in `cores`.
pub fn on_cores<T>(cores: &[u32], start: impl FnOnce() -> T) -> Result<T, PinError> {
    if cores.is_empty() {
        return Ok(start());
    }
    let wanted =
        |cores: Vec<u32>| move |source| PinError { wanted: cores, available: available_cores(), source };
    let before = affinity(None).map_err(wanted(cores.to_vec()))?;
    pin_thread(cores)?;
    let started = start();
    pin(None, &before).map_err(wanted(before.clone()))?;
    Ok(started)
}

fn pin(thread: Option<Pid>, cores: &[u32]) -> io::Result<()> {
    let mut set = CpuSet::new();
    for core in cores {
        let index = usize::try_from(*core).expect("a core's number fits the word of the machine");
        if index >= CpuSet::MAX_CPU {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("there is no core {core}")));
        }
        set.set(index);
    }
    sched_setaffinity(thread, &set)?;
    // The kernel quietly leaves out cores that the process may not use.
    let given = affinity(thread)?;
    let missing = cores.iter().find(|core| !given.contains(core));
    missing.map_or(Ok(()), |core| {
        Err(io::Error::new(io::ErrorKind::InvalidInput, format!("core {core} was not given")))
    })
}

fn affinity(thread: Option<Pid>) -> io::Result<Vec<u32>> {
    let set = sched_getaffinity(thread)?;
    let cores = (0..CpuSet::MAX_CPU).filter(|core| set.is_set(*core));
    Ok(cores.map(|core| u32::try_from(core).expect("a mask has 1,024 bits")).collect())
}

/// For a machine with more cores than the mask has bits, where its cores cannot be told one by one.
fn as_many_as_run_in_parallel() -> Vec<u32> {
    let count = thread::available_parallelism().map_or(1, usize::from);
    (0..u32::try_from(count).expect("fewer than four billion cores")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pinned_thread_runs_where_it_was_put_and_the_process_still_knows_every_core() {
        let all = available_cores();
        let last = *all.last().unwrap();
        thread::spawn(move || {
            pin_thread(&[last]).unwrap();
            assert_eq!(affinity(None).unwrap(), [last]);
            assert_eq!(available_cores(), all);
        })
        .join()
        .unwrap();
    }

    #[test]
    fn what_is_started_on_cores_stays_there_and_the_thread_does_not() {
        let all = available_cores();
        let last = *all.last().unwrap();
        let during = on_cores(&[last], || affinity(None).unwrap()).unwrap();
        assert_eq!(during, [last]);
        assert_eq!(affinity(None).unwrap(), all);
        assert_eq!(on_cores(&[], || affinity(None).unwrap()).unwrap(), all);
        on_cores(&[1_000], || panic!("nothing is started elsewhere")).unwrap_err();
    }

    #[test]
    fn a_core_that_does_not_exist_is_refused_even_beside_one_that_does() {
        let first = available_cores()[0];
        let error = thread::spawn(move || pin_thread(&[first, 1_000]).unwrap_err()).join().unwrap();
        assert!(error.to_string().starts_with(&format!("cannot run on cores [{first}, 1000]; this process")));
        let error = pin_thread(&[4_000_000]).unwrap_err();
        assert!(error.to_string().contains("[4000000]"), "{error}");
    }
}
