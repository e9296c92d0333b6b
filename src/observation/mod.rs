//! The facts of a trial and their file format: what was done and seen, no interpretation.

mod churn;
mod distribution;
mod environment;
mod event;
mod file;
mod gap;
mod load;
mod node;
mod older;
mod outcomes;
mod popularity;
mod reuse;
mod sealed;
mod second;
mod signature;
mod slices;
mod step;
mod subject;
mod workload;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use churn::TokenChurn;
pub use distribution::Distribution;
pub use environment::{Conditions, Cores, Environment};
pub use event::{Action, AffectedServers, Event, Learned, Probe, Revocation};
pub use file::{FILE_NAME, ReadError, append, read};
pub use gap::{CoreGaps, Disturbed, Followed, OpenDisturbed, OpenFollowed, Side};
pub use load::{ClassLatency, Generator, Load, Parts};
pub use node::{Look, Node, Role};
pub use outcomes::{Classes, Ended, Outcomes, TOKEN_EXPIRED};
pub use popularity::PopularityGroup;
pub use reuse::Reuse;
pub use sealed::Sealed;
pub use second::{OpenSecond, Second};
pub use signature::{Batches, Conformance, Round, Signature, SignatureTimes, Status};
pub use slices::{SecondSlice, Slices};
pub use step::Step;
pub use subject::{HandshakeBytes, ReadableClaims, Subject};
pub use workload::{BadTokens, NOT_TOLD_APART, REVOKED, VALID, Workload};

/// The version of the recording format that this program writes, and the newest it reads.
///
/// 2: what is known of a signature, and how long it takes by itself. A recording of version 1 has neither.
/// 3: the parts of a latency, latency by class of token and status, and how each thread of the generator fared; how
/// requests travel; the law by which tokens are used again, weights of the kinds of bad tokens, and tokens that were revoked
/// before the load.
/// 4: gaps, what they left of the requests, and the time from taking a request up to its answer; the numbers of a subject's design,
/// and its parts as data; how requests ended by class of token; usage,
/// counters and decisions by node; events as they happened, and what nodes heard of them;
/// counts of every tenth of a second.
pub const SCHEMA: u32 = 4;

/// The facts of one trial: one line of `recording.jsonl`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Recording {
    /// The version of this format.
    #[schemars(extend("const" = SCHEMA))]
    pub schema: u32,
    /// What was asked.
    pub scenario: RecordedScenario,
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
    /// How live tokens were replaced during the load; absent if none were to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub churn: Option<TokenChurn>,
    /// What was done to the servers, in the order in which it was due; revocations with the probes that asked for the tokens.
    pub events: Vec<Event>,
    /// Which revocations nodes heard of, and when; none where nothing tells them, and in recordings before version 4.
    pub learned: Vec<Learned>,
    /// Every process with its CPU time, memory and counters, about once a second. None of a server of somebody else's.
    pub nodes: Vec<Node>,
    /// Live tokens by tenths, the most popular first, with what caches had of them; absent where no resource server keeps answers about tokens, where
    /// no token is more popular than others or it is not known before how often each is sent, and in recordings that a version of this program
    /// wrote which did not look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub popularity: Option<Vec<PopularityGroup>>,
    /// Why the trial did not run to its end, if it did not.
    pub failure: Option<TrialFailure>,
}

impl Recording {
    /// Every revocation, with the token and its probes.
    pub fn revocations(&self) -> impl Iterator<Item = (&Event, &Revocation)> {
        self.events.iter().filter_map(|event| Some((event, event.revocation()?)))
    }

    /// The numbers of the nodes that decide on what clients send: those behind a gateway decide on what it passes on.
    pub fn enforcement_points(&self) -> impl Iterator<Item = u32> {
        (0..)
            .zip(&self.nodes)
            .filter(|(_, node)| node.role.enforces() && node.hop == 0)
            .map(|(number, _)| number)
    }
}

/// Why a trial did not run to its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum TrialFailure {
    /// Somebody stopped it.
    #[error("interrupted")]
    Interrupted,
    /// Something went wrong.
    #[error("{reason}")]
    Error {
        /// What, in words.
        reason: String,
    },
}

impl TrialFailure {
    /// Something went wrong: this, in words.
    pub fn error(reason: impl Into<String>) -> Self {
        Self::Error { reason: reason.into() }
    }
}

/// The question and the conditions a reader was promised.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordedScenario {
    /// The name of the scenario file without its ending.
    pub name: String,
    /// The one question the scenario asks.
    pub question: String,
    /// Thresholds for every subject but the controls, in k6's grammar.
    pub thresholds: Vec<String>,
}
