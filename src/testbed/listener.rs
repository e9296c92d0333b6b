//! A listener whose connections send small answers at once.

use std::net::SocketAddr;

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
