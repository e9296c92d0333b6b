//! What every process had used up at an instant.

use serde::{Deserialize, Serialize};

use crate::units::Offset;

/// Cumulative figures of every process, read at about the same instant.
/// The first sample is taken when the measured window begins, the last when it ends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// When it was taken.
    pub at: Offset,
    /// The process that generates the load (all its threads).
    pub generator: ProcessUsage,
    /// The authorization server.
    pub authorization_server: AuthorizationServerUsage,
    /// The resource servers, in order.
    pub resource_servers: Vec<ResourceServerUsage>,
}

/// CPU time and memory of a process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProcessUsage {
    /// Nanoseconds of CPU time, user and system, since the process began.
    pub cpu_nanos: u64,
    /// Bytes resident now.
    pub resident_bytes: u64,
    /// The most bytes ever resident.
    pub peak_bytes: u64,
}

/// The authorization server: its process and the calls it answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthorizationServerUsage {
    /// The process.
    pub process: ProcessUsage,
    /// Calls to `/introspect` since it began.
    pub introspections: u64,
    /// Calls to `/jwks` since it began.
    pub key_sets: u64,
    /// Calls to `/token` since it began.
    pub issued: u64,
    /// Calls to `/revoke` since it began.
    pub revoked: u64,
}

/// A resource server: its process and the requests it decided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResourceServerUsage {
    /// The process.
    pub process: ProcessUsage,
    /// Requests to the protected resource since it began, probes included.
    pub requests: u64,
    /// Decisions taken from a cache since it began.
    pub cache_hits: u64,
    /// Decisions for which a cache was asked in vain since it began.
    pub cache_misses: u64,
}
