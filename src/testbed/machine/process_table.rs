//! Processes as the kernel lists them: who they are, whom they started, and whether they live.

use std::collections::BTreeSet;
use std::{fs, io};

use rustix::io::Errno;

/// A process, told from a later one that is given the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProcessId {
    /// Its number.
    pub pid: u32,
    /// When it began, in ticks since the machine did.
    pub began: u64,
}

impl ProcessId {
    /// Whether it has ended, waited for or not.
    pub fn has_ended(self) -> bool {
        ended_or(self.pid, |stat| stat.began != self.began)
    }
}

/// Whether a process has ended, waited for or not.
pub fn has_ended(pid: u32) -> bool {
    ended_or(pid, |_| false)
}

/// Who cannot be looked at, as where no more files can be opened, may live.
fn ended_or(pid: u32, is_another: impl Fn(&Stat) -> bool) -> bool {
    match Stat::look_up(pid) {
        Ok(Some(stat)) => stat.has_ended() || is_another(&stat),
        Ok(None) => true,
        Err(_) => false,
    }
}

/// Some of `/proc/PID/stat` (proc(5)).
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stat {
    pub(super) state: char,
    pub(super) parent: u32,
    pub(super) group: u32,
    pub(super) own_ticks: u64,
    pub(super) waited_ticks: u64,
    pub(super) began: u64,
}

impl Stat {
    /// `None` if there is none that can be read.
    pub(super) fn read(pid: u32) -> Option<Self> {
        Self::look_up(pid).ok().flatten()
    }

    /// `None` if there is no such process.
    fn look_up(pid: u32) -> io::Result<Option<Self>> {
        match fs::read_to_string(format!("/proc/{pid}/stat")) {
            Ok(text) => Self::parse(&text).map(Some).ok_or_else(|| io::ErrorKind::InvalidData.into()),
            Err(error) if says_gone(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        // The second field is the name of the program, which may have anything in it.
        let (_, behind_name) = text.rsplit_once(')')?;
        let fields: Vec<&str> = behind_name.split_whitespace().collect();
        // By its number in the manual, where the state is the third.
        let field = |number: usize| fields.get(number - 3).copied();
        let ticks = |number| field(number)?.parse::<u64>().ok();
        Some(Self {
            state: field(3)?.chars().next()?,
            parent: field(4)?.parse().ok()?,
            group: field(5)?.parse().ok()?,
            own_ticks: ticks(14)? + ticks(15)?,
            waited_ticks: ticks(16)? + ticks(17)?,
            began: ticks(22)?,
        })
    }

    fn has_ended(&self) -> bool {
        matches!(self.state, 'Z' | 'X')
    }
}

/// A file of a process that ends while it is read says the second.
fn says_gone(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound || Errno::from_io_error(error) == Some(Errno::SRCH)
}

/// The processes that `root` started, and those that they did, as far as they live.
pub fn descendants(root: u32) -> Vec<u32> {
    let mut all = with_descendants(vec![root]);
    all.remove(0);
    all
}

/// Who lives of the process group `group`, of those who are `known`, and of all whom they started.
pub fn relatives(group: u32, known: &BTreeSet<ProcessId>) -> BTreeSet<ProcessId> {
    let still = known.iter().filter(|process| !process.has_ended()).map(|process| process.pid);
    let roots: BTreeSet<u32> = members(group).into_iter().chain(still).chain([group]).collect();
    let mut relatives = BTreeSet::new();
    for pid in with_descendants(roots.into_iter().collect()) {
        if let Some(stat) = Stat::read(pid).filter(|stat| !stat.has_ended()) {
            relatives.insert(ProcessId { pid, began: stat.began });
        }
    }
    relatives
}

/// Those of a process group: also those whose parent has ended, and who are nobody's descendants any more.
fn members(group: u32) -> Vec<u32> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    pids.filter(|pid| Stat::read(*pid).is_some_and(|stat| stat.group == group)).collect()
}

/// `processes` in their order, and behind them whom they started.
pub(super) fn with_descendants(mut processes: Vec<u32>) -> Vec<u32> {
    let mut looked_at = 0;
    while let Some(parent) = processes.get(looked_at) {
        for child in children(*parent) {
            if !processes.contains(&child) {
                processes.push(child);
            }
        }
        looked_at += 1;
    }
    processes
}

/// Every thread has children of its own.
fn children(pid: u32) -> Vec<u32> {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    let lists = threads.filter_map(|thread| fs::read_to_string(thread.ok()?.path().join("children")).ok());
    lists
        .flat_map(|list| list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figures_of_a_process_stand_behind_a_name_that_may_be_anything() {
        let text = "7 (a) R (b) S 1 6 7 0 -1 4194560 1 2 3 4 10 20 30 40 20 0 1 0 12345 1 2";
        let stat = Stat { state: 'S', parent: 1, group: 6, own_ticks: 30, waited_ticks: 70, began: 12_345 };
        assert_eq!(Stat::parse(text), Some(stat));
        assert_eq!(Stat::parse("7 (sh) S 1"), None);
    }

    #[test]
    fn a_process_has_ended_if_it_is_not_there_and_not_if_it_cannot_be_looked_at() {
        assert!(has_ended(u32::MAX) && !has_ended(std::process::id()));
        for (errno, is_gone) in
            [(Errno::NOENT, true), (Errno::SRCH, true), (Errno::MFILE, false), (Errno::ACCESS, false)]
        {
            assert_eq!(says_gone(&errno.into()), is_gone, "{errno}");
        }
    }

    #[test]
    fn a_process_that_was_given_the_number_of_another_is_not_that_one() {
        let pid = std::process::id();
        let began = Stat::read(pid).unwrap().began;
        assert!(!ProcessId { pid, began }.has_ended());
        assert!(ProcessId { pid, began: began - 1 }.has_ended());
    }
}
