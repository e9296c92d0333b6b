//! The workload as it is written in a scenario.

use std::num::NonZeroU32;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::arrival::ArrivalProcess;
use crate::registry::Part;
use crate::reuse::ReuseLaw;
use crate::scenario::Mix;
use crate::units::{Fraction, Period, Rate, Span};
use crate::wire::Wire;

/// The requests: open loop, sent when they are due, whatever became of those before.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub struct Load {
    /// Requests per second over all resource servers.
    pub rate: Rate,
    /// When they are due.
    #[serde(default = "poisson")]
    #[schemars(default = "poisson")]
    pub arrivals: Part<dyn ArrivalProcess>,
    /// How long the load runs before it is measured.
    #[serde(default = "default_warmup")]
    pub warmup: Span,
    /// How long it is measured.
    pub duration: Period,
    /// How many resource servers share it: enforcement points with caches of their own.
    #[serde(default = "one")]
    pub resource_servers: NonZeroU32,
    /// Threads of the load generator, each with a core of its own; where there are not enough, one shares all cores.
    #[serde(default = "one")]
    pub generators: NonZeroU32,
    /// Connections from the load generator to each resource server.
    #[serde(default = "default_connections")]
    pub connections: NonZeroU32,
    /// How they travel: HTTP version, TLS, socket.
    #[serde(default)]
    pub wire: Wire,
}

/// The tokens that requests carry.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a table")]
pub struct Tokens {
    /// How many live tokens there are.
    pub live: NonZeroU32,
    /// By which law they are used again.
    pub reuse: Part<dyn ReuseLaw>,
    /// Fraction of the requests that carry a bad token.
    pub bad: Fraction,
    /// What is bad about them, by weights: by default expired, garbage, wrong audience, tampered, unknown in equal parts.
    pub mix: Mix,
    /// How many different bad tokens there are of each kind.
    pub bad_per_kind: NonZeroU32,
    /// How long a token lives.
    pub lifetime: Period,
}

/// The tokens that are revoked while they are in use.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a table")]
pub struct Revocation {
    /// How many tokens are revoked, one at a time, in the first half of the measured time.
    pub tokens: u32,
    /// Requests per second with each of these tokens to each resource server, before and after it is revoked.
    pub probes: Rate,
}

impl Default for Tokens {
    fn default() -> Self {
        Self {
            live: NonZeroU32::new(10_000).expect("not zero"),
            reuse: Part::named("zipf").expect("the registry has it"),
            // 95 % of the tokens at a large edge are valid and unexpired (Netflix).
            bad: Fraction::try_from(0.05).expect("in bounds"),
            mix: Mix::equal_parts(),
            bad_per_kind: NonZeroU32::new(100).expect("not zero"),
            lifetime: Period::from_secs(600),
        }
    }
}

impl Default for Revocation {
    fn default() -> Self {
        Self { tokens: 8, probes: Rate::try_from(10.0).expect("above 0") }
    }
}

fn poisson() -> Part<dyn ArrivalProcess> {
    Part::named("poisson").expect("the registry has it")
}

fn default_warmup() -> Span {
    Span::from_secs(2)
}

fn one() -> NonZeroU32 {
    NonZeroU32::MIN
}

fn default_connections() -> NonZeroU32 {
    NonZeroU32::new(32).expect("not zero")
}
