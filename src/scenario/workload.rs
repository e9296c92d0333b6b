//! The workload as it is written in a scenario.

use std::num::{NonZeroU32, NonZeroU64};

use schemars::JsonSchema;
use serde::Deserialize;

use crate::arrival::ArrivalProcess;
use crate::metric::Threshold;
use crate::registry::Part;
use crate::reuse::ReuseLaw;
use crate::scenario::Mix;
use crate::units::{ClaimsSize, Fraction, Period, Rate, Span};
use crate::wire::Wire;

/// The requests: at one `rate`, at every rate of a `sweep`, at the rates that a `search` tries, or in a `closed` loop.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
#[schemars(extend("oneOf" = one_pace()))]
pub struct Load {
    /// Requests per second over all resource servers, sent when they are due, whatever became of those before; of a search,
    /// where it begins (500 if left out).
    pub rate: Option<Rate>,
    /// Rates at each of which every subject is measured.
    #[schemars(length(min = 1))]
    pub sweep: Option<Vec<Rate>>,
    /// A limit on latency, like `"p(99)<5ms"`: the highest rate is sought at which it holds and at most 0.1 % of the requests fail.
    pub search: Option<Threshold>,
    /// Users who wait for their answer before they send again, one on each connection.
    pub closed: Option<Closed>,
    /// When they are due.
    #[serde(default = "poisson")]
    #[schemars(default = "poisson")]
    pub arrivals: Part<dyn ArrivalProcess>,
    /// How long the load runs before it is measured.
    #[serde(default = "default_warmup")]
    pub warmup: Span,
    /// How long it is measured; each step of a search at least that long, and as long as its quantile needs.
    pub duration: Period,
    /// End after so many requests, those of the warm-up among them, if `duration` does not end before.
    pub requests: Option<NonZeroU64>,
    /// How many resource servers share it, unless a subject says otherwise: enforcement points with caches of their own, several in a process where one
    /// each does not fit the cores.
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
    /// Requests at once on each connection: more than one with HTTP/2 only.
    #[serde(default = "one")]
    pub streams: NonZeroU32,
    /// Close a connection after so many requests, and open another.
    pub requests_per_connection: Option<NonZeroU32>,
}

/// Users in a closed loop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a table like { think = \"0s\" }")]
pub struct Closed {
    /// How long a user thinks between an answer and the next request.
    pub think: Span,
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
    /// Live tokens replaced per second by others that are issued under the load, each drawn uniformly from those in use; the others are
    /// sent no more.
    pub churn: Option<Rate>,
    /// Bytes of `groups` that its claims have beside those that RFC 9068 requires, like "8KB".
    pub extra_claims: ClaimsSize,
}

/// The tokens that are revoked while they are in use.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a table")]
pub struct Revocation {
    /// How many tokens are revoked, one at a time, in the first half of the measured time.
    pub tokens: u32,
    /// Requests per second with each of these tokens to each resource server, before and after it is revoked. A subject with a number of resource servers
    /// of its own has as many in all: they are spread over its servers.
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
            churn: None,
            extra_claims: ClaimsSize::default(),
        }
    }
}

impl Default for Revocation {
    fn default() -> Self {
        Self { tokens: 8, probes: Rate::try_from(10.0).expect("above 0") }
    }
}

/// In the words of JSON Schema: a rate, a sweep or a closed loop, or a search that begins where it likes.
fn one_pace() -> serde_json::Value {
    serde_json::json!([
        { "required": ["rate"] },
        { "required": ["sweep"] },
        { "required": ["closed"] },
        { "required": ["search"], "not": { "required": ["rate"] } },
    ])
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
