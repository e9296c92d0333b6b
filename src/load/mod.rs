//! The load generator: sends every request of a schedule when it is due and records what came back.

mod capacity;
mod dispatch;
mod driver;
mod http1;
mod pacing;
mod readers;
mod recorder;
mod schedule;
#[cfg(test)]
mod simulation;
mod tokens;
mod transport;

use std::io;
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{Resource, getrlimit};
use rustix::thread::{CpuSet, sched_setaffinity};

use crate::load::driver::{Course, Cut};
use crate::load::http1::Http1;
use crate::load::pacing::HostPacer;
use crate::observation::Load;
use crate::units::{Offset, Stamp};

pub use capacity::{capacity, timer_error};
pub use pacing::Pacing;
pub use recorder::SentProbe;
pub use schedule::{Request, Token, schedule};
pub use tokens::{BadTokens, TokenPool};

/// How many requests may wait for a connection, overall: a server so far behind will not catch up.
const BACKLOG_LIMIT: usize = 1_000_000;

/// Where requests go, and how.
#[derive(Clone, Debug)]
pub struct Target<'a> {
    /// The resource servers, in order.
    pub addresses: &'a [SocketAddr],
    /// Connections to each of them.
    pub connections: u32,
    /// The tokens that the requests name.
    pub tokens: Arc<TokenPool>,
    /// Requests due within it are recorded; the others are sent only.
    pub window: Range<Offset>,
    /// How long a connection attempt and an answer may take.
    pub timeout: Duration,
    /// What the generator does while it waits.
    pub pacing: Pacing,
    /// The core on which the calling thread is to run from now on.
    pub core: Option<usize>,
}

/// What a run saw.
#[derive(Debug)]
pub struct Driven {
    /// Requests and answers of the window.
    pub load: Load,
    /// Every probe that was sent, by its number.
    pub probes: Vec<SentProbe>,
    /// Why the run was cut short, unless it was interrupted.
    pub failure: Option<LoadError>,
}

/// A run that cannot begin, or that cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A resource server does not answer.
    #[error("cannot connect to the resource server at {address}; is it running?")]
    Connect {
        /// Where it should be.
        address: SocketAddr,
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
    /// The wanted core is not there, or not for this process.
    #[error("cannot run the load generator on core {core}; `nproc` tells how many there are")]
    Core {
        /// The core, from 0.
        core: usize,
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

/// Sends every request when it is due and waits for the answers in flight. Blocks the calling thread.
///
/// `started` is told the stamp from which all offsets count, once every connection is open and before
/// anything is sent. Setting `interrupted` ends the run soon; what was seen until then is returned.
///
/// # Panics
/// If a request names a token that is not in the pool, or a resource server without an address.
pub fn drive(
    target: &Target<'_>,
    requests: impl Iterator<Item = Request>,
    started: impl FnOnce(Stamp),
    interrupted: &AtomicBool,
) -> Result<Driven, LoadError> {
    if let Some(core) = target.core {
        pin(core)?;
    }
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(LoadError::Start)?;
    let course = Course {
        servers: target.addresses.len(),
        connections: target.connections as usize,
        tokens: Arc::clone(&target.tokens),
        window: target.window.clone(),
        timeout: target.timeout,
        backlog_limit: BACKLOG_LIMIT,
        interrupted,
    };
    let (recorder, cut) = runtime.block_on(async {
        let transport = Http1::new(target.addresses);
        let opened = driver::open(&transport, &course).await;
        let connections = opened.map_err(|(server, error)| refused(target, server, error))?;
        let start = Stamp::now();
        let pacer = HostPacer::new(start, target.pacing).map_err(LoadError::Start)?;
        started(start);
        Ok(driver::run(course, transport, connections, pacer, requests).await)
    })?;
    let failure = match cut {
        Some(Cut::BacklogFull) => Some(LoadError::BacklogFull { limit: BACKLOG_LIMIT }),
        Some(Cut::Interrupted) | None => None,
    };
    Ok(Driven { load: recorder.load, probes: recorder.probes, failure })
}

fn pin(core: usize) -> Result<(), LoadError> {
    let failed = |source| LoadError::Core { core, source };
    if core >= CpuSet::MAX_CPU {
        return Err(failed(Errno::INVAL.into()));
    }
    let mut cores = CpuSet::new();
    cores.set(core);
    sched_setaffinity(None, &cores).map_err(|error| failed(error.into()))
}

fn refused(target: &Target<'_>, server: usize, source: io::Error) -> LoadError {
    if source.raw_os_error() == Some(Errno::MFILE.raw_os_error()) {
        let limit = getrlimit(Resource::Nofile).current;
        return LoadError::Files {
            connections: target.addresses.len() * target.connections as usize,
            limit: limit.map_or_else(|| "unlimited".to_owned(), |files| files.to_string()),
        };
    }
    LoadError::Connect { address: target.addresses[server], source }
}
