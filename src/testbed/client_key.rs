//! The key that the tokens of a trial are bound to, and the proofs that its owner signs with it.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use futures_util::future::try_join_all;
use hyper::Uri;
use tokio::task::AbortHandle;

use crate::auth::token::dpop::{NONCE_HEADER, ProofKey, ProofRules, ToProve};
use crate::auth::token::signature::KeyError;
use crate::auth::token::{Confirmation, WallClock};
use crate::testbed::client::{CallError, Client};
use crate::wire::Wire;

/// The key of the one client that the load is.
pub struct ClientKey {
    key: ProofKey,
    clock: WallClock,
    /// The URI of the resource, which is the same at every server that the load reaches.
    resource: String,
    max_age: Duration,
    /// The newest nonce of each of these servers; none where they give out none.
    nonces: Arc<RwLock<Vec<String>>>,
    /// Asks for newer ones.
    asking: Option<AbortHandle>,
}

/// There are no proofs that a server takes.
#[derive(Debug, thiserror::Error)]
pub enum NonceError {
    /// A server does not answer.
    #[error(transparent)]
    Call(#[from] CallError),
    /// It answers without a nonce.
    #[error("{0} gave no nonce")]
    NoNonce(Uri),
}

/// The URI of the resource as clients know it that reach its servers over this wire.
pub(super) fn resource(wire: Wire) -> String {
    let scheme = if wire.tls.is_some() { "https" } else { "http" };
    format!("{scheme}://localhost/resource")
}

impl ClientKey {
    /// A fresh key, for resource servers that ask this of proofs and are reached over this wire.
    pub(super) fn generate(rules: &ProofRules, wire: Wire) -> Result<Self, KeyError> {
        Ok(Self {
            key: ProofKey::generate(&*rules.algorithm)?,
            clock: WallClock::system(),
            resource: resource(wire),
            max_age: rules.max_age,
            nonces: Arc::default(),
            asking: None,
        })
    }

    /// Asks each of these servers for its nonce, now and before it grows old, for as long as there is this key. A client would take it
    /// from the answers to its requests; the load generator does not read them.
    pub(super) async fn keep_nonces(&mut self, client: &Client, servers: Vec<Uri>) -> Result<(), NonceError> {
        let nonces = Arc::clone(&self.nonces);
        *nonces.write().unwrap_or_else(PoisonError::into_inner) = ask(client, &servers).await?;
        let (client, every) = (client.clone(), self.max_age / 4);
        let asking = tokio::spawn(async move {
            loop {
                tokio::time::sleep(every).await;
                // Without an answer the former ones go on: a server that is down takes no proof at all.
                if let Ok(newer) = ask(&client, &servers).await {
                    *nonces.write().unwrap_or_else(PoisonError::into_inner) = newer;
                }
            }
        });
        self.asking = Some(asking.abort_handle());
        Ok(())
    }

    /// How long before a request its proof may be signed. A nonce counts for as long as a proof, and may be a quarter of that old.
    pub fn ahead(&self) -> Duration {
        self.max_age / 2
    }

    /// What binds a token to it.
    pub fn confirmation(&self) -> Confirmation {
        Confirmation::of_key(self.key.thumbprint())
    }

    /// A proof for a request with this token to a resource server, numbered from 0.
    pub fn resource_proof(&self, token: &str, resource_server: usize) -> String {
        let nonces = self.nonces.read().unwrap_or_else(PoisonError::into_inner);
        let nonce = nonces.get(resource_server).map(String::as_str);
        self.proof(&ToProve { method: "GET", uri: &self.resource, token: Some(token), nonce })
    }

    /// A proof for a request to the token endpoint.
    pub(super) fn token_proof(&self, endpoint: &Uri) -> String {
        let uri = endpoint.to_string();
        self.proof(&ToProve { method: "POST", uri: &uri, token: None, nonce: None })
    }

    fn proof(&self, request: &ToProve<'_>) -> String {
        self.key.prove(request, self.clock.now()).expect("a key that was made just now signs")
    }
}

/// The nonces of these servers, which give one to whoever comes without a token.
async fn ask(client: &Client, servers: &[Uri]) -> Result<Vec<String>, NonceError> {
    let asking: Vec<_> = servers.iter().map(|server| nonce(client, server)).collect();
    try_join_all(asking).await
}

async fn nonce(client: &Client, server: &Uri) -> Result<String, NonceError> {
    let headers = client.headers(server).await?;
    let nonce = headers.get(NONCE_HEADER).and_then(|nonce| nonce.to_str().ok());
    nonce.map(str::to_owned).ok_or_else(|| NonceError::NoNonce(server.clone()))
}

impl fmt::Debug for ClientKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientKey").field("thumbprint", &self.key.thumbprint()).finish_non_exhaustive()
    }
}

impl Drop for ClientKey {
    fn drop(&mut self) {
        self.asking.iter().for_each(AbortHandle::abort);
    }
}
