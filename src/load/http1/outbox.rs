//! A connection with what its socket has not taken yet.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use tokio::io::AsyncWrite as _;

use crate::load::transport::Failure;
use crate::wire::Stream;

/// The scheduler writes into it, the reader finishes what did not fit.
pub(super) struct Outbox {
    pub(super) stream: Stream,
    unsent: Vec<u8>,
    /// Whether something may still stand in a TLS session.
    unflushed: bool,
    broken: Option<io::ErrorKind>,
    /// Wakes the reader, which finishes what the scheduler could not.
    reader: Option<Waker>,
}

impl Outbox {
    pub(super) fn new(stream: Stream) -> Self {
        Self { stream, unsent: Vec::new(), unflushed: false, broken: None, reader: None }
    }

    /// Whether everything was handed to the system.
    pub(super) fn is_empty(&self) -> bool {
        self.unsent.is_empty() && !self.unflushed
    }

    /// Writes as much as fits now.
    pub(super) fn send(&mut self, request: &[u8]) {
        let written = match self.stream.try_write(request) {
            Ok(written) => written,
            Err(error) => {
                if error.kind() != io::ErrorKind::WouldBlock {
                    self.broken = Some(error.kind());
                }
                0
            }
        };
        self.unflushed = !self.stream.is_flushed();
        if written < request.len() || self.unflushed {
            self.unsent.extend_from_slice(&request[written..]);
            if let Some(reader) = &self.reader {
                reader.wake_by_ref();
            }
        }
    }

    /// Goes on writing what is left; the reader is woken when more of it fits.
    pub(super) fn poll_finish(&mut self, context: &mut Context<'_>) -> Result<(), Failure> {
        match &mut self.reader {
            Some(known) => known.clone_from(context.waker()),
            None => self.reader = Some(context.waker().clone()),
        }
        if let Some(kind) = self.broken {
            return Err(io::Error::from(kind).into());
        }
        while !self.unsent.is_empty() {
            match Pin::new(&mut self.stream).poll_write(context, &self.unsent)? {
                Poll::Pending => return Ok(()),
                Poll::Ready(written) => {
                    self.unsent.drain(..written);
                    self.unflushed = true;
                }
            }
        }
        if self.unflushed && Pin::new(&mut self.stream).poll_flush(context)?.is_ready() {
            self.unflushed = false;
        }
        Ok(())
    }
}
