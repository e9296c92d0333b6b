//! The processes of a trial: what each had used up and counted, whenever it was looked at.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::Offset;

/// A server of a trial, or its load generator: a process with those that it started, unless several servers share it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Node {
    /// What messages call it.
    pub name: String,
    /// What it does.
    pub role: Role,
    /// How many nodes a request passes before it: 0 for one that clients reach.
    pub hop: u8,
    /// The node whose process it is in, which tells of CPU time and memory of them all; absent for one that has a process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process_of: Option<String>,
    /// Bytes resident before the tokens of the trial were issued: of a program that keeps them. Absent where nobody has looked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resident_before_tokens: Option<u64>,
    /// In order: the first when the measured window begins, the last when it ends, one about every second in between. All nodes are looked at
    /// by one clock, and one that is down is not looked at.
    pub looks: Vec<Look>,
}

/// What a node does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// It sends requests: the load generator, all its threads.
    Client,
    /// It issues tokens.
    AuthorizationServer,
    /// It decides on tokens, and passes requests on.
    Gateway,
    /// It decides on tokens, and answers.
    ResourceServer,
    /// It keeps tokens.
    Store,
    /// It carries revocations.
    Broker,
    /// It is somebody else's.
    Foreign,
}

/// Cumulative figures of a node at an instant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Look {
    /// When.
    pub at: Offset,
    /// Its process: another one has begun to count anew. Absent in recordings before version 4.
    pub pid: Option<u32>,
    /// Nanoseconds of CPU time, user and system, since it began; 0 where another node tells that of the process.
    pub cpu_nanos: u64,
    /// Bytes resident now.
    pub resident_bytes: u64,
    /// The most bytes ever resident.
    pub peak_bytes: u64,
    /// What it has counted since it began, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub counters: BTreeMap<String, u64>,
}

impl Role {
    /// Whether it decides on tokens.
    pub fn enforces(self) -> bool {
        matches!(self, Self::Gateway | Self::ResourceServer)
    }
}

impl Look {
    /// What it has counted under a name; 0 if it does not count that.
    pub fn counter(&self, name: &str) -> u64 {
        self.counters.get(name).copied().unwrap_or(0)
    }

    /// What was counted since a look before, by any of the numbers in it. A process that was started in between counts from its beginning.
    pub fn since(&self, before: &Self, of: impl Fn(&Self) -> u64) -> u64 {
        let begin = if self.pid == before.pid { of(before) } else { 0 };
        of(self).saturating_sub(begin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_was_started_again_counts_from_its_beginning() {
        let look = |pid, count| Look {
            at: Offset::default(),
            pid,
            cpu_nanos: 0,
            resident_bytes: 0,
            peak_bytes: 0,
            counters: BTreeMap::from([("requests".to_owned(), count)]),
        };
        let more = |after: Look, before: Look| after.since(&before, |look| look.counter("requests"));
        assert_eq!(more(look(Some(1), 12), look(Some(1), 9)), 3);
        assert_eq!(more(look(Some(2), 4), look(Some(1), 9)), 4);
        assert_eq!(more(look(None, 12), look(None, 9)), 3);
        assert_eq!(look(None, 12).counter("never"), 0);
    }
}
