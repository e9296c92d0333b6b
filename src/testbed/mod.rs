//! Servers: each a process of its own, started for one trial and stopped with it.

mod authorization_server;
mod basic;
mod chain;
pub mod client;
mod client_certificate;
mod client_key;
mod connections;
pub mod core_watch;
mod desk;
mod event_stream;
mod exchange;
mod heard;
mod issued;
mod listener;
pub mod machine;
mod misses;
mod node;
mod port;
pub mod process;
mod resource_server;
mod revocation_events;
pub mod server;
pub mod service;
pub mod signature;
pub mod spec;
mod timeline;
mod token_owner;
mod tokens;
mod usage;

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use futures_util::future::{join_all, try_join_all};

use crate::auth::store::Store;
use crate::auth::token::signature::KeyError;
use crate::design::{Design, TokenFormat};
use crate::observation::Role;
use crate::plan::{Placement, Trial};
use crate::registry::Part;
use crate::testbed::chain::Chain;
use crate::testbed::client::{CallError, Client, uri};
use crate::testbed::client_key::NonceError;
use crate::testbed::node::Place;
use crate::testbed::process::ProcessError;
use crate::testbed::service::{ServiceError, StoredTokens};
use crate::testbed::signature::TrialKey;
use crate::testbed::spec::{AuthorizationServerSpec, ClientSpec, Credentials, ServerSpec};
use crate::testbed::tokens::Source;
use crate::wire::{self, CertificateError, ConnectorError, Endpoint, Trust};

pub use client_certificate::ClientCertificate;
pub use client_key::ClientKey;
pub use desk::{Refreshable, Refresher, SuppliedToken, TokenClient};
pub use heard::ToldOf;
pub use issued::Issued;
pub use node::TrialNode;
pub use resource_server::{Decision, MOST_CALLS, most_connections};
pub use timeline::{Happened, HappenedAction};
pub use token_owner::TokenOwner;
pub use tokens::{Count, Sink, SupplyError, TokenSupply, needed, readable_claims};

/// The servers of one trial. Each can be killed, started again, paused and resumed while the others are used.
#[derive(Debug)]
pub struct Testbed {
    nodes: Vec<TrialNode>,
    /// Where tokens were kept by somebody else's program, which goes on: what is there is taken away at the end.
    lent_store: Option<Part<dyn Store>>,
    client: Client,
    /// Whose its tokens are.
    owner: TokenOwner,
    /// Of every server that the load reaches over TLS.
    certificate: Option<Vec<u8>>,
}

/// The servers cannot be started, or do not answer.
#[derive(Debug, thiserror::Error)]
pub enum TestbedError {
    /// A port.
    #[error("no port can be reserved for a server")]
    Port(#[source] io::Error),
    /// A process.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// A program that keeps tokens.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// The key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The certificate.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// Tokens that are bound to a certificate, and no connection on which one is presented.
    #[error(
        "tokens are bound to a certificate of the client, and requests travel without TLS; expected `wire` with `tls`"
    )]
    NoTls,
    /// No connection to a server.
    #[error(transparent)]
    Connector(#[from] ConnectorError),
    /// A connection that was to be measured.
    #[error("the handshake with a server that the load reaches cannot be measured")]
    Handshake(#[source] io::Error),
    /// The tokens.
    #[error("the tokens of the trial cannot be issued")]
    Supply(#[from] SupplyError),
    /// A nonce for proofs.
    #[error("a resource server told clients no nonce")]
    Nonce(#[from] NonceError),
    /// A call.
    #[error(transparent)]
    Call(#[from] CallError),
    /// An answer to a call.
    #[error("a server of the test bed gave an answer that is not understood")]
    Answer(#[from] serde_json::Error),
    /// No answer to a look.
    #[error("the {name} gave no answer within {} s", .limit.as_secs_f64())]
    Silent {
        /// Whose.
        name: String,
        /// How long was waited.
        limit: Duration,
    },
    /// A look at a process.
    #[error("the usage of the {name} cannot be read")]
    Usage {
        /// Whose.
        name: String,
        /// What the system said.
        source: io::Error,
    },
}

/// The client that gateways and resource servers are: it only introspects.
fn introspector() -> Credentials {
    Credentials {
        client_id: "resource-server".to_owned(),
        client_secret: "secret of resource-server".to_owned(),
    }
}

impl Testbed {
    /// Starts the servers of `trial` as processes of `program`; `key` signs its tokens. Chains of gateways and resource servers start
    /// beside each other, once the authorization server answers: some fetch its keys before they are ready.
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
        let StoredTokens { store, node: store_node, is_lent } =
            StoredTokens::ready(subject, placement).await?;
        let identity = subject.wire.tls.map(|_| wire::certificate()).transpose()?;
        let place = Place::reserve(token_owner::wire_to_issuer(subject)).map_err(TestbedError::Port)?;
        let spec = ServerSpec::AuthorizationServer(AuthorizationServerSpec {
            listen: place.address,
            signature: subject.signature.clone(),
            outside: Some(subject.token_format()),
            signing_key: key,
            also_publish: Vec::new(),
            store: store.clone(),
            clients: clients(lifetime, subject.extra_claims.bytes(), &subject.architecture.design()),
            serves: vec![subject.architecture.clone()],
            sender: subject.sender.clone(),
            mutual: token_owner::mutual_entrance(subject, &place.endpoint, identity.as_ref()),
        });
        let authorization_server =
            TrialNode::start(program, "authorization server", placement, &spec, place).await?;
        let certificate = identity.as_ref().map(|identity| identity.certificate.clone());
        let issuer = format!("http://{}", authorization_server.address);
        let (seed, at_once) = (trial.seed, trial.workload.requests_at_once());
        let chain = Chain { program, placement, subject, issuer, shared_key, identity, at_once, seed };
        let processes = placement.processes(subject.resource_servers);
        let chains = processes.into_iter().map(|numbers| chain.start(numbers));
        let mut servers: Vec<TrialNode> = try_join_all(chains).await?.into_iter().flatten().collect();
        // Stable: those of a hop stay in the order of their numbers.
        servers.sort_by_key(|server| server.hop);
        let mut nodes = vec![authorization_server];
        nodes.extend(servers);
        nodes.extend(store_node.map(TrialNode::before_tokens));
        let client = Client::default();
        let trust = certificate.clone().map(|certificate| Trust::Certificates(vec![certificate]));
        let owner = TokenOwner::of(subject, &client, &nodes[0], edge(&nodes), trust).await?;
        let lent_store = is_lent.then_some(store);
        Ok(Self { nodes, lent_store, client, owner, certificate })
    }

    /// All of them: the authorization server, then those that the load reaches, in order, then those behind them, then the program that keeps
    /// tokens if it is ours.
    pub fn nodes(&self) -> &[TrialNode] {
        &self.nodes
    }

    /// Whose the tokens are.
    pub fn owner(&self) -> &TokenOwner {
        &self.owner
    }

    /// Where the servers that the load reaches answer plain HTTP/1.1, in order.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.edge().map(|server| server.address).collect()
    }

    /// Where the load reaches them over the wire of the subject, in order.
    pub fn endpoints(&self) -> Vec<Endpoint> {
        self.edge().map(|server| server.endpoint.clone()).collect()
    }

    /// By what the load knows these servers, whose certificate is for `localhost`; `None` without TLS.
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
        let outside = trial.subject.token_format();
        let scheme = trial.subject.signature.clone().filter(|_| outside != TokenFormat::Opaque);
        let extra_claims = trial.subject.extra_claims.bytes();
        let (client, owner) = (&self.client, &self.owner);
        let subject = &trial.subject;
        // Whoever binds tokens or has them refreshed needs more than the token; JWTs are kept by nobody.
        let together = subject.service.is_some()
            && subject.sender.is_none()
            && subject.architecture.design().refreshing.is_none()
            && outside != TokenFormat::Jwt;
        let source =
            Source { client, issuer: &issuer, outside, scheme, extra_claims, owner, together, so_far };
        let watched = trial.workload.timeline.revocation_count();
        Ok(tokens::supply(&source, &trial.workload.pool, watched, sink).await?)
    }

    /// A client that has good tokens issued while the load runs.
    pub fn token_client(&self) -> TokenClient {
        TokenClient::of(&self.client, &self.issuer(), self.owner.clone())
    }

    /// What has tokens refreshed.
    pub fn refresher(&self) -> Refresher {
        Refresher::at(&self.issuer(), self.owner.clone())
    }

    /// What was decided on tokens under revocation test by those who decide on what clients send, since each was started last; one that is down
    /// tells nothing.
    pub async fn decisions(&self) -> Result<Vec<Vec<Decision>>, TestbedError> {
        let told = self.edge().map(|server| async move {
            match server.pid() {
                Some(_) => self.ask(server, "/bench/decisions").await,
                None => Ok(Vec::new()),
            }
        });
        try_join_all(told).await
    }

    /// Fails if a server has ended, or is down, unless it is one of those that are `meant_to_be_down`, by name.
    pub async fn ensure_alive(&self, meant_to_be_down: &[&str]) -> Result<(), TestbedError> {
        for node in self.nodes.iter().filter(|node| !meant_to_be_down.contains(&node.name.as_str())) {
            node.ensure_alive().await?;
        }
        Ok(())
    }

    /// Stops every server and waits until it is gone.
    pub async fn stop(self) {
        let (stores, servers): (Vec<&TrialNode>, _) =
            self.nodes.iter().partition(|node| node.role == Role::Store);
        join_all(servers.into_iter().map(TrialNode::kill)).await;
        // Nobody is connected with them any more.
        join_all(stores.into_iter().map(TrialNode::end)).await;
        if let Some(store) = &self.lent_store {
            // Where it is gone, what is there ends by itself, or is where its owner finds it: the trial is over.
            let _ = service::removed(store).await;
        }
    }

    fn authorization_server(&self) -> &TrialNode {
        let mut nodes = self.nodes.iter();
        nodes.find(|node| node.role == Role::AuthorizationServer).expect("every test bed has one")
    }

    /// The servers that the load reaches.
    fn edge(&self) -> impl Iterator<Item = &TrialNode> {
        edge(&self.nodes)
    }

    fn issuer(&self) -> String {
        format!("http://{}", self.authorization_server().address)
    }

    async fn ask<T: serde::de::DeserializeOwned>(
        &self,
        server: &TrialNode,
        path: &str,
    ) -> Result<T, TestbedError> {
        let uri = uri(&format!("http://{}", server.address), path).expect("an address makes a URL");
        Ok(serde_json::from_slice(&self.client.get(&uri).await?)?)
    }
}

/// Those of the nodes that the load reaches.
fn edge(nodes: &[TrialNode]) -> impl Iterator<Item = &TrialNode> {
    nodes.iter().filter(|node| node.role.enforces() && node.hop == 0)
}

/// Whoever has its tokens refreshed may do so for as long as other tokens live.
fn clients(lifetime: Duration, extra_claims: u32, design: &Design) -> Vec<ClientSpec> {
    let life = Duration::from_secs_f64(design.token_life(lifetime.as_secs_f64()));
    let [good, elsewhere, late] = [tokens::GOOD, tokens::ELSEWHERE, tokens::LATE]
        .map(|registration| registration.spec(life, extra_claims));
    let introspector = ClientSpec { credentials: introspector(), ..tokens::GOOD.spec(life, 0) };
    let good = ClientSpec { refreshes_for: design.refreshing.map(|_| lifetime), ..good };
    vec![good, elsewhere, late, introspector]
}
