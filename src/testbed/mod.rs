//! Servers: each a process of its own, started for one trial and stopped with it.

mod authorization_server;
mod basic;
pub mod client;
pub mod core_watch;
mod events;
mod issued;
mod listener;
pub mod machine;
pub mod process;
mod resource_server;
pub mod server;
pub mod signature;
pub mod spec;
mod tokens;
mod usage;

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use crate::auth::token::signature::KeyError;
use crate::plan::{Placement, Trial};
use crate::testbed::client::{CallError, Client, uri};
use crate::testbed::process::{Launch, ProcessError, ServerProcess};
use crate::testbed::signature::TrialKey;
use crate::testbed::spec::{
    ANY_PORT, AuthorizationServerSpec, ClientSpec, Credentials, ResourceServerSpec, ServerSpec,
};
use crate::testbed::tokens::Source;
use crate::wire::{self, CertificateError, Endpoint, Trust};

pub use events::Revoked;
pub use issued::Issued;
pub use resource_server::Decision;
pub use tokens::{Count, Sink, SupplyError, TokenSupply, needed};
pub use usage::NodeWatch;

/// The servers of one trial.
#[derive(Debug)]
pub struct Testbed {
    authorization_server: ServerProcess,
    resource_servers: Vec<ServerProcess>,
    client: Client,
    /// Of every resource server, where the load reaches them over TLS.
    certificate: Option<Vec<u8>>,
}

/// The servers cannot be started, or do not answer.
#[derive(Debug, thiserror::Error)]
pub enum TestbedError {
    /// A process.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// The key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The certificate.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The tokens.
    #[error("the tokens of the trial cannot be issued")]
    Supply(#[from] SupplyError),
    /// A call.
    #[error(transparent)]
    Call(#[from] CallError),
    /// An answer to a call.
    #[error("a server of the test bed gave an answer that is not understood")]
    Answer(#[from] serde_json::Error),
    /// A look at a process.
    #[error("the usage of the {name} cannot be read")]
    Usage {
        /// Whose.
        name: String,
        /// What the system said.
        source: io::Error,
    },
}

/// The resource servers' own client: it only introspects.
fn introspector() -> Credentials {
    Credentials {
        client_id: "resource-server".to_owned(),
        client_secret: "secret of resource-server".to_owned(),
    }
}

impl Testbed {
    /// Starts the servers of `trial` as processes of `program`; `key` signs its tokens.
    pub async fn start(
        program: &Path,
        trial: &Trial,
        key: Option<TrialKey>,
        lifetime: Duration,
        placement: &Placement,
    ) -> Result<Self, TestbedError> {
        let subject = &trial.subject;
        let key = key.map(|key| key.key);
        let shared_key = key.as_ref().map(|key| key.public.clone()).filter(|key| !key.material.is_public());
        let launch = |spec| Launch { cores: placement.servers.clone(), spec };
        let spec = ServerSpec::AuthorizationServer(AuthorizationServerSpec {
            listen: ANY_PORT,
            signature: subject.signature.clone(),
            signing_key: key,
            also_publish: Vec::new(),
            store: subject.store.clone(),
            clients: clients(lifetime),
        });
        let authorization_server =
            ServerProcess::start(program, "authorization server", &launch(spec)).await?;
        let identity = subject.wire.tls.map(|_| wire::certificate()).transpose()?;
        let certificate = identity.as_ref().map(|identity| identity.certificate.clone());
        let spec = ServerSpec::ResourceServer(ResourceServerSpec {
            listen: ANY_PORT,
            architecture: subject.architecture.clone(),
            issuer: format!("http://{}", authorization_server.address),
            signature: subject.signature.clone(),
            shared_key,
            credentials: introspector(),
            audience: tokens::AUDIENCE.to_owned(),
            scope: tokens::SCOPE.to_owned(),
            wire: subject.wire,
            entrance: None,
            identity,
        });
        let mut resource_servers = Vec::new();
        for number in 1..=trial.workload.resource_servers {
            let name = format!("resource server {number}");
            resource_servers.push(ServerProcess::start(program, &name, &launch(spec.clone())).await?);
        }
        Ok(Self { authorization_server, resource_servers, client: Client::default(), certificate })
    }

    /// Where the resource servers answer plain HTTP/1.1, in order.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.resource_servers.iter().map(|server| server.address).collect()
    }

    /// Where the load reaches the resource servers over the wire of the subject, in order.
    pub fn endpoints(&self) -> Vec<Endpoint> {
        self.resource_servers.iter().map(|server| server.endpoint.clone()).collect()
    }

    /// By what the load knows the resource servers, whose certificate is for `localhost`; `None` without TLS.
    pub fn trust(&self) -> Option<Trust> {
        self.certificate.clone().map(|certificate| Trust::Certificates(vec![certificate]))
    }

    /// Has the tokens of `trial` issued, counts them and hands them to `sink` as they come.
    pub async fn supply(
        &self,
        trial: &Trial,
        so_far: &Count,
        sink: &mut Sink<'_>,
    ) -> Result<TokenSupply, TestbedError> {
        let issuer = self.issuer();
        let scheme = trial.subject.signature.clone();
        let source = Source { client: &self.client, issuer: &issuer, scheme, so_far };
        let watched = trial.workload.revocations.len();
        Ok(tokens::supply(&source, &trial.workload.pool, watched, sink).await?)
    }

    /// What the resource servers decided on tokens under revocation test.
    pub async fn decisions(&self) -> Result<Vec<Vec<Decision>>, TestbedError> {
        let mut decisions = Vec::new();
        for server in &self.resource_servers {
            decisions.push(self.ask(server, "/bench/decisions").await?);
        }
        Ok(decisions)
    }

    /// Fails if a server has ended.
    pub async fn ensure_alive(&mut self) -> Result<(), TestbedError> {
        self.authorization_server.ensure_alive().await?;
        for server in &mut self.resource_servers {
            server.ensure_alive().await?;
        }
        Ok(())
    }

    /// Stops every server and waits until it is gone.
    pub async fn stop(self) {
        for server in self.resource_servers {
            server.stop().await;
        }
        self.authorization_server.stop().await;
    }

    fn issuer(&self) -> String {
        format!("http://{}", self.authorization_server.address)
    }

    async fn ask<T: serde::de::DeserializeOwned>(
        &self,
        server: &ServerProcess,
        path: &str,
    ) -> Result<T, TestbedError> {
        let uri = uri(&format!("http://{}", server.address), path).expect("an address makes a URL");
        Ok(serde_json::from_slice(&self.client.get(&uri).await?)?)
    }
}

fn clients(lifetime: Duration) -> Vec<ClientSpec> {
    let introspector = ClientSpec { credentials: introspector(), ..tokens::GOOD.spec(lifetime) };
    [tokens::GOOD, tokens::ELSEWHERE, tokens::LATE]
        .iter()
        .map(|registration| registration.spec(lifetime))
        .chain([introspector])
        .collect()
}
