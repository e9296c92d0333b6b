//! HTTP/1.1 over TCP: the scheduler's write goes straight to the socket, a reader finds the end of the answer.

mod decoder;
mod head;

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};

use tokio::io::{AsyncRead, ReadBuf};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

use crate::load::http1::decoder::Decoder;
use crate::load::transport::{Answer, Failure, Outgoing, Receiver, Sender, Transport};
use crate::plan::PROBE_HEADER;

/// Connections to resource servers by HTTP/1.1.
pub(super) struct Http1 {
    servers: Vec<(SocketAddr, Rc<str>)>,
    /// Every request is assembled here: one buffer stays in the processor's cache where one per connection would not.
    buffer: Rc<RefCell<Vec<u8>>>,
}

impl Http1 {
    /// Connections to these addresses.
    pub(super) fn new(addresses: &[SocketAddr]) -> Self {
        let head = |address: &SocketAddr| {
            format!("GET /resource HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer ").into()
        };
        let servers = addresses.iter().map(|address| (*address, head(address))).collect();
        Self { servers, buffer: Rc::default() }
    }
}

impl Transport for Http1 {
    type Sender = Http1Sender;
    type Receiver = Http1Receiver;

    async fn connect(&self, resource_server: usize) -> io::Result<(Http1Sender, Http1Receiver)> {
        let (address, head) = &self.servers[resource_server];
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (read, write) = stream.into_split();
        let outbox = Rc::new(Outbox::new(write));
        let sender = Http1Sender {
            head: Rc::clone(head),
            outbox: Rc::clone(&outbox),
            buffer: Rc::clone(&self.buffer),
        };
        Ok((sender, Http1Receiver { read, outbox, decoder: Decoder::new() }))
    }
}

/// Writes requests to one socket.
pub(super) struct Http1Sender {
    head: Rc<str>,
    outbox: Rc<Outbox>,
    buffer: Rc<RefCell<Vec<u8>>>,
}

impl Sender for Http1Sender {
    fn send(&mut self, outgoing: &Outgoing<'_>) {
        let mut buffer = self.buffer.borrow_mut();
        buffer.clear();
        buffer.extend_from_slice(self.head.as_bytes());
        buffer.extend_from_slice(outgoing.token.as_bytes());
        if let Some(probe) = outgoing.probe {
            write!(buffer, "\r\n{PROBE_HEADER}: {probe}").expect("a vector takes every byte");
        }
        buffer.extend_from_slice(b"\r\n\r\n");
        self.outbox.send(&buffer);
    }
}

/// Reads answers from one socket.
pub(super) struct Http1Receiver {
    read: OwnedReadHalf,
    outbox: Rc<Outbox>,
    decoder: Decoder,
}

impl Receiver for Http1Receiver {
    async fn answer(&mut self) -> Result<Answer, Failure> {
        let answer = loop {
            let bytes = poll_fn(|context| self.poll_read(context)).await?;
            if bytes == 0 {
                break self.decoder.closed()?;
            }
            if let Some(answer) = self.decoder.filled(bytes)? {
                break answer;
            }
        };
        // A server may answer before it has read the whole request; the rest would stand before the next one.
        Ok(Answer { reusable: answer.reusable && self.outbox.is_empty(), ..answer })
    }
}

impl Http1Receiver {
    fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<Result<usize, Failure>> {
        self.outbox.poll_finish(context)?;
        let mut buffer = ReadBuf::new(self.decoder.space()?);
        ready!(Pin::new(&mut self.read).poll_read(context, &mut buffer))?;
        Poll::Ready(Ok(buffer.filled().len()))
    }
}

/// The writing half of a socket with what it has not taken yet.
struct Outbox {
    write: OwnedWriteHalf,
    unsent: RefCell<Vec<u8>>,
    broken: Cell<Option<io::ErrorKind>>,
    /// Wakes the reader, which finishes what the scheduler could not.
    reader: RefCell<Option<Waker>>,
}

impl Outbox {
    fn new(write: OwnedWriteHalf) -> Self {
        Self { write, unsent: RefCell::default(), broken: Cell::new(None), reader: RefCell::default() }
    }

    fn is_empty(&self) -> bool {
        self.unsent.borrow().is_empty()
    }

    fn send(&self, request: &[u8]) {
        let written = match self.write.try_write(request) {
            Ok(written) => written,
            Err(error) => {
                if error.kind() != io::ErrorKind::WouldBlock {
                    self.broken.set(Some(error.kind()));
                }
                0
            }
        };
        if written < request.len() {
            self.unsent.borrow_mut().extend_from_slice(&request[written..]);
            if let Some(reader) = &*self.reader.borrow() {
                reader.wake_by_ref();
            }
        }
    }

    /// Goes on writing what is left; the reader is woken when more of it fits.
    fn poll_finish(&self, context: &mut Context<'_>) -> Result<(), Failure> {
        let mut reader = self.reader.borrow_mut();
        match &mut *reader {
            Some(known) => known.clone_from(context.waker()),
            None => *reader = Some(context.waker().clone()),
        }
        if let Some(kind) = self.broken.get() {
            return Err(io::Error::from(kind).into());
        }
        let mut unsent = self.unsent.borrow_mut();
        while !unsent.is_empty() {
            match self.write.as_ref().poll_write_ready(context)? {
                Poll::Pending => break,
                Poll::Ready(()) => match self.write.try_write(&unsent) {
                    Ok(written) => drop(unsent.drain(..written)),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Err(error) => return Err(error.into()),
                },
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_request_larger_than_the_socket_takes_at_once_arrives_whole() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let transport = Http1::new(&[listener.local_addr().unwrap()]);
        let (mut sender, mut receiver) = transport.connect(0).await.unwrap();
        let (mut server, _) = listener.accept().await.unwrap();
        let token = "x".repeat(20_000_000);
        sender.send(&Outgoing { token: &token, probe: Some(7) });
        assert!(!receiver.outbox.is_empty(), "the token is too small to test anything");
        let serve = async {
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                server.read_buf(&mut request).await.unwrap();
            }
            server.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
            request
        };
        let (request, answer) = tokio::join!(serve, receiver.answer());
        assert_eq!(answer, Ok(Answer { status: 204, reusable: true }));
        let text = String::from_utf8(request).unwrap();
        assert!(text.starts_with("GET /resource HTTP/1.1\r\nHost: 127.0.0.1:"));
        assert!(text.ends_with("x\r\nbearerbench-probe: 7\r\n\r\n"));
        assert_eq!(text.matches('x').count(), token.len());
    }

    #[tokio::test]
    async fn an_idle_connection_that_the_server_closes_is_noticed() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let transport = Http1::new(&[listener.local_addr().unwrap()]);
        let (_sender, mut receiver) = transport.connect(0).await.unwrap();
        drop(listener.accept().await.unwrap());
        assert_eq!(receiver.answer().await, Err(Failure::Closed));
    }
}
