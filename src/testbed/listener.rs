//! Listeners whose connections send small answers at once, and end with who takes none.

use std::net::SocketAddr;
use std::time::Duration;

use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};

/// Turns Nagle's algorithm off: an answer that waits for the acknowledgement of the one before it takes 40 ms.
pub(super) struct NoDelay(pub TcpListener);

impl axum::serve::Listener for NoDelay {
    type Io = TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        let (stream, address) = axum::serve::Listener::accept(&mut self.0).await;
        // A connection that is gone already fails at its first read.
        let _ = stream.set_nodelay(true);
        (stream, address)
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// The same, and a connection is ended by the kernel once its other end has taken nothing of what was sent for so long: a stream that nobody
/// reads would stay for ever.
pub(super) struct Impatient(pub NoDelay, pub Duration);

impl axum::serve::Listener for Impatient {
    type Io = TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        let (stream, address) = axum::serve::Listener::accept(&mut self.0).await;
        // As above: a connection that is gone fails by itself.
        let _ = SockRef::from(&stream).set_tcp_user_timeout(Some(self.1));
        (stream, address)
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        axum::serve::Listener::local_addr(&self.0)
    }
}
