//! What is sent in a trial: identical for every subject of a repetition.

use std::num::NonZeroU32;

use crate::plan::Pace;
use crate::units::{Offset, Period, Rate, Span};

/// The load of one trial. Together with a seed it decides every request.
#[derive(Clone, Debug)]
pub struct Workload {
    /// When requests are sent; probes of tokens under revocation test are due by a schedule beside it.
    pub pace: Pace,
    /// How long the load runs before it is measured.
    pub warmup: Span,
    /// How long it is measured, at the most.
    pub window: Period,
    /// How many requests are sent in all, if the load ends by count.
    pub requests: Option<u64>,
    /// How many resource servers share the load; each request goes to one drawn uniformly.
    pub resource_servers: u32,
    /// Connections from the load generator to each resource server.
    pub connections: NonZeroU32,
    /// Requests that may be on each connection at once.
    pub streams: NonZeroU32,
    /// A connection is closed after so many requests, and replaced; none keeps it.
    pub requests_per_connection: Option<NonZeroU32>,
    /// The tokens that requests carry.
    pub pool: Pool,
    /// When tokens are revoked, in order; one token each.
    pub revocations: Vec<Offset>,
    /// Probes per second (Poisson) of each token under revocation test at each resource server.
    pub probe_rate: Rate,
}

/// What is bad about a bad token: past its `exp`, never a token, meant for another audience, changed on
/// the way, issued by somebody else.
pub const BAD_KINDS: [&str; 5] = ["expired", "garbage", "wrong audience", "tampered", "unknown"];

/// The header that numbers a request whose token is under revocation test, so that sender and decider
/// speak of the same one.
pub const PROBE_HEADER: &str = "bearerbench-probe";

/// Which tokens requests carry.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pool {
    /// How many live tokens there are.
    pub live: u32,
    /// Exponent of the Zipf law by which a live token is chosen; 0 is uniform.
    pub zipf_exponent: f64,
    /// Fraction of the requests that carry a bad token, the kinds in equal parts.
    pub bad_fraction: f64,
    /// How many different bad tokens there are of each kind, chosen uniformly.
    pub bad_per_kind: u32,
}

impl Workload {
    /// The instant at which the measured window begins.
    pub fn window_start(&self) -> Offset {
        Offset::from(self.warmup.duration())
    }

    /// The instant at which the measured window and the load end.
    pub fn end(&self) -> Offset {
        self.window_start() + self.window.duration()
    }
}
