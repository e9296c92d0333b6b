//! The load generator: sends every request of a plan when it is due and records what came back.

mod ask;
mod capacity;
mod cores;
mod dispatch;
mod driver;
mod engine;
mod exchange;
mod feed;
mod flight;
mod gaps;
mod http1;
mod http2;
mod hyper;
mod malformed;
mod meter;
mod pacing;
mod parts;
mod proofs;
mod readers;
mod recorder;
mod renewals;
mod schedule;
mod sealer;
#[cfg(test)]
mod simulation;
mod template;
mod threads;
mod tokens;
mod transport;
mod usual;

use std::io;
use std::num::NonZeroU32;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use crate::observation::Load;
use crate::units::Offset;
use crate::wire::Connector;

pub use ask::{NoAnswer, ask};
pub use capacity::{capacity, timer_error};
pub use cores::keep_off;
pub use engine::Engine;
pub use feed::{Feed, Share, Users};
pub use flight::SentProbe;
pub use gaps::Neighbours;
pub use http1::Decoder;
pub use malformed::MalformedAnswer;
pub use pacing::Precision;
pub use proofs::{Proofs, SignProof};
pub use renewals::Renewals;
pub use schedule::{Request, Token, picks, schedule, server_at};
pub use threads::drive;
pub use tokens::{Filling, TokenPool};
pub use transport::{Answer, Failure};

/// Where requests go, and how.
#[derive(Clone)]
pub struct Target {
    /// The servers, in order.
    pub servers: Vec<TargetServer>,
    /// What speaks to them.
    pub engine: Engine,
    /// Connections to each of them.
    pub connections: NonZeroU32,
    /// Requests that may be on the wire of one connection at once: more than one with HTTP/2 only.
    pub streams: NonZeroU32,
    /// A connection is closed after so many requests, and replaced; none keeps it.
    pub requests_per_connection: Option<NonZeroU32>,
    /// The tokens that the requests name.
    pub tokens: Arc<TokenPool>,
    /// What takes their place while the load runs.
    pub renewals: Renewals,
    /// What shows that the tokens are the sender's, where more is asked for than a bearer has. For tokens that are not renewed.
    pub proofs: Option<Proofs>,
    /// Requests due within it are recorded; the others are sent only.
    pub window: Range<Offset>,
    /// How long a connection attempt and an answer may take.
    pub timeout: Duration,
    /// What the generator does while it waits.
    pub precision: Precision,
    /// The cores to which the threads of the generator are bound, one each. None: a single thread on any core.
    pub cores: Vec<u32>,
    /// What is seen of the cores of the servers by whoever watches them.
    pub neighbours: Neighbours,
}

/// A server under load.
#[derive(Clone)]
pub struct TargetServer {
    /// How connections to it are opened.
    pub connector: Connector,
    /// Host and port as the `Host` header and `:authority` say them.
    pub authority: String,
    /// The path with its query.
    pub path: String,
    /// Whether the scheme is https.
    pub is_secure: bool,
}

/// What a run saw.
#[derive(Debug)]
pub struct Driven {
    /// Requests and answers of the window.
    pub load: Load,
    /// Every probe that was sent, in the order of sending.
    pub probes: Vec<SentProbe>,
    /// Why the run was cut short, unless it was interrupted.
    pub failure: Option<LoadError>,
}

/// A run that cannot begin, or that cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A server does not answer.
    #[error(
        "cannot connect to the server at {server}; is it running, and does it speak this version of HTTP, with or without TLS?"
    )]
    Connect {
        /// Where it should be.
        server: String,
        /// What the system said.
        source: io::Error,
    },
    /// Every connection is an open file, and there are too many.
    #[error(
        "no room for {connections} connections: a process may open {limit} files; raise the limit with `ulimit -n`"
    )]
    Files {
        /// How many connections the plan asks for.
        connections: usize,
        /// How many files this process may open.
        limit: String,
    },
    /// Every connection has a port of its own, and there are too many.
    #[error(
        "no port left for one of {connections} connections to {server}: the system gives out those of \
         /proc/sys/net/ipv4/ip_local_port_range; widen it, or wait until closed connections are forgotten (a minute)"
    )]
    Ports {
        /// Where it should lead.
        server: String,
        /// How many connections the plan asks for.
        connections: usize,
    },
    /// The wanted core is not there, or not for this process.
    #[error("cannot run the load generator on core {core}; `nproc` tells how many there are")]
    Core {
        /// The core, from 0.
        core: u32,
        /// What the system said.
        source: io::Error,
    },
    /// The system refuses what the generator itself needs.
    #[error("cannot start the load generator")]
    Start(#[source] io::Error),
    /// The servers cannot keep up with the plan.
    #[error("more than {limit} requests wait for a connection: the servers cannot keep up; lower the rate")]
    BacklogFull {
        /// How many may wait.
        limit: usize,
    },
}
