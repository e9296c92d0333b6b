//! A server that answers every request of HTTP/2 at once, to be sent to as fast as the generator can.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::thread::{self, JoinHandle};

use http_body_util::Full;
use hyper::Response;
use hyper::body::Bytes;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::sync::oneshot;

use crate::testbed::machine::pin_thread;

/// A running server; dropping it ends it.
pub(super) struct Canned2 {
    pub(super) address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Canned2 {
    /// Starts it on the first of `cores`, if there is one.
    pub(super) fn start(cores: &[u32]) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let core = cores.first().copied();
        let (stop, stopped) = oneshot::channel();
        let thread = thread::spawn(move || {
            // Where the core is not ours to choose, it runs wherever it may.
            let _ = core.map(|core| pin_thread(&[core]));
            runtime.block_on(async {
                tokio::select! {
                    () = accept(listener) => {}
                    _ = stopped => {}
                }
            });
        });
        Ok(Self { address, stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Canned2 {
    fn drop(&mut self) {
        drop(self.stop.take());
        // A thread that panicked has answered nobody, which the generator tells.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

async fn accept(listener: std::net::TcpListener) {
    let listener = TcpListener::from_std(listener).expect("a runtime is around");
    while let Ok((stream, _)) = listener.accept().await {
        // It answers later, at the worst.
        let _ = stream.set_nodelay(true);
        let answer =
            service_fn(async |_| Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(b"ok")))));
        let connection =
            http2::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), answer);
        tokio::spawn(async {
            // How a connection ends is the client's affair.
            let _ = connection.await;
        });
    }
}
