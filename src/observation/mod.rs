//! The facts of a trial and their file format: what was done and seen, no interpretation.

mod distribution;
mod environment;
mod file;
mod gap;
mod load;
mod older;
mod reuse;
mod revocation;
mod sealed;
mod second;
mod signature;
mod step;
mod usage;

use serde::{Deserialize, Serialize};

use crate::design::{Checks, Design};

pub use distribution::Distribution;
pub use environment::{Conditions, Cores, Environment};
pub use file::{FILE_NAME, ReadError, append, read};
pub use gap::{CoreGaps, Disturbed, Followed, OpenDisturbed, OpenFollowed, Side};
pub use load::{ClassLatency, Generator, Load, Outcomes, Parts, TOKEN_EXPIRED};
pub use reuse::Reuse;
pub use revocation::{Probe, Revocation};
pub use sealed::Sealed;
pub use second::{OpenSecond, Second};
pub use signature::{Batches, Conformance, Round, Signature, SignatureTimes, Status};
pub use step::Step;
pub use usage::{AuthorizationServerUsage, ProcessUsage, ResourceServerUsage, Sample};

/// The version of the recording format that this program writes, and the newest it reads.
///
/// 2: what is known of a signature, and how long it takes by itself. A recording of version 1 has neither.
/// 3: the parts of a latency, latency by class of token and status, and how each thread of the generator fared; how
/// requests travel; the law by which tokens are used again, weights of the kinds of bad tokens, and tokens that were revoked
/// before the load.
/// 4: gaps, what they left of the requests, and the time from taking a request up to its answer; the numbers of a subject's design.
pub const SCHEMA: u32 = 4;

/// The kind of bad tokens that were revoked before the load.
const REVOKED: &str = "revoked";

/// The facts of one trial: one line of `recording.jsonl`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recording {
    /// The version of this format.
    pub schema: u32,
    /// What was asked.
    pub scenario: Scenario,
    /// What was measured.
    pub subject: Subject,
    /// What was sent.
    pub workload: Workload,
    /// Which repetition of the subject this is, from 0.
    pub repetition: u32,
    /// Why it was measured at this rate, if others were tried too.
    pub step: Option<Step>,
    /// The seed of the repetition: the same for every subject in it.
    pub seed: u64,
    /// When the trial began, UTC, RFC 3339.
    pub started: String,
    /// The machine and the program.
    pub environment: Environment,
    /// What else the machine did during the trial.
    pub conditions: Conditions,
    /// How long the operations of the signature scheme took by themselves, before the load; absent for opaque tokens.
    pub signature_times: Option<SignatureTimes>,
    /// What else the machine did while they were timed.
    pub signature_conditions: Option<Conditions>,
    /// Requests and answers; absent if the load never began.
    pub load: Option<Load>,
    /// Tokens revoked during the trial, with the probes that asked for them.
    pub revocations: Vec<Revocation>,
    /// CPU time, memory and counters of every process, about once a second; cumulative.
    pub usage: Vec<Sample>,
    /// Why the trial did not run to its end, if it did not.
    pub failure: Option<String>,
}

/// The question and the conditions a reader was promised.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// The name of the scenario file without its ending.
    pub name: String,
    /// The one question the scenario asks.
    pub question: String,
    /// Thresholds for every subject but the controls, in k6's grammar.
    pub thresholds: Vec<String>,
}

/// One combination under comparison.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// Its name in the scenario.
    pub name: String,
    /// Its place in the scenario, from 0; trials are done in another, random order.
    pub position: u32,
    /// The validation architecture with its settings, in words.
    pub architecture: String,
    /// The JOSE `alg` of its tokens with the settings of the scheme, in words; absent for opaque tokens.
    pub signature: Option<String>,
    /// What is known of the scheme; absent for opaque tokens, and in recordings before version 2.
    pub scheme: Option<Signature>,
    /// The token store with its settings, in words.
    pub store: String,
    /// How requests travelled, in words; absent for plain HTTP/1.1 over TCP, which is all there was before version 3.
    pub wire: Option<String>,
    /// Thresholds for this subject alone, in k6's grammar.
    pub thresholds: Vec<String>,
    /// Whom it asks and how often, and what bounds how long it accepts a revoked token.
    pub design: Design,
    /// Size of a live token in characters: smallest, median and largest of the pool. Absent if no token was issued.
    pub token_characters: Option<[u64; 3]>,
}

impl Subject {
    /// True if it accepts bad tokens by design: it checks nothing, or tokens that nobody signed.
    pub fn is_control(&self) -> bool {
        let unsigned = self.scheme.as_ref().is_some_and(|scheme| scheme.status == Status::Control);
        self.design.checks == Checks::Nothing || unsigned
    }

    /// False if its signatures are verified by an implementation that is known to decide wrongly.
    pub fn is_trusted(&self) -> bool {
        self.scheme.as_ref().is_none_or(Signature::is_trusted)
    }
}

/// What was sent: all that the closed forms need.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Workload {
    /// Offered requests per second over all resource servers, probes not counted; of a closed loop, what its users sent.
    pub rate: f64,
    /// The arrival process, in words.
    pub arrivals: String,
    /// How long a user thinks between an answer and the next request; absent for an open loop.
    pub think_seconds: Option<f64>,
    /// Length of the warm-up in seconds; it is not measured.
    pub warmup_seconds: f64,
    /// Length of the measured window in seconds; it begins when the warm-up ends.
    pub window_seconds: f64,
    /// How many resource servers share the load; each request goes to one of them drawn uniformly.
    pub resource_servers: u32,
    /// Connections from the load generator to each resource server.
    pub connections: u32,
    /// Live tokens in the pool.
    pub live_tokens: u64,
    /// How the live token of a request is chosen.
    pub reuse: Reuse,
    /// Fraction of the requests that carry a bad token.
    pub bad_fraction: f64,
    /// How many different bad tokens there are of each kind.
    pub bad_tokens_per_kind: u32,
    /// The kinds of bad tokens.
    pub bad_kinds: Vec<String>,
    /// Their weights among the bad tokens. None in recordings before version 3: the kinds come in equal parts.
    pub bad_weights: Vec<u32>,
    /// Lifetime of a token in seconds.
    pub token_lifetime_seconds: f64,
    /// Probes per second of each token under revocation test at each resource server (Poisson).
    pub probe_rate: f64,
}

impl Workload {
    /// Whether requests carry tokens that were revoked before the load.
    pub fn sends_revoked(&self) -> bool {
        self.bad_shares().any(|(kind, share)| kind == REVOKED && share > 0.0)
    }

    /// Every kind of bad token, and the fraction of all requests that carry one of it.
    pub fn bad_shares(&self) -> impl Iterator<Item = (&str, f64)> {
        let weight = |index: usize| f64::from(self.bad_weights.get(index).copied().unwrap_or(1));
        let total: f64 = (0..self.bad_kinds.len()).map(weight).sum();
        let kinds = self.bad_kinds.iter().enumerate();
        kinds.map(move |(index, kind)| (kind.as_str(), self.bad_fraction * weight(index) / total))
    }
}
