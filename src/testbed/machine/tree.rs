//! A process with all that it started: who they are, and what they have used up together.
//!
//! A worker that ends takes its own figures with it. What it used is then in those of its parent, which waited for it, and in
//! nobody's if nobody did; so a sum over those who live falls now and then, and one that is kept here does not.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::{fs, io};

use crate::testbed::machine::kernel::kilobytes;
use crate::testbed::machine::usage::cpu_nanos;
use crate::testbed::machine::{ProcessUsage, process_usage};

/// The unit of `/proc/PID/stat` is 10 ms on every platform that Rust runs on (`USER_HZ`, time(7)).
const TICK_NANOS: u64 = 10_000_000;

/// What a sum of user and system time loses when each is rounded down to a tick.
const ROUNDING_NANOS: u64 = 2 * TICK_NANOS;

/// So often a sum is tried during which nobody ends. Children that do nothing are started at some thousands a second.
const TRIES: u32 = 8;

/// A process and its descendants as they come and go.
#[derive(Debug)]
pub struct ProcessTree {
    root: u32,
    known: BTreeMap<u32, Member>,
    /// CPU time of those who ended without anybody's waiting for them, as far as it was seen.
    lost_nanos: u64,
    /// The most that was told: a sum does not fall.
    cpu_nanos: u64,
    peak_bytes: u64,
}

/// A process as it was seen last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Member {
    /// When it began, in ticks since the machine did: a number may be somebody else's later.
    began: u64,
    /// Its own CPU time.
    own_nanos: u64,
    /// That of its descendants that have ended and been waited for.
    waited_nanos: u64,
}

impl ProcessTree {
    /// That of the process `root`.
    pub fn of(root: u32) -> Self {
        Self { root, known: BTreeMap::new(), lost_nanos: 0, cpu_nanos: 0, peak_bytes: 0 }
    }

    /// The process that all of them descend from.
    pub fn root(&self) -> u32 {
        self.root
    }

    /// What all of them have used up since they began: CPU time, which does not fall from one look to the next, memory now and at
    /// most. Of memory that several share each counts its part.
    ///
    /// An error says that the first of them has ended.
    pub fn usage(&mut self) -> io::Result<ProcessUsage> {
        let root = process_usage(self.root)?;
        let members = self.look();
        self.lost_nanos += self.lost(&members);
        let sum: u64 = members.values().map(|member| member.own_nanos + member.waited_nanos).sum();
        self.cpu_nanos = self.cpu_nanos.max(sum + self.lost_nanos);
        let resident_bytes = if members.len() > 1 {
            members.keys().map(|pid| own_bytes(*pid)).sum()
        } else {
            root.resident_bytes
        };
        self.peak_bytes = self.peak_bytes.max(root.peak_bytes).max(resident_bytes);
        self.known = members;
        Ok(ProcessUsage { cpu_nanos: self.cpu_nanos, resident_bytes, peak_bytes: self.peak_bytes })
    }

    /// All of them at one instant, if they let it be: who ends between two readings is in both sums, or in none.
    fn look(&self) -> BTreeMap<u32, Member> {
        let mut members = self.read();
        for _ in 1..TRIES {
            let again = self.read();
            let is_one_instant = members.len() == again.len()
                && members.iter().zip(&again).all(|(before, after)| {
                    before.0 == after.0 && before.1.waited_nanos == after.1.waited_nanos
                });
            members = again;
            if is_one_instant {
                break;
            }
        }
        members
    }

    /// Those who live. Who was known stays so when it is nobody's child any more, as a server that turned itself into a daemon.
    fn read(&self) -> BTreeMap<u32, Member> {
        let still = self
            .known
            .iter()
            .filter(|(pid, known)| Member::read(**pid).is_some_and(|it| it.began == known.began));
        let roots = still.map(|(pid, _)| *pid).chain([self.root]);
        let all = with_descendants(roots.collect());
        all.into_iter().filter_map(|pid| Some((pid, Member::read(pid)?))).collect()
    }

    /// CPU time of those who have ended since the last look and are in no parent's figures.
    fn lost(&self, members: &BTreeMap<u32, Member>) -> u64 {
        let (mut ended, mut waited, mut rounding) = (0, 0, 0);
        for (pid, before) in &self.known {
            match members.get(pid).filter(|member| member.began == before.began) {
                Some(now) => {
                    waited += now.waited_nanos.saturating_sub(before.waited_nanos);
                    rounding += ROUNDING_NANOS;
                }
                None => ended += before.own_nanos + before.waited_nanos,
            }
        }
        // Less than that may be in a parent's figures and not show yet: it will with those who end next.
        if ended > waited + rounding { ended - waited } else { 0 }
    }
}

impl Member {
    /// `None` if it is gone; one that has ended and waits to be waited for still tells.
    fn read(pid: u32) -> Option<Self> {
        let stat = Stat::read(pid)?;
        let own_nanos = cpu_nanos(pid).unwrap_or(stat.own_ticks * TICK_NANOS);
        Some(Self { began: stat.began, own_nanos, waited_nanos: stat.waited_ticks * TICK_NANOS })
    }
}

/// Some of `/proc/PID/stat` (proc(5)).
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    state: char,
    own_ticks: u64,
    waited_ticks: u64,
    began: u64,
}

impl Stat {
    fn read(pid: u32) -> Option<Self> {
        Self::parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    fn parse(text: &str) -> Option<Self> {
        // The second field is the name of the program, which may have anything in it.
        let (_, behind_name) = text.rsplit_once(')')?;
        let fields: Vec<&str> = behind_name.split_whitespace().collect();
        // By its number in the manual, where the state is the third.
        let field = |number: usize| fields.get(number - 3).copied();
        let ticks = |number| field(number)?.parse::<u64>().ok();
        Some(Self {
            state: field(3)?.chars().next()?,
            own_ticks: ticks(14)? + ticks(15)?,
            waited_ticks: ticks(16)? + ticks(17)?,
            began: ticks(22)?,
        })
    }
}

/// The processes that `root` started, and those that they did, as far as they live.
pub fn descendants(root: u32) -> Vec<u32> {
    let mut all = with_descendants(vec![root]);
    all.remove(0);
    all
}

/// Whether a process has ended, waited for or not.
pub fn has_ended(pid: u32) -> bool {
    Stat::read(pid).is_none_or(|stat| matches!(stat.state, 'Z' | 'X'))
}

/// `processes` in their order, and behind them whom they started.
fn with_descendants(mut processes: Vec<u32>) -> Vec<u32> {
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

/// Memory of one of several: pages that it shares with others count by its part in them, as after a fork. 0 of one that has ended.
fn own_bytes(pid: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"));
    let proportional = text.ok().and_then(|text| kilobytes(&text, "Pss:"));
    proportional.or_else(|| Some(process_usage(pid).ok()?.resident_bytes)).unwrap_or(0)
}
