//! Connections that places share: one task each drives them.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io;
use std::num::NonZeroU32;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker};

use h2::Ping;
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
    requests_per_connection: Option<NonZeroU32>,
    /// Requests that may be on the wire of each at once.
    streams: usize,
    /// Locked while it is opened, so that the places that share it open it once.
    by_number: RefCell<Vec<Rc<Mutex<Weak<Lane>>>>>,
}

/// A part in a connection.
pub(super) struct Joined {
    pub(super) lane: Rc<Lane>,
    pub(super) requests: SendRequest<Bytes>,
    /// Told to whom the connection was opened for.
    pub(super) handshake: Option<Handshake>,
}

/// An open connection. It closes when nobody has a part in it any more.
pub(super) struct Lane {
    requests: SendRequest<Bytes>,
    /// How many requests it still carries before it is replaced.
    left: Cell<Option<u32>>,
    is_retired: Cell<bool>,
    has_answered: Cell<bool>,
    /// Those who must hear that it takes no more requests.
    members: RefCell<Vec<Weak<Exchange<ResponseFuture>>>>,
}

/// What the server may send without being asked for more: a connection, and an answer on it. Never in the way of the
/// small answers of an API; the protocol's own 64 KiB would be of large ones.
const CONNECTION_WINDOW: u32 = 4 << 20;
const STREAM_WINDOW: u32 = 1 << 20;

impl Lanes {
    pub(super) fn new(
        connector: Connector,
        streams: usize,
        requests_per_connection: Option<NonZeroU32>,
    ) -> Self {
        Self { connector, requests_per_connection, streams, by_number: RefCell::default() }
    }

    /// Takes part in the connection with this number, which is opened if there is none that takes requests.
    pub(super) async fn join(
        &self,
        number: usize,
        exchange: &Rc<Exchange<ResponseFuture>>,
    ) -> io::Result<Joined> {
        let place = {
            let mut lanes = self.by_number.borrow_mut();
            let count = lanes.len().max(number + 1);
            lanes.resize_with(count, Rc::default);
            Rc::clone(&lanes[number])
        };
        let mut place = place.lock().await;
        let open = place.upgrade().filter(|lane| !lane.is_retired.get() && !lane.is_ending());
        let (lane, handshake) = if let Some(lane) = open {
            (lane, None)
        } else {
            let stream = self.connector.connect().await?;
            let handshake = Handshake { resumed: stream.is_resumed().unwrap_or(false) };
            let lane = open_lane(stream, self.streams, self.requests_per_connection).await?;
            *place = Rc::downgrade(&lane);
            (lane, Some(handshake))
        };
        lane.add(exchange);
        Ok(Joined { requests: lane.requests.clone(), lane, handshake })
    }
}

impl Lane {
    /// It was given a request.
    pub(super) fn carried(&self) {
        if let Some(left) = self.left.get() {
            self.left.set(Some(left.saturating_sub(1)));
            if left <= 1 {
                self.retire();
            }
        }
    }

    /// It gave an answer.
    pub(super) fn answered(&self) {
        self.has_answered.set(true);
    }

    pub(super) fn has_answered(&self) -> bool {
        self.has_answered.get()
    }

    /// It takes no more requests; those on their way may still be answered.
    pub(super) fn retire(&self) {
        self.is_retired.set(true);
        self.members.take().iter().filter_map(Weak::upgrade).for_each(|exchange| exchange.close());
    }

    /// Whether the server said that it goes away (RFC 9113 section 6.8), or has gone.
    fn is_ending(&self) -> bool {
        let ready = self.requests.clone().poll_ready(&mut Context::from_waker(Waker::noop()));
        matches!(ready, Poll::Ready(Err(_)))
    }

    fn add(&self, exchange: &Rc<Exchange<ResponseFuture>>) {
        let mut members = self.members.borrow_mut();
        members.retain(|member| member.strong_count() > 0);
        members.push(Rc::downgrade(exchange));
    }
}

/// Open once the server's settings are known: beyond the streams that they allow, requests would wait within h2, and that
/// would look like a slow server.
async fn open_lane(stream: Stream, streams: usize, left: Option<NonZeroU32>) -> io::Result<Rc<Lane>> {
    let mut builder = Builder::new();
    builder
        .initial_connection_window_size(CONNECTION_WINDOW)
        .initial_window_size(STREAM_WINDOW)
        .enable_push(false);
    let (requests, mut connection) = builder.handshake(stream).await.map_err(io::Error::other)?;
    let mut pings = connection.ping_pong().expect("nobody else asked for it");
    let lane = Rc::new(Lane {
        requests,
        left: Cell::new(left.map(NonZeroU32::get)),
        is_retired: Cell::default(),
        has_answered: Cell::default(),
        members: RefCell::default(),
    });
    spawn_local(drive(connection, Rc::downgrade(&lane)));
    // Settings come first (RFC 9113 section 3.4), so that they are known when this is answered.
    pings.ping(Ping::opaque()).await.map_err(io::Error::other)?;
    let allowed = lane.requests.current_max_send_streams();
    if allowed < streams {
        let problem = format!("the server allows {allowed} requests at once on a connection, not {streams}");
        return Err(io::Error::other(problem));
    }
    Ok(lane)
}

/// Drives a connection to its end, whatever that is: each request on it learns by itself how it failed. Knows its lane
/// only while others do, so that a connection that nobody uses any more closes.
async fn drive(mut connection: Connection<Stream, Bytes>, lane: Weak<Lane>) {
    poll_fn(|context| {
        let driven = Pin::new(&mut connection).poll(context);
        if let Some(lane) = lane.upgrade()
            && !lane.is_retired.get()
            && (driven.is_ready() || lane.is_ending())
        {
            lane.retire();
        }
        driven.map(drop)
    })
    .await;
}
