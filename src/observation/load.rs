//! Requests and answers of the measured window.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::observation::Distribution;

/// What the load generator saw. Probes of tokens under revocation test are not in it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Load {
    /// The measured window, a second each; the last one may be shorter.
    pub seconds: Vec<Second>,
    /// How many seconds of the window were measured: all of them, unless the plan was cut short.
    pub measured_seconds: f64,
    /// The most requests that were due but had no idle connection, at any instant.
    pub backlog_peak: u64,
    /// Requests that were due but not sent when the window ended: a server that kept up leaves none.
    pub backlog_end: u64,
    /// Nanoseconds of CPU time the generator's thread used from the window's beginning to its end.
    pub generator_cpu_nanos: u64,
    /// True if the plan was cut short by an interrupt or a failure.
    pub cut_short: bool,
}

/// Requests **due** within one second, and the answers that arrived in it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Second {
    /// answered - due: what a user would have waited. Every answer, accepted or refused.
    pub latency: Distribution,
    /// taken up - due of every request: the generator's own lag.
    pub lag: Distribution,
    /// sent - taken up of requests that found no idle connection.
    pub wait: Distribution,
    /// answered - sent.
    pub service: Distribution,
    /// How the requests ended.
    pub outcomes: Outcomes,
    /// Answers, yes or no, that arrived within this second, whenever their requests were due.
    pub answers: u64,
}

/// How requests ended, by count.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcomes {
    /// Requests the schedule asked for.
    pub planned: u64,
    /// Requests that were sent.
    pub sent: u64,
    /// Good tokens accepted (status 200).
    pub good_accepted: u64,
    /// Bad tokens refused (status 401 or 403).
    pub bad_refused: u64,
    /// Wrong: good tokens refused.
    pub good_refused: u64,
    /// Wrong: bad tokens accepted, by the kind of bad token.
    pub bad_accepted: BTreeMap<String, u64>,
    /// Requests without a right or wrong answer, by what happened: a status, a broken connection, a time-out.
    pub errors: BTreeMap<String, u64>,
}

impl Load {
    /// How long each of the seconds really was, in seconds.
    pub fn lengths(&self) -> impl Iterator<Item = f64> {
        (0..self.seconds.len()).map(|index| (self.measured_seconds - index as f64).min(1.0))
    }
}

impl Outcomes {
    /// Counts everything that `other` counted.
    pub fn add(&mut self, other: &Self) {
        self.planned += other.planned;
        self.sent += other.sent;
        self.good_accepted += other.good_accepted;
        self.bad_refused += other.bad_refused;
        self.good_refused += other.good_refused;
        for (kind, count) in &other.bad_accepted {
            *self.bad_accepted.entry(kind.clone()).or_default() += count;
        }
        for (kind, count) in &other.errors {
            *self.errors.entry(kind.clone()).or_default() += count;
        }
    }
}
