//! A process with all that it started: who they are, and what they have used up together.
//!
//! A worker that ends takes its own figures with it. What it used is then in those of its parent, which waited for it, and in
//! nobody's if nobody did; so a sum over those who live falls now and then, and one that is kept here does not.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::{fs, io};

use crate::testbed::machine::kernel::kilobytes;
use crate::testbed::machine::process_table::{Stat, with_descendants};
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
    /// Who waits for it when it ends.
    parent: u32,
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
        self.lost_nanos += lost_nanos(&self.known, &members);
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
}

impl Member {
    /// `None` if it is gone; one that has ended and waits to be waited for still tells.
    fn read(pid: u32) -> Option<Self> {
        let stat = Stat::read(pid)?;
        let own_nanos = cpu_nanos(pid).unwrap_or(stat.own_ticks * TICK_NANOS);
        let waited_nanos = stat.waited_ticks * TICK_NANOS;
        Some(Self { began: stat.began, parent: stat.parent, own_nanos, waited_nanos })
    }
}

/// CPU time of those who have ended since a look and are in no parent's figures.
fn lost_nanos(known: &BTreeMap<u32, Member>, members: &BTreeMap<u32, Member>) -> u64 {
    let lives = |pid: u32, before: &Member| members.get(&pid).is_some_and(|now| now.began == before.began);
    let mut ended: BTreeMap<u32, u64> = BTreeMap::new();
    for (pid, before) in known {
        if !lives(*pid, before) {
            *ended.entry(heir(known, before, lives)).or_default() += before.own_nanos + before.waited_nanos;
        }
    }
    let lost = |(heir, ended): (u32, u64)| {
        // The child of nobody in the tree.
        let Some((before, now)) = known.get(&heir).zip(members.get(&heir)) else { return ended };
        let waited = now.waited_nanos.saturating_sub(before.waited_nanos);
        // Less than the rounding may be in its figures and not show yet: it will with those who end next.
        if ended > waited + ROUNDING_NANOS { ended - waited } else { 0 }
    };
    ended.into_iter().map(lost).sum()
}

/// Who has the figures of one that has ended, if anybody: its parent, or, if that has ended too, whoever waited for that.
fn heir(known: &BTreeMap<u32, Member>, ended: &Member, lives: impl Fn(u32, &Member) -> bool) -> u32 {
    let mut heir = ended.parent;
    // They were not read at one instant: numbers that are used again might lead round in a circle.
    for _ in known {
        let Some(parent) = known.get(&heir).filter(|parent| !lives(heir, parent)) else { break };
        heir = parent.parent;
    }
    heir
}

/// Memory of one of several: pages that it shares with others count by its part in them, as after a fork. 0 of one that has ended.
fn own_bytes(pid: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"));
    let proportional = text.ok().and_then(|text| kilobytes(&text, "Pss:"));
    proportional.or_else(|| Some(process_usage(pid).ok()?.resident_bytes)).unwrap_or(0)
}
