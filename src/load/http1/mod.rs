//! HTTP/1.1: the scheduler's write goes straight to the socket, a reader finds the end of the answer.

mod decoder;
mod head;
mod outbox;

use std::cell::RefCell;
use std::future::poll_fn;
use std::io::{self, Write as _};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, ReadBuf};

use crate::load::TargetServer;
use crate::load::http1::head::KnownHead;
use crate::load::http1::outbox::Outbox;
use crate::load::transport::{
    Answer, ConnectionSlot, Failure, Handshake, Opened, Outgoing, PROOF_HEADER, Receiver, SCHEMES, Sender,
    Transport,
};
use crate::plan::PROBE_HEADER;
use crate::units::Stamp;
use crate::wire::Connector;

pub use decoder::Decoder;

/// Connections to servers by HTTP/1.1.
pub(super) struct Http1 {
    servers: Vec<Server>,
    /// Every request is assembled here: one buffer stays in the processor's cache where one per connection would not.
    buffer: Rc<RefCell<Vec<u8>>>,
}

/// What the connections to a server have in common.
struct Server {
    connector: Connector,
    /// What stands before the token in a request, by the scheme of the token.
    heads: Rc<[String; SCHEMES.len()]>,
    /// What stands before the body in its answers.
    known: Rc<RefCell<KnownHead>>,
}

impl Http1 {
    /// Connections to these servers.
    pub(super) fn new(servers: &[TargetServer]) -> Self {
        let server = |TargetServer { connector, authority, path, .. }: &TargetServer| Server {
            connector: connector.clone(),
            heads: Rc::new(SCHEMES.map(|scheme| {
                format!("GET {path} HTTP/1.1\r\nHost: {authority}\r\nAuthorization: {scheme}")
            })),
            known: Rc::default(),
        };
        Self { servers: servers.iter().map(server).collect(), buffer: Rc::default() }
    }
}

impl Transport for Http1 {
    type Sender = Http1Sender;
    type Receiver = Http1Receiver;

    async fn connect(&self, place: ConnectionSlot) -> io::Result<Opened<Http1Sender, Http1Receiver>> {
        let Server { connector, heads, known } = &self.servers[place.server];
        let stream = connector.connect().await?;
        let handshake = Some(Handshake { resumed: stream.is_resumed().unwrap_or(false) });
        let outbox = Rc::new(RefCell::new(Outbox::new(stream)));
        let (heads, buffer) = (Rc::clone(heads), Rc::clone(&self.buffer));
        let sender = Http1Sender { heads, outbox: Rc::clone(&outbox), buffer };
        let receiver =
            Http1Receiver { outbox, decoder: Decoder::of_known(Rc::clone(known)), has_answered: false };
        Ok(Opened { sender, receiver, handshake })
    }
}

/// Writes requests to one connection.
pub(super) struct Http1Sender {
    heads: Rc<[String; SCHEMES.len()]>,
    outbox: Rc<RefCell<Outbox>>,
    buffer: Rc<RefCell<Vec<u8>>>,
}

impl Sender for Http1Sender {
    fn send(&mut self, outgoing: &Outgoing<'_>) {
        let mut buffer = self.buffer.borrow_mut();
        buffer.clear();
        buffer.extend_from_slice(self.heads[outgoing.kind()].as_bytes());
        buffer.extend_from_slice(outgoing.token.as_bytes());
        if let Some(proof) = outgoing.proof {
            write!(buffer, "\r\n{PROOF_HEADER}: {proof}").expect("a vector takes every byte");
        }
        if let Some(probe) = outgoing.probe {
            write!(buffer, "\r\n{PROBE_HEADER}: {probe}").expect("a vector takes every byte");
        }
        buffer.extend_from_slice(b"\r\n\r\n");
        self.outbox.borrow_mut().send(&buffer);
    }
}

/// Reads answers from one connection.
pub(super) struct Http1Receiver {
    outbox: Rc<RefCell<Outbox>>,
    decoder: Decoder,
    has_answered: bool,
}

impl Receiver for Http1Receiver {
    async fn answer(&mut self) -> Result<Answer, Failure> {
        match self.read_answer().await {
            Ok(answer) => {
                self.has_answered = true;
                Ok(answer)
            }
            Err(failure) => Err(failure.on_connection(self.has_answered && !self.decoder.has_begun())),
        }
    }

    fn has_answered(&self) -> bool {
        self.has_answered
    }
}

impl Http1Receiver {
    async fn read_answer(&mut self) -> Result<Answer, Failure> {
        let mut first_byte = None;
        let answer = loop {
            let bytes = poll_fn(|context| self.poll_read(context)).await?;
            if bytes == 0 {
                break self.decoder.closed()?;
            }
            if let Some(answer) = self.decoder.filled(bytes)? {
                break answer;
            }
            first_byte.get_or_insert_with(Stamp::now);
        };
        // A server may answer before it has read the whole request; the rest would stand before the next one.
        let reusable = answer.reusable && self.outbox.borrow().is_empty();
        Ok(Answer { reusable, first_byte, ..answer })
    }

    fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<Result<usize, Failure>> {
        let mut outbox = self.outbox.borrow_mut();
        outbox.poll_finish(context)?;
        let mut buffer = ReadBuf::new(self.decoder.space()?);
        ready!(Pin::new(&mut outbox.stream).poll_read(context, &mut buffer))?;
        Poll::Ready(Ok(buffer.filled().len()))
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;
    use crate::wire::{Endpoint, Stream, Wire};

    const FIRST: ConnectionSlot = ConnectionSlot { server: 0, number: 0 };

    fn transport(listener: &TcpListener) -> Http1 {
        let address = listener.local_addr().unwrap();
        let connector = Connector::new(Endpoint::Tcp(address), &Wire::default(), None, "localhost").unwrap();
        Http1::new(&[TargetServer {
            connector,
            authority: address.to_string(),
            path: "/resource".to_owned(),
            is_secure: false,
        }])
    }

    #[tokio::test]
    async fn a_request_larger_than_the_socket_takes_at_once_arrives_whole() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let Opened { mut sender, mut receiver, .. } = transport(&listener).connect(FIRST).await.unwrap();
        let (mut server, _) = listener.accept().await.unwrap();
        let token = "x".repeat(20_000_000);
        sender.send(&Outgoing { token: &token, proof: Some("p.p.p"), probe: Some(7) });
        assert!(!receiver.outbox.borrow().is_empty(), "the token is too small to test anything");
        let serve = async {
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                server.read_buf(&mut request).await.unwrap();
            }
            server.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
            request
        };
        let (request, answer) = tokio::join!(serve, receiver.answer());
        assert_eq!(answer, Ok(Answer { status: 204, reusable: true, first_byte: None }));
        let text = String::from_utf8(request).unwrap();
        assert!(text.starts_with("GET /resource HTTP/1.1\r\nHost: 127.0.0.1:"));
        assert!(
            text.contains("\r\nAuthorization: DPoP x")
                && text.ends_with("x\r\ndpop: p.p.p\r\nbearerbench-probe: 7\r\n\r\n")
        );
        assert_eq!(text.matches('x').count(), token.len());
    }

    #[tokio::test]
    async fn an_idle_connection_that_the_server_closes_is_noticed() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let Opened { sender: _sender, mut receiver, .. } = transport(&listener).connect(FIRST).await.unwrap();
        drop(listener.accept().await.unwrap());
        assert_eq!(receiver.answer().await, Err(Failure::Closed));
    }

    #[tokio::test]
    async fn an_answer_in_pieces_has_a_first_byte_of_its_own() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let Opened { mut sender, mut receiver, .. } = transport(&listener).connect(FIRST).await.unwrap();
        let (mut server, _) = listener.accept().await.unwrap();
        sender.send(&Outgoing { token: "t", proof: None, probe: None });
        let begun = Stamp::now();
        server.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n").await.unwrap();
        let arrives = |context: &mut Context<'_>| match &receiver.outbox.borrow().stream {
            Stream::Tcp(stream) => stream.poll_peek(context, &mut ReadBuf::new(&mut [0])),
            other => panic!("{other:?}"),
        };
        poll_fn(arrives).await.unwrap();
        let mut answer = pin!(receiver.answer());
        assert!(
            poll_fn(|context| Poll::Ready(answer.as_mut().poll(context))).await.is_pending(),
            "the body is to come"
        );
        let read = Stamp::now();
        server.write_all(b"ok").await.unwrap();
        let first_byte = answer.await.unwrap().first_byte.unwrap();
        assert!((begun..=read).contains(&first_byte), "{begun:?} {first_byte:?} {read:?}");
    }
}
