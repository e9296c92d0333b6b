//! What caches did with tokens, by how popular these were.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Some of the live tokens, neighbours in the order of their popularity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PopularityGroup {
    /// How many tokens.
    pub tokens: u64,
    /// How many requests with one of them the plan had in the measured window, to all resource servers.
    pub requests: u64,
    /// How often a resource server that clients reach had no answer about one of them in its cache, in that time.
    pub misses: u64,
}
