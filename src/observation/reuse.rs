//! The law by which live tokens were used again, as a recording says it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the live token of a request was chosen: all that the closed forms of a cache need.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Reuse {
    /// By Zipf's law: the token of rank r in proportion to 1 / r^exponent.
    Zipf {
        /// The exponent; 0 is uniform.
        exponent: f64,
    },
    /// Each as often as any other.
    Uniform {},
    /// One after the other, over and over.
    RoundRobin {},
    /// Every token once.
    Unique {},
    /// Uniformly from a few, of which the oldest is replaced at equal gaps by one that was away longest.
    WorkingSet {
        /// How many tokens are in use at once.
        size: u64,
        /// How many of them are replaced a second.
        churn: f64,
    },
}
