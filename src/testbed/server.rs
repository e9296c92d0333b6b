//! A server of the test bed as it runs in its own process.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;

use futures_util::future::{select_all, try_join_all};
use tokio::net::TcpListener;

use crate::auth::architecture::NotReady;
use crate::testbed::authorization_server::{MutualEntrance, MutualEntranceError};
use crate::testbed::resource_server::{Entrance, EntranceError};
use crate::testbed::spec::{Listening, ResourceServerSpec, ServerSpec};
use crate::testbed::{authorization_server, resource_server};
use crate::wire::Endpoint;

/// Why a server does not serve.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The address is taken, or not of this machine.
    #[error("cannot listen on {address}; free the port or give another one (0 lets the system choose)")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The authorization server cannot be prepared.
    #[error("the authorization server cannot start")]
    AuthorizationServer(#[from] authorization_server::PrepareError),
    /// Clients with certificates cannot reach the authorization server.
    #[error("the authorization server cannot open its entrance for clients with certificates")]
    MutualEntrance(#[from] MutualEntranceError),
    /// The resource server cannot be prepared.
    #[error("the resource server cannot start")]
    ResourceServer(#[from] NotReady),
    /// The load cannot reach the resource server.
    #[error("the resource server cannot open its entrance")]
    Entrance(#[from] EntranceError),
    /// The listening socket broke.
    #[error("cannot accept connections")]
    Accept(#[from] io::Error),
}

/// Serves without end. `ready` is told the address once requests are answered.
pub async fn serve(spec: ServerSpec, ready: impl FnOnce(Listening)) -> Result<Infallible, ServerError> {
    match spec {
        ServerSpec::AuthorizationServer(spec) => {
            let listener = listen(spec.listen).await?;
            let address = listener.local_addr()?;
            let entrance = match &spec.mutual {
                Some(mutual) => Some(MutualEntrance::open(mutual).await?),
                None => None,
            };
            let asked_at = entrance.as_ref().map_or(address, |entrance| entrance.address);
            let serving = authorization_server::prepare(spec, listener, entrance).await?;
            ready(Listening { address, endpoint: Endpoint::Tcp(asked_at) });
            serving.await?;
            Err(io::Error::from(io::ErrorKind::BrokenPipe).into())
        }
        ServerSpec::ResourceServer(spec) => {
            let (listening, serving) = resource_server(spec).await?;
            ready(listening);
            Ok(serving.await)
        }
        ServerSpec::ResourceServers { servers } => {
            let (listening, serving): (Vec<_>, Vec<_>) =
                try_join_all(servers.into_iter().map(resource_server)).await?.into_iter().unzip();
            let Some(first) = listening.into_iter().next() else {
                return Err(io::Error::from(io::ErrorKind::InvalidInput).into());
            };
            // Whoever started them chose where each is; that all are there is what is told.
            ready(first);
            Ok(select_all(serving.into_iter().map(Box::pin)).await.0)
        }
    }
}

/// A resource server that is ready, and where it is.
async fn resource_server(
    spec: ResourceServerSpec,
) -> Result<(Listening, impl Future<Output = Infallible>), ServerError> {
    let listener = listen(spec.listen).await?;
    let address = listener.local_addr()?;
    let entrance = Entrance::open(&spec).await?;
    let endpoint = entrance.as_ref().map_or(Endpoint::Tcp(address), |entrance| entrance.endpoint.clone());
    let serving = resource_server::prepare(spec, listener, entrance).await?;
    Ok((Listening { address, endpoint }, serving))
}

async fn listen(address: SocketAddr) -> Result<TcpListener, ServerError> {
    TcpListener::bind(address).await.map_err(|source| ServerError::Listen { address, source })
}
