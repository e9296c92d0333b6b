//! The library hyper as an engine for HTTP/1.1: the peer that shows the own engine to be right.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::rc::Rc;

use http_body_util::BodyExt as _;
use hyper::Response;
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper::header::CONNECTION;
use hyper_util::rt::TokioIo;
use tokio::task::spawn_local;
use tokio_util::io::InspectReader;

use crate::load::TargetServer;
use crate::load::exchange::Exchange;
use crate::load::malformed::MalformedAnswer;
use crate::load::template::Template;
use crate::load::transport::{
    Answer, ConnectionSlot, Failure, Handshake, Opened, Outgoing, Receiver, Sender, Transport,
};
use crate::units::Stamp;
use crate::wire::Connector;

/// Header fields of an answer, ten times hyper's own limit. Our own engine takes as many as fit into a head; hyper makes room for
/// the most before it reads each answer, so it takes as many as any server sends and no more.
const MOST_FIELDS: usize = 1_000;

/// Connections to servers by hyper.
pub(super) struct Hyper {
    servers: Vec<(Connector, Template)>,
}

/// The body of every request.
type Empty = http_body_util::Empty<Bytes>;

/// What becomes of a request.
type Answering = Pin<Box<dyn Future<Output = hyper::Result<Response<Incoming>>>>>;

impl Hyper {
    /// Connections to these servers.
    pub(super) fn new(servers: &[TargetServer]) -> Self {
        let peer = |server: &TargetServer| (server.connector.clone(), Template::http1(server));
        Self { servers: servers.iter().map(peer).collect() }
    }
}

impl Transport for Hyper {
    type Sender = HyperSender;
    type Receiver = HyperReceiver;

    async fn connect(&self, place: ConnectionSlot) -> io::Result<Opened<HyperSender, HyperReceiver>> {
        let (connector, template) = &self.servers[place.server];
        let stream = connector.connect().await?;
        let handshake = Some(Handshake { resumed: stream.is_resumed().unwrap_or(false) });
        let seen = Rc::new(Cell::new(Seen::default()));
        let to_tell = Rc::clone(&seen);
        let stream = InspectReader::new(stream, move |bytes: &[u8]| {
            if !bytes.is_empty() {
                to_tell.set(Seen { has_begun: true, ..to_tell.get() });
            }
        });
        let mut builder = Builder::new();
        builder.allow_obsolete_multiline_headers_in_responses(true).max_headers(MOST_FIELDS);
        let (requests, connection) =
            builder.handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
        let exchange = Rc::new(Exchange::default());
        let told = Rc::downgrade(&exchange);
        spawn_local(async move {
            // The request on it learns by itself how it failed.
            let _ = connection.await;
            told.upgrade().inspect(|exchange| exchange.close());
        });
        let requests = Rc::new(RefCell::new(requests));
        let sender = HyperSender { template: template.clone(), requests, exchange: Rc::clone(&exchange) };
        Ok(Opened { sender, receiver: HyperReceiver { exchange, seen }, handshake })
    }
}

/// What was seen of a connection, which hyper does not tell.
#[derive(Clone, Copy, Default)]
struct Seen {
    has_answered: bool,
    /// Whether any byte of the next answer was read.
    has_begun: bool,
}

/// Sends over one connection.
pub(super) struct HyperSender {
    template: Template,
    requests: Rc<RefCell<SendRequest<Empty>>>,
    exchange: Rc<Exchange<Answering>>,
}

impl Sender for HyperSender {
    fn send(&mut self, outgoing: &Outgoing<'_>) {
        let request = self.template.request(outgoing, Empty::new());
        let requests = Rc::clone(&self.requests);
        self.exchange.begin(Box::pin(async move {
            // After an answer the connection needs a turn of its own before it takes the next request.
            poll_fn(|context| requests.borrow_mut().poll_ready(context)).await?;
            let answering = requests.borrow_mut().send_request(request);
            answering.await
        }));
    }
}

/// Waits for the answers of one connection.
pub(super) struct HyperReceiver {
    exchange: Rc<Exchange<Answering>>,
    seen: Rc<Cell<Seen>>,
}

impl Receiver for HyperReceiver {
    async fn answer(&mut self) -> Result<Answer, Failure> {
        let answer = self.read_answer().await;
        let Seen { has_answered, has_begun } = self.seen.get();
        self.seen.set(Seen { has_answered: has_answered || answer.is_ok(), has_begun: false });
        answer.map_err(|failure| failure.on_connection(has_answered && !has_begun))
    }

    fn has_answered(&self) -> bool {
        self.seen.get().has_answered
    }
}

impl HyperReceiver {
    async fn read_answer(&self) -> Result<Answer, Failure> {
        let answered = self.exchange.answer().await.ok_or(Failure::Closed)?;
        let response = answered.map_err(|error| failure(&error))?;
        let first_byte = Some(Stamp::now());
        let (status, reusable) = (response.status().as_u16(), !says_close(&response));
        let mut body = response.into_body();
        while let Some(frame) = body.frame().await {
            frame.map_err(|error| failure(&error))?;
        }
        Ok(Answer { status, reusable, first_byte })
    }
}

fn says_close(response: &Response<Incoming>) -> bool {
    let options = response.headers().get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok());
    options.flat_map(|value| value.split(',')).any(|option| option.trim().eq_ignore_ascii_case("close"))
}

fn failure(error: &hyper::Error) -> Failure {
    if error.is_parse() { MalformedAnswer::Hyper.into() } else { Failure::Closed }
}
