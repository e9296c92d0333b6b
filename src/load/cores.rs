//! On which cores the threads of the generator run.

use std::io;

use rustix::io::Errno;
use rustix::process::setpriority_process;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use crate::load::LoadError;

/// The niceness of a thread that gives way to servers, but still has a tenth of a core that they fill: seconds must not pile up.
const LAST: i32 = 10;

/// Binds the calling thread to a core of its own. It keeps the niceness it was given. The kernel weighs a group of processes (a session,
/// a control group) on each core by what its threads there weigh beside its threads elsewhere, so that a generator with niceness -20
/// leaves the servers, on their cores, a hundredth of what a busy process of somebody else's gets.
pub(super) fn own(core: u32) -> Result<(), LoadError> {
    let failed = |source: Errno| LoadError::Core { core, source: source.into() };
    let index = index(core).ok_or_else(|| failed(Errno::INVAL))?;
    let mut cores = CpuSet::new();
    cores.set(index);
    sched_setaffinity(None, &cores).map_err(failed)
}

/// Takes the calling thread off the cores of generators, whose requests would wait for it some milliseconds at a time,
/// and has it give way to servers on the others. Stays where it is on a machine without others.
pub(super) fn stand_aside(generators: &[u32]) -> io::Result<()> {
    setpriority_process(None, LAST)?;
    keep_off(generators)
}

/// Takes the calling thread off the cores of generators. Stays where it is on a machine without others.
pub fn keep_off(generators: &[u32]) -> io::Result<()> {
    let mut cores = sched_getaffinity(None)?;
    generators.iter().filter_map(|core| index(*core)).for_each(|core| cores.unset(core));
    if cores.count() > 0 {
        sched_setaffinity(None, &cores)?;
    }
    Ok(())
}

fn index(core: u32) -> Option<usize> {
    usize::try_from(core).ok().filter(|index| *index < CpuSet::MAX_CPU)
}

#[cfg(test)]
mod tests {
    use std::thread;

    use rustix::process::getpriority_process;

    use super::*;

    fn cores() -> Vec<u32> {
        let set = sched_getaffinity(None).unwrap();
        (0..CpuSet::MAX_CPU)
            .filter(|core| set.is_set(*core))
            .map(|core| u32::try_from(core).unwrap())
            .collect()
    }

    #[test]
    fn a_thread_that_stands_aside_leaves_the_generators_cores_unless_there_are_no_others() {
        let all = cores();
        let (last, others) = all.split_last().unwrap();
        let after = |generators: Vec<u32>| {
            let aside = thread::spawn(move || stand_aside(&generators).map(|()| cores()));
            aside.join().unwrap().unwrap()
        };
        assert_eq!(after(vec![*last]), if others.is_empty() { vec![*last] } else { others.to_vec() });
        assert_eq!(after(all.clone()), all);
        assert_eq!(after(vec![4_000_000]), all);
    }

    #[test]
    fn a_thread_with_a_core_of_its_own_weighs_no_more_than_the_servers() {
        let core = cores()[0];
        let niceness = || getpriority_process(None).unwrap();
        let before = niceness();
        let bound = thread::spawn(move || own(core).map(|()| (niceness(), cores())));
        assert_eq!(bound.join().unwrap().unwrap(), (before, vec![core]));
    }

    #[test]
    fn a_core_that_no_machine_has_is_refused() {
        assert!(matches!(own(4_000_000), Err(LoadError::Core { core: 4_000_000, .. })));
    }
}
