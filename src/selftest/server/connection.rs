//! One connection to a server of known truth: bytes in, bytes out, nothing decided.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;

/// A connection and what was read from it of a request that is not complete.
pub(super) struct Connection {
    pub(super) stream: TcpStream,
    buffer: Vec<u8>,
    filled: usize,
}

/// What reading from a connection gave.
pub(super) enum Read {
    /// A whole request stands in [`Connection::request`].
    Request,
    /// Nothing whole yet.
    Partial,
    /// The other side is gone.
    Ended,
}

/// A request with a token of every usual size; it grows for the others.
const BUFFER: usize = 2 * 1024;

impl Connection {
    pub(super) fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: vec![0; BUFFER], filled: 0 })
    }

    /// Reads what has come. A client has one request on the wire at a time, so nothing follows its end.
    pub(super) fn read(&mut self) -> Read {
        loop {
            if self.filled == self.buffer.len() {
                self.buffer.resize(2 * self.filled, 0);
            }
            match self.stream.read(&mut self.buffer[self.filled..]) {
                Ok(0) => return Read::Ended,
                Ok(bytes) => self.filled += bytes,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Read::Partial,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => return Read::Ended,
            }
            if self.request().ends_with(b"\r\n\r\n") {
                return Read::Request;
            }
        }
    }

    /// The request that was read.
    pub(super) fn request(&self) -> &[u8] {
        &self.buffer[..self.filled]
    }

    /// The request was taken note of.
    pub(super) fn forget(&mut self) {
        self.filled = 0;
    }

    /// Writes an answer, which is so small that it fits; false if the other side is gone.
    pub(super) fn write(&mut self, answer: &str) -> bool {
        self.stream.write_all(answer.as_bytes()).is_ok()
    }
}
