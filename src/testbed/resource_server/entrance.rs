//! The entrance for the load, where its wire is another than that of the test bed's own calls.

use std::convert::Infallible;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::net::{TcpListener, UnixListener};

use crate::auth::sender::SenderEvidence;
use crate::testbed::listener::NoDelay;
use crate::testbed::resource_server::ResourceServer;
use crate::testbed::resource_server::conversation::{Language, accept};
use crate::testbed::spec::{ANY_PORT, ResourceServerSpec};
use crate::wire::{AcceptorError, ClientCertificates, Endpoint, Socket, Wire, acceptor};

/// A second listener of a resource server.
pub(crate) struct Entrance {
    /// Where it is.
    pub endpoint: Endpoint,
    listener: Listener,
    language: Language,
}

enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener, Option<SocketFile>),
}

/// A Unix socket that has a path: the file goes with it, since nobody could listen there again.
struct SocketFile(PathBuf);

/// Why there is no entrance.
#[derive(Debug, thiserror::Error)]
pub enum EntranceError {
    /// The place is taken, or not of this machine.
    #[error("cannot listen on {endpoint}; choose another place, or remove what an earlier server left there")]
    Listen {
        /// The place.
        endpoint: String,
        /// What the system said.
        source: io::Error,
    },
    /// Another kind of place than the wire runs over.
    #[error("cannot listen on {endpoint}: expected a place for {socket}")]
    Socket {
        /// The place.
        endpoint: Endpoint,
        /// What the wire runs over.
        socket: Socket,
    },
    /// TLS, but nobody to be.
    #[error("TLS needs a certificate and its key; the spec of the server has no `identity`")]
    NoIdentity,
    /// TLS, but not with this certificate and key.
    #[error(transparent)]
    Acceptor(#[from] AcceptorError),
}

impl Entrance {
    /// Opens the entrance of `spec`; `None` if its wire needs none.
    pub(crate) async fn open(spec: &ResourceServerSpec) -> Result<Option<Self>, EntranceError> {
        let wire = spec.wire;
        if wire == Wire::default() {
            return Ok(None);
        }
        let tls = match &wire.tls {
            Some(tls) => {
                let identity = spec.identity.as_ref().ok_or(EntranceError::NoIdentity)?;
                Some(acceptor(tls, wire.http, identity, certificates(spec))?)
            }
            None => None,
        };
        let (listener, endpoint) = listen(wire.socket, spec.entrance.as_ref()).await?;
        Ok(Some(Self { endpoint, listener, language: Language { http: wire.http, tls } }))
    }

    /// Serves what comes in, without end.
    pub(super) async fn serve(self, server: Arc<ResourceServer>) -> Infallible {
        match self.listener {
            Listener::Tcp(listener) => accept(server, NoDelay(listener), self.language).await,
            Listener::Unix(listener, _file) => accept(server, listener, self.language).await,
        }
    }
}

/// Who decides on what clients send asks them for certificates, if tokens are bound to those.
fn certificates(spec: &ResourceServerSpec) -> ClientCertificates {
    match spec.sender.as_ref().filter(|_| spec.hop == 0).map(|sender| sender.constraint.evidence()) {
        Some(SenderEvidence::Certificate(_)) => ClientCertificates::Asked,
        Some(SenderEvidence::Proofs(_)) | None => ClientCertificates::NotAsked,
    }
}

async fn listen(socket: Socket, wanted: Option<&Endpoint>) -> Result<(Listener, Endpoint), EntranceError> {
    let failed = |source| {
        let endpoint = wanted.map_or_else(|| format!("any {socket}"), ToString::to_string);
        EntranceError::Listen { endpoint, source }
    };
    match (socket, wanted) {
        (Socket::Tcp, None | Some(Endpoint::Tcp(_))) => {
            let address = if let Some(Endpoint::Tcp(address)) = wanted { *address } else { ANY_PORT };
            let listener = TcpListener::bind(address).await.map_err(failed)?;
            let endpoint = Endpoint::Tcp(listener.local_addr().map_err(failed)?);
            Ok((Listener::Tcp(listener), endpoint))
        }
        (Socket::Unix, None | Some(Endpoint::Unix(_))) => {
            let name = if let Some(Endpoint::Unix(name)) = wanted { Some(name.as_path()) } else { None };
            let (listener, endpoint) = Endpoint::listen_unix(name).map_err(failed)?;
            Ok((Listener::Unix(listener, name.and_then(SocketFile::of)), endpoint))
        }
        (_, Some(endpoint)) => Err(EntranceError::Socket { endpoint: endpoint.clone(), socket }),
    }
}

impl SocketFile {
    fn of(name: &Path) -> Option<Self> {
        let is_nowhere = name.to_str().is_some_and(|name| name.starts_with('@'));
        (!is_nowhere).then(|| Self(name.to_owned()))
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // Somebody else has removed it: then it is gone all the same.
        let _ = std::fs::remove_file(&self.0);
    }
}
