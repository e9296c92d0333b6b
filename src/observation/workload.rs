//! What was sent: all that the closed forms need.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::observation::Reuse;
use crate::registry::Choice;

/// The class of tokens that must be accepted.
pub const VALID: &str = "valid";
/// What stands for all classes in recordings before version 4 where they do not tell them apart.
pub const NOT_TOLD_APART: &str = "not told apart";
/// The class of tokens that were revoked before the load.
pub const REVOKED: &str = "revoked";

/// What was sent: all that the closed forms need.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Workload {
    /// Offered requests per second over all resource servers, probes not counted; of a closed loop, what its users sent.
    pub rate: f64,
    /// The arrival process, in words; of a closed loop that it is one.
    pub arrivals: String,
    /// The arrival process, as it would be written in a scenario; absent for a closed loop, and in recordings before
    /// version 4 if it has settings.
    pub arrival_process: Option<Choice>,
    /// How long a user thinks between an answer and the next request; absent for an open loop.
    pub think_seconds: Option<f64>,
    /// Length of the warm-up in seconds; it is not measured.
    pub warmup_seconds: f64,
    /// Length of the measured window in seconds; it begins when the warm-up ends.
    pub window_seconds: f64,
    /// How many resource servers of the subject share the load; each request goes to one of them drawn uniformly.
    pub resource_servers: u32,
    /// Connections from the load generator to each resource server.
    pub connections: u32,
    /// Live tokens in the pool.
    pub live_tokens: u64,
    /// Live tokens that were to be replaced per second, each drawn uniformly, by others that are issued under the load; 0 where none were.
    #[serde(default, skip_serializing_if = "is_no_rate")]
    pub churn_per_second: f64,
    /// How the live token of a request is chosen.
    pub reuse: Reuse,
    /// Fraction of the requests that carry a bad token.
    pub bad_fraction: f64,
    /// How many different bad tokens there are of each kind.
    pub bad_tokens_per_kind: u32,
    /// The kinds of bad tokens.
    pub bad_tokens: Vec<BadTokens>,
    /// Lifetime of a token in seconds.
    pub token_lifetime_seconds: f64,
    /// Probes per second of each token under revocation test at each resource server (Poisson).
    pub probe_rate: f64,
}

/// A kind of bad tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BadTokens {
    /// What is bad about them: the name of their class.
    pub kind: String,
    /// Their weight among the bad tokens.
    pub weight: u32,
    /// Whether the authorization server calls them active, since only a resource server can tell what is wrong with them.
    pub are_active: bool,
    /// How many of the different tokens of this kind cannot be read as the JWTs that clients hold, so that whoever reads them first asks
    /// nobody about them; absent if there are none, or if clients hold none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unreadable: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_no_rate(rate: &f64) -> bool {
    *rate == 0.0
}

impl Workload {
    /// Whether requests carry tokens that were revoked before the load.
    pub fn sends_revoked(&self) -> bool {
        self.bad_shares().any(|(bad, share)| bad.kind == REVOKED && share > 0.0)
    }

    /// Every kind of bad token, and the fraction of all requests that carry one of it.
    pub fn bad_shares(&self) -> impl Iterator<Item = (&BadTokens, f64)> {
        let total: f64 = self.bad_tokens.iter().map(|bad| f64::from(bad.weight)).sum();
        self.bad_tokens.iter().map(move |bad| (bad, self.bad_fraction * f64::from(bad.weight) / total))
    }
}
