//! Connections that places share: one task each drives them.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::rc::{Rc, Weak};

use hyper::Request;
use hyper::client::conn::{http1, http2};
use hyper::rt::Executor;
use hyper_util::rt::TokioIo;
use tokio::sync::Mutex;
use tokio::task::spawn_local;

use crate::load::hyper::exchange::{Answering, Empty, Exchange};
use crate::load::transport::Handshake;
use crate::wire::{Connector, Http, Stream};

/// The connections to one server, by number.
pub(super) struct Lanes {
    connector: Connector,
    http: Http,
    /// Locked while it is opened, so that the places that share it open it once.
    by_number: RefCell<Vec<Rc<Mutex<Option<Lane>>>>>,
}

struct Lane {
    requests: Requests,
    generation: u64,
    /// Those who must hear that it is gone.
    members: Members,
}

type Members = Rc<RefCell<Vec<Weak<Exchange>>>>;

/// The sending side of a connection.
#[derive(Clone)]
pub(super) enum Requests {
    Http1(Rc<RefCell<http1::SendRequest<Empty>>>),
    Http2(http2::SendRequest<Empty>),
}

impl Lanes {
    pub(super) fn new(connector: Connector, http: Http) -> Self {
        Self { connector, http, by_number: RefCell::default() }
    }

    /// Takes part in the connection with this number; opens it if it is not open, or if it was opened for an earlier
    /// generation of its places. The handshake is told to whom it was opened for.
    pub(super) async fn join(
        &self,
        number: usize,
        generation: u64,
        exchange: &Rc<Exchange>,
    ) -> io::Result<(Requests, Option<Handshake>)> {
        let lane = {
            let mut lanes = self.by_number.borrow_mut();
            let count = lanes.len().max(number + 1);
            lanes.resize_with(count, Rc::default);
            Rc::clone(&lanes[number])
        };
        let mut lane = lane.lock().await;
        if let Some(open) = &*lane
            && open.generation >= generation
            && !open.requests.is_closed()
            && self.http == Http::Http2
        {
            let mut members = open.members.borrow_mut();
            members.retain(|member| member.strong_count() > 0);
            members.push(Rc::downgrade(exchange));
            return Ok((open.requests.clone(), None));
        }
        let stream = self.connector.connect().await?;
        let handshake = Handshake { resumed: stream.is_resumed().unwrap_or(false) };
        let members: Members = Rc::new(RefCell::new(vec![Rc::downgrade(exchange)]));
        let requests = open(stream, self.http, &members).await.map_err(io::Error::other)?;
        *lane = Some(Lane { requests: requests.clone(), generation, members });
        Ok((requests, Some(handshake)))
    }
}

impl Requests {
    /// Hands a request to the connection; what comes back is its answer.
    pub(super) fn send(&mut self, request: Request<Empty>) -> Answering {
        match self {
            Self::Http1(requests) => {
                let requests = Rc::clone(requests);
                Box::pin(async move {
                    // After an answer the connection needs a turn of its own before it takes the next request.
                    poll_fn(|context| requests.borrow_mut().poll_ready(context)).await?;
                    let answering = requests.borrow_mut().send_request(request);
                    answering.await
                })
            }
            Self::Http2(requests) => Box::pin(requests.send_request(request)),
        }
    }

    fn is_closed(&self) -> bool {
        match self {
            Self::Http1(requests) => requests.borrow().is_closed(),
            Self::Http2(requests) => requests.is_closed(),
        }
    }
}

async fn open(stream: Stream, http: Http, members: &Members) -> hyper::Result<Requests> {
    let stream = TokioIo::new(stream);
    let members = Rc::clone(members);
    Ok(match http {
        Http::Http1 => {
            let (requests, connection) = http1::handshake(stream).await?;
            spawn_local(drive(connection, members));
            Requests::Http1(Rc::new(RefCell::new(requests)))
        }
        Http::Http2 => {
            let (requests, connection) = http2::handshake(ThisThread, stream).await?;
            spawn_local(drive(connection, members));
            Requests::Http2(requests)
        }
    })
}

/// Drives a connection to its end, whatever that is, and tells those who wait on it.
async fn drive(connection: impl Future<Output = hyper::Result<()>>, members: Members) {
    // Each request on it learns by itself how it failed.
    let _ = connection.await;
    members.borrow().iter().filter_map(Weak::upgrade).for_each(|exchange| exchange.close());
}

/// Runs what hyper starts on the thread of the generator.
#[derive(Clone)]
struct ThisThread;

impl<F: Future<Output = ()> + 'static> Executor<F> for ThisThread {
    fn execute(&self, future: F) {
        spawn_local(future);
    }
}
