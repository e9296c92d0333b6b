//! The library hyper as an engine: HTTP/2, and HTTP/1.1 as the peer of the own engine.

mod exchange;
mod lane;

use std::io;
use std::rc::Rc;

use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, HOST, HeaderName, HeaderValue};
use hyper::{Request, Uri};

use crate::load::Server;
use crate::load::hyper::exchange::{Empty, Exchange};
use crate::load::hyper::lane::{Lanes, Requests};
use crate::load::transport::{Answer, Failure, Opened, Outgoing, Place, Receiver, Sender, Transport};
use crate::plan::PROBE_HEADER;
use crate::wire::Http;

/// Connections to servers by hyper.
pub(super) struct Hyper {
    servers: Vec<Peer>,
    http: Http,
    /// Places that share a connection.
    streams: usize,
}

/// A server and the connections to it.
struct Peer {
    lanes: Lanes,
    target: Target,
}

/// What every request to a server says besides its token.
#[derive(Clone)]
struct Target {
    uri: Uri,
    /// For HTTP/1.1: HTTP/2 has it in the URI.
    host: Option<HeaderValue>,
}

impl Hyper {
    /// Connections to these servers, each shared by so many places.
    pub(super) fn new(servers: &[Server], http: Http, streams: usize) -> Self {
        let peer = |server: &Server| Peer {
            lanes: Lanes::new(server.connector.clone(), http),
            target: Target::of(server, http),
        };
        Self {
            servers: servers.iter().map(peer).collect(),
            http,
            streams: if http == Http::Http2 { streams } else { 1 },
        }
    }
}

impl Target {
    fn of(server: &Server, http: Http) -> Self {
        let Server { authority, path, is_secure, .. } = server;
        let scheme = if *is_secure { "https" } else { "http" };
        match http {
            Http::Http1 => Self {
                uri: path.parse().expect("the path of a URL is one of a request"),
                host: Some(HeaderValue::from_str(authority).expect("an authority is plain text")),
            },
            Http::Http2 => Self {
                uri: format!("{scheme}://{authority}{path}").parse().expect("the parts of a URL make one"),
                host: None,
            },
        }
    }

    fn request(&self, outgoing: &Outgoing<'_>) -> Request<Empty> {
        let mut value = Vec::with_capacity(outgoing.token.len() + 7);
        value.extend_from_slice(b"Bearer ");
        value.extend_from_slice(outgoing.token.as_bytes());
        let mut request = Request::new(Empty::new());
        *request.uri_mut() = self.uri.clone();
        let headers = request.headers_mut();
        if let Some(host) = &self.host {
            headers.insert(HOST, host.clone());
        }
        let value = HeaderValue::from_maybe_shared(Bytes::from(value));
        headers
            .insert(AUTHORIZATION, value.expect("the characters of tokens are checked when they are read"));
        if let Some(probe) = outgoing.probe {
            headers.insert(HeaderName::from_static(PROBE_HEADER), probe.into());
        }
        request
    }
}

impl Transport for Hyper {
    type Sender = HyperSender;
    type Receiver = HyperReceiver;

    async fn connect(&self, place: Place) -> io::Result<Opened<HyperSender, HyperReceiver>> {
        let peer = &self.servers[place.server];
        let exchange = Rc::new(Exchange::default());
        let lane = place.number / self.streams;
        let (requests, handshake) = peer.lanes.join(lane, place.generation, &exchange).await?;
        let sender = HyperSender { target: peer.target.clone(), requests, exchange: Rc::clone(&exchange) };
        let receiver = HyperReceiver { exchange, is_shared: self.http == Http::Http2 };
        Ok(Opened { sender, receiver, handshake })
    }
}

/// Sends over one stream at a time.
pub(super) struct HyperSender {
    target: Target,
    requests: Requests,
    exchange: Rc<Exchange>,
}

impl Sender for HyperSender {
    fn send(&mut self, outgoing: &Outgoing<'_>) {
        let response = self.requests.send(self.target.request(outgoing));
        self.exchange.begin(response);
    }
}

/// Waits for the answers of one stream at a time.
pub(super) struct HyperReceiver {
    exchange: Rc<Exchange>,
    /// A connection of HTTP/2 outlives an answer whatever it says.
    is_shared: bool,
}

impl Receiver for HyperReceiver {
    async fn answer(&mut self) -> Result<Answer, Failure> {
        let (status, closes, first_byte) = self.exchange.answer().await?;
        Ok(Answer { status, reusable: self.is_shared || !closes, first_byte: Some(first_byte) })
    }
}
