//! A connection of the load generator, whatever it runs over.

use std::io::{self, Write as _};
use std::pin::Pin;
use std::task::{Context, Poll};

use rustls::{ClientConnection, HandshakeKind};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::client::TlsStream;

use crate::wire::Negotiated;

/// A connection to a server.
#[derive(Debug)]
pub enum Stream {
    /// TCP.
    Tcp(TcpStream),
    /// A Unix socket.
    Unix(UnixStream),
    /// TLS over one of them.
    Tls(Box<TlsStream<Stream>>),
}

impl Stream {
    /// Writes what the socket takes at once, and says how much; never waits, leaves no waker behind, and is no part of tokio's
    /// budget of a task. What fits nowhere is [`io::ErrorKind::WouldBlock`].
    ///
    /// Over TLS, bytes count as written once the session has them: see [`Self::is_flushed`].
    #[inline]
    pub fn try_write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.try_write(bytes),
            Self::Unix(stream) => stream.try_write(bytes),
            Self::Tls(stream) => {
                let (socket, session) = stream.get_mut();
                encrypt(session, socket, bytes)
            }
        }
    }

    /// True if the socket has all that was written. If not, [`AsyncWrite::poll_flush`] waits until it has.
    #[inline]
    pub fn is_flushed(&self) -> bool {
        match self {
            Self::Tcp(_) | Self::Unix(_) => true,
            Self::Tls(stream) => !stream.get_ref().1.wants_write(),
        }
    }

    /// What both ends of TLS agreed on; `None` without TLS.
    pub fn negotiated(&self) -> Option<Negotiated> {
        match self {
            Self::Tcp(_) | Self::Unix(_) => None,
            Self::Tls(stream) => Some(Negotiated::of(stream.get_ref().1)),
        }
    }

    /// How many tickets came that take up this session later, as TLS 1.3 has them.
    pub(super) fn tickets(&self) -> u32 {
        match self {
            Self::Tcp(_) | Self::Unix(_) => 0,
            Self::Tls(stream) => stream.get_ref().1.tls13_tickets_received(),
        }
    }

    /// Whether the TLS session of an earlier connection was taken up; `None` without TLS.
    pub fn is_resumed(&self) -> Option<bool> {
        match self {
            Self::Tcp(_) | Self::Unix(_) => None,
            Self::Tls(stream) => Some(stream.get_ref().1.handshake_kind() == Some(HandshakeKind::Resumed)),
        }
    }
}

/// Fills the session with `bytes`, which takes 64 KB, as often as the socket empties it.
fn encrypt(session: &mut ClientConnection, socket: &mut Stream, bytes: &[u8]) -> io::Result<usize> {
    let mut socket = AtOnce(socket);
    let mut written = 0;
    loop {
        let taken = session.writer().write(&bytes[written..])?;
        written += taken;
        let mut is_full = false;
        while session.wants_write() && !is_full {
            match session.write_tls(&mut socket) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => is_full = true,
                Err(error) => return Err(error),
            }
        }
        if written == bytes.len() || (is_full && written > 0) {
            return Ok(written);
        }
        if is_full {
            return Err(io::ErrorKind::WouldBlock.into());
        }
    }
}

/// A socket as rustls wants it.
struct AtOnce<'a>(&'a mut Stream);

impl io::Write for AtOnce<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsyncRead for Stream {
    #[inline]
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Unix(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Unix(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write_vectored(context, parts),
            Self::Unix(stream) => Pin::new(stream).poll_write_vectored(context, parts),
            Self::Tls(stream) => Pin::new(stream).poll_write_vectored(context, parts),
        }
    }

    fn is_write_vectored(&self) -> bool {
        // Each of the three does.
        true
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            // What they were given, the system has.
            Self::Tcp(_) | Self::Unix(_) => Poll::Ready(Ok(())),
            Self::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Unix(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
