//! The entrance for clients whose tokens are bound to their certificates (RFC 8705 section 5): TLS, and what each connection has shown.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::auth::token::Confirmation;
use crate::testbed::listener::NoDelay;
use crate::testbed::spec::MutualEntranceSpec;
use crate::wire::{AcceptorError, ClientCertificates, Http, acceptor};

/// A listener that asks clients for their certificates.
pub(crate) struct MutualEntrance {
    /// Where it is.
    pub(crate) address: SocketAddr,
    /// Those whose handshake is done.
    accepted: mpsc::Receiver<(TlsStream<TcpStream>, PresentedCertificate)>,
    accepting: JoinHandle<()>,
}

/// What tokens are bound to that are asked for by a connection, if a certificate was presented on it.
#[derive(Clone, Debug, Default)]
pub(crate) struct PresentedCertificate(pub(super) Option<Arc<Confirmation>>);

/// There is no entrance.
#[derive(Debug, thiserror::Error)]
pub enum MutualEntranceError {
    /// The address is taken, or not of this machine.
    #[error("cannot listen on {address}; free the port or give another one (0 lets the system choose)")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The certificate and the key.
    #[error(transparent)]
    Acceptor(#[from] AcceptorError),
}

/// How long a handshake may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Connections that may wait to be served; more wait for their handshakes.
const WAITING: usize = 64;

impl MutualEntrance {
    pub(crate) async fn open(spec: &MutualEntranceSpec) -> Result<Self, MutualEntranceError> {
        let tls = acceptor(&spec.tls, Http::Http1, &spec.identity, ClientCertificates::Asked)?;
        let failed = |source| MutualEntranceError::Listen { address: spec.listen, source };
        let listener = TcpListener::bind(spec.listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let (done, accepted) = mpsc::channel(WAITING);
        let accepting = tokio::spawn(accept(NoDelay(listener), tls, done));
        Ok(Self { address, accepted, accepting })
    }
}

impl Drop for MutualEntrance {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// A handshake is a task of its own: nobody waits for that of somebody else.
async fn accept(
    mut listener: NoDelay,
    tls: TlsAcceptor,
    done: mpsc::Sender<(TlsStream<TcpStream>, PresentedCertificate)>,
) {
    loop {
        let (stream, _) = listener.accept().await;
        let (tls, done) = (tls.clone(), done.clone());
        tokio::spawn(async move {
            // One that fails, or does not come to an end, is the client's to notice.
            if let Ok(Ok(stream)) = tokio::time::timeout(PATIENCE, tls.accept(stream)).await {
                let certificate = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
                let cnf = certificate.map(|certificate| Arc::new(Confirmation::of_certificate(certificate)));
                // Nobody takes it where the server has ended.
                let _ = done.send((stream, PresentedCertificate(cnf))).await;
            }
        });
    }
}

impl Listener for MutualEntrance {
    type Io = TlsStream<TcpStream>;
    type Addr = PresentedCertificate;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.accepted.recv().await {
            Some(accepted) => accepted,
            // It has an end only if the task that accepts has.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<PresentedCertificate> {
        Ok(PresentedCertificate::default())
    }
}

impl Connected<IncomingStream<'_, MutualEntrance>> for PresentedCertificate {
    fn connect_info(stream: IncomingStream<'_, MutualEntrance>) -> Self {
        stream.remote_addr().clone()
    }
}
