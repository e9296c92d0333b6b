//! HTTP/2 by the library h2, which hyper is built on: hyper itself adds a task and two channels to every request.

mod lane;
#[cfg(test)]
mod tests;

use std::io;
use std::num::NonZeroU32;
use std::rc::Rc;

use h2::Reason;
use h2::client::{ResponseFuture, SendRequest};
use hyper::body::Bytes;

use crate::load::TargetServer;
use crate::load::exchange::Exchange;
use crate::load::http2::lane::{Joined, Lane, Lanes};
use crate::load::malformed::MalformedAnswer;
use crate::load::template::Template;
use crate::load::transport::{
    Answer, ConnectionSlot, Failure, Opened, Outgoing, Receiver, Sender, Transport,
};
use crate::units::Stamp;

/// Connections to servers by HTTP/2.
pub(super) struct Http2 {
    servers: Vec<(Lanes, Template)>,
    /// Places that share a connection.
    streams: usize,
}

impl Http2 {
    /// Connections to these servers, each shared by so many places and replaced after so many requests.
    pub(super) fn new(
        servers: &[TargetServer],
        streams: usize,
        requests_per_connection: Option<NonZeroU32>,
    ) -> Self {
        let peer = |server: &TargetServer| {
            let lanes = Lanes::new(server.connector.clone(), streams, requests_per_connection);
            (lanes, Template::http2(server))
        };
        Self { servers: servers.iter().map(peer).collect(), streams }
    }
}

impl Transport for Http2 {
    type Sender = Http2Sender;
    type Receiver = Http2Receiver;

    async fn connect(&self, place: ConnectionSlot) -> io::Result<Opened<Http2Sender, Http2Receiver>> {
        let (lanes, template) = &self.servers[place.server];
        let exchange = Rc::new(Exchange::default());
        let Joined { lane, requests, handshake } = lanes.join(place.number / self.streams, &exchange).await?;
        let sender = Http2Sender {
            template: template.clone(),
            requests,
            lane: Rc::clone(&lane),
            exchange: Rc::clone(&exchange),
        };
        Ok(Opened { sender, receiver: Http2Receiver { exchange, lane }, handshake })
    }
}

/// Sends over one stream at a time.
pub(super) struct Http2Sender {
    template: Template,
    requests: SendRequest<Bytes>,
    lane: Rc<Lane>,
    exchange: Rc<Exchange<ResponseFuture>>,
}

impl Sender for Http2Sender {
    fn send(&mut self, outgoing: &Outgoing<'_>) {
        match self.requests.send_request(self.template.request(outgoing, ()), true) {
            Ok((answering, _)) => self.exchange.begin(answering),
            Err(error) => self.exchange.end(Err(error)),
        }
        self.lane.carried();
    }
}

/// Waits for the answers of one stream at a time.
pub(super) struct Http2Receiver {
    exchange: Rc<Exchange<ResponseFuture>>,
    lane: Rc<Lane>,
}

impl Receiver for Http2Receiver {
    async fn answer(&mut self) -> Result<Answer, Failure> {
        let answered = self.exchange.answer().await.ok_or(Failure::Closed)?;
        let response = answered.map_err(|error| without_answer(&error, self.lane.has_answered()))?;
        let first_byte = Some(Stamp::now());
        let status = response.status().as_u16();
        let mut body = response.into_body();
        while let Some(bytes) = body.data().await {
            let length = bytes?.len();
            body.flow_control().release_capacity(length)?;
        }
        self.lane.answered();
        Ok(Answer { status, reusable: !self.exchange.is_closed(), first_byte })
    }

    fn has_answered(&self) -> bool {
        self.lane.has_answered()
    }
}

/// Why a request ended of whose answer nothing came.
fn without_answer(error: &h2::Error, has_answered: bool) -> Failure {
    // Only of streams above the last of the GOAWAY, and of those that came after it.
    if error.is_go_away() && error.is_remote() {
        Failure::WentAway
    } else if error.is_reset() && error.is_remote() && error.reason() == Some(Reason::REFUSED_STREAM) {
        Failure::Refused
    } else {
        failure(error).on_connection(has_answered)
    }
}

impl Drop for Http2Receiver {
    /// Nobody waits any more for an answer that took too long: the connection may be dead.
    fn drop(&mut self) {
        if self.exchange.is_waiting() {
            self.lane.retire();
        }
    }
}

impl From<h2::Error> for Failure {
    fn from(error: h2::Error) -> Self {
        failure(&error)
    }
}

fn failure(error: &h2::Error) -> Failure {
    match (error.get_io(), error.reason()) {
        (Some(error), _) => Failure::from(error.kind()),
        // What was found wrong on this side, not what the server sent word of.
        (None, Some(reason)) if error.is_library() => MalformedAnswer::Http2(reason).into(),
        (None, _) if error.is_reset() => Failure::Reset,
        (None, _) => Failure::Closed,
    }
}
