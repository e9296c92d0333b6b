//! A single request, to see whether and how a server answers before anything is measured.

use std::io;
use std::num::NonZeroU32;
use std::slice;
use std::time::Duration;

use tokio::runtime::{Builder, LocalOptions};
use tokio::time::timeout;

use crate::load::engine::Engine;
use crate::load::http1::Http1;
use crate::load::http2::Http2;
use crate::load::hyper::Hyper;
use crate::load::transport::{
    Answer, ConnectionSlot, Failure, Opened, Outgoing, Receiver as _, Sender as _, Transport,
};
use crate::load::{LoadError, TargetServer};

/// Why a single request has no answer.
#[derive(Debug, thiserror::Error)]
pub enum NoAnswer {
    /// There is no connection.
    #[error("cannot connect")]
    Connect(#[source] io::Error),
    /// There is a connection, but no answer came over it.
    #[error("{0}")]
    Request(Failure),
    /// The request cannot be sent from here.
    #[error(transparent)]
    Start(LoadError),
}

impl NoAnswer {
    /// Whether nothing came in time, so that the server may be slow rather than another one.
    pub fn is_late(&self) -> bool {
        match self {
            Self::Connect(error) => error.kind() == io::ErrorKind::TimedOut,
            Self::Request(failure) => *failure == Failure::TimedOut,
            Self::Start(_) => false,
        }
    }
}

/// No token of anybody: one of the load's would be used once more than the law of the load says.
const TOKEN: &str = "bearerbench-asks-before-the-load";

/// Sends one request as `engine` does over a connection for so many at once, with a token of nobody. Connecting may take as
/// long as `patience`, and so may the answer. Blocks the calling thread, which may not be one of a runtime.
pub fn ask(
    server: &TargetServer,
    engine: Engine,
    streams: NonZeroU32,
    patience: Duration,
) -> Result<Answer, NoAnswer> {
    let runtime = Builder::new_current_thread().enable_all().build_local(LocalOptions::default());
    let runtime = runtime.map_err(|error| NoAnswer::Start(LoadError::Start(error)))?;
    let servers = slice::from_ref(server);
    runtime.block_on(async {
        match engine {
            Engine::Http1 => ask_over(Http1::new(servers), patience).await,
            Engine::Http2 => ask_over(Http2::new(servers, streams.get() as usize, None), patience).await,
            Engine::Hyper => ask_over(Hyper::new(servers), patience).await,
        }
    })
}

async fn ask_over<T: Transport>(transport: T, patience: Duration) -> Result<Answer, NoAnswer> {
    let opened = timeout(patience, transport.connect(ConnectionSlot { server: 0, number: 0 })).await;
    let opened = opened.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
    let Opened { mut sender, mut receiver, .. } = opened.map_err(NoAnswer::Connect)?;
    sender.send(&Outgoing { token: TOKEN, proof: None, probe: None });
    let answer = timeout(patience, receiver.answer()).await;
    answer.unwrap_or(Err(Failure::TimedOut)).map_err(NoAnswer::Request)
}
