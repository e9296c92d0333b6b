//! Connections that places share: one task each drives them.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker};

use h2::client::{Builder, Connection, ResponseFuture, SendRequest};
use hyper::body::Bytes;
use tokio::sync::Mutex;
use tokio::task::spawn_local;

use crate::load::exchange::Exchange;
use crate::load::transport::Handshake;
use crate::wire::{Connector, Stream};

/// The connections to one server, by number.
pub(super) struct Lanes {
    connector: Connector,
    /// Locked while it is opened, so that the places that share it open it once.
    by_number: RefCell<Vec<Rc<Mutex<Option<Rc<Lane>>>>>>,
}

/// An open connection.
struct Lane {
    requests: SendRequest<Bytes>,
    generation: u64,
    /// Those who must hear that it takes no more requests.
    members: Rc<Members>,
}

#[derive(Default)]
struct Members(RefCell<Vec<Weak<Exchange<ResponseFuture>>>>);

/// What the server may send without being asked for more: a connection, and an answer on it. Never in the way of the
/// small answers of an API; the protocol's own 64 KiB would be of large ones.
const CONNECTION_WINDOW: u32 = 4 << 20;
const STREAM_WINDOW: u32 = 1 << 20;

impl Lanes {
    pub(super) fn new(connector: Connector) -> Self {
        Self { connector, by_number: RefCell::default() }
    }

    /// Takes part in the connection with this number; opens it if it is not open, or if it was opened for an earlier
    /// generation of its places. The handshake is told to whom it was opened for.
    pub(super) async fn join(
        &self,
        number: usize,
        generation: u64,
        exchange: &Rc<Exchange<ResponseFuture>>,
    ) -> io::Result<(SendRequest<Bytes>, Option<Handshake>)> {
        let lane = {
            let mut lanes = self.by_number.borrow_mut();
            let count = lanes.len().max(number + 1);
            lanes.resize_with(count, Rc::default);
            Rc::clone(&lanes[number])
        };
        let mut lane = lane.lock().await;
        if let Some(open) = &*lane
            && open.generation >= generation
            && !open.is_ending()
        {
            open.members.add(exchange);
            return Ok((open.requests.clone(), None));
        }
        let stream = self.connector.connect().await?;
        let handshake = Handshake { resumed: stream.is_resumed().unwrap_or(false) };
        let open = open(stream, generation).await?;
        open.members.add(exchange);
        let requests = open.requests.clone();
        *lane = Some(open);
        Ok((requests, Some(handshake)))
    }
}

impl Lane {
    /// Whether the server said that it goes away (RFC 9113 section 6.8), or has gone.
    fn is_ending(&self) -> bool {
        let ready = self.requests.clone().poll_ready(&mut Context::from_waker(Waker::noop()));
        matches!(ready, Poll::Ready(Err(_)))
    }
}

impl Members {
    fn add(&self, exchange: &Rc<Exchange<ResponseFuture>>) {
        let mut members = self.0.borrow_mut();
        members.retain(|member| member.strong_count() > 0);
        members.push(Rc::downgrade(exchange));
    }

    fn close(&self) {
        self.0.take().iter().filter_map(Weak::upgrade).for_each(|exchange| exchange.close());
    }
}

async fn open(stream: Stream, generation: u64) -> io::Result<Rc<Lane>> {
    let mut builder = Builder::new();
    builder
        .initial_connection_window_size(CONNECTION_WINDOW)
        .initial_window_size(STREAM_WINDOW)
        .enable_push(false);
    let (requests, connection) = builder.handshake(stream).await.map_err(io::Error::other)?;
    let members = Rc::<Members>::default();
    let lane = Rc::new(Lane { requests, generation, members: Rc::clone(&members) });
    spawn_local(drive(connection, Rc::downgrade(&lane), members));
    Ok(lane)
}

/// Drives a connection to its end, whatever that is: each request on it learns by itself how it failed. Knows its lane
/// only while others do, so that a connection that nobody uses any more closes.
async fn drive(mut connection: Connection<Stream, Bytes>, lane: Weak<Lane>, members: Rc<Members>) {
    poll_fn(|context| {
        let driven = Pin::new(&mut connection).poll(context);
        if driven.is_ready() || lane.upgrade().is_some_and(|lane| lane.is_ending()) {
            members.close();
        }
        driven.map(drop)
    })
    .await;
}
