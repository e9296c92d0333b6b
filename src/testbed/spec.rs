//! What a server process is told before it starts: one JSON text on its standard input.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::auth::architecture::Architecture;
use crate::auth::sender::SenderConstraint;
use crate::auth::store::Store;
use crate::auth::token::jwks::{Jwk, PrivateJwk};
use crate::auth::token::signature::SignatureScheme;
use crate::design::TokenFormat;
use crate::registry::Part;
use crate::wire::{Endpoint, Identity, Tls, Wire};

/// A port of the loopback that the system chooses.
pub const ANY_PORT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// One server process.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "server", rename_all = "snake_case")]
pub enum ServerSpec {
    /// Issues, introspects, revokes, publishes keys.
    AuthorizationServer(AuthorizationServerSpec),
    /// Enforces.
    ResourceServer(ResourceServerSpec),
    /// Several that enforce, of one role and with nothing in common but their process.
    ResourceServers {
        /// Each of them.
        servers: Vec<ResourceServerSpec>,
    },
}

/// An authorization server.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AuthorizationServerSpec {
    /// Where it listens; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// How JWTs are signed; without it there are opaque tokens only.
    pub signature: Option<Part<dyn SignatureScheme>>,
    /// What clients are issued; by default JWTs where there is a signature scheme.
    #[serde(default)]
    pub outside: Option<TokenFormat>,
    /// The key that signs them; without it the server makes one.
    pub signing_key: Option<PrivateJwk>,
    /// What it publishes beside that key, and accepts in its own introspection: keys that signed before, or will.
    /// Of a private key only the public half is read.
    #[serde(default)]
    pub also_publish: Vec<Jwk>,
    /// Where it keeps tokens.
    pub store: Part<dyn Store>,
    /// Who may ask it for tokens, introspection and revocation.
    pub clients: Vec<ClientSpec>,
    /// The architectures of the resource servers: it publishes what they fetch.
    #[serde(default)]
    pub serves: Vec<Part<dyn Architecture>>,
    /// What clients must show when they ask for a token, which is then bound to it.
    #[serde(default)]
    pub sender: Option<Part<dyn SenderConstraint>>,
    /// Where clients ask for tokens that are bound to their certificates.
    #[serde(default)]
    pub mutual: Option<MutualEntranceSpec>,
}

/// A second place of an authorization server, over TLS, that asks clients for their certificates.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MutualEntranceSpec {
    /// Where it listens; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// How TLS is spoken.
    pub tls: Tls,
    /// Who the server is.
    pub identity: Identity,
}

/// A client of the authorization server, and what its tokens say.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ClientSpec {
    /// How it proves who it is.
    #[serde(flatten)]
    pub credentials: Credentials,
    /// Whom its tokens are meant for.
    pub audience: String,
    /// What its tokens allow, separated by spaces.
    pub scope: String,
    /// How long its tokens live.
    pub lifetime: Duration,
    /// How long it may have each of them refreshed, if it may.
    #[serde(default)]
    pub refreshes_for: Option<Duration>,
    /// How far in the past its tokens are dated.
    pub age: Duration,
    /// Bytes by which groups make its claims larger.
    #[serde(default)]
    pub extra_claims: u32,
}

/// A name and a secret (RFC 6749 section 2.3.1).
#[derive(Clone, Serialize, Deserialize)]
pub struct Credentials {
    /// `client_id`.
    pub client_id: String,
    /// `client_secret`.
    pub client_secret: String,
}

/// A resource server.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ResourceServerSpec {
    /// Where it listens; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// How it and the servers behind it decide on tokens.
    pub architecture: Part<dyn Architecture>,
    /// Which of these servers it is: 0 for the one that clients reach.
    #[serde(default)]
    pub hop: u8,
    /// Which of those it is that decide there side by side.
    #[serde(default)]
    pub branch: u8,
    /// The URLs of the servers behind it, to which it passes on requests that it accepts in turn; without one it has the resource itself.
    #[serde(default)]
    pub upstreams: Vec<String>,
    /// How many requests it passes on at once to each of them; more wait.
    #[serde(default = "most_passed_on")]
    pub passes_on: u32,
    /// The authorization server's issuer identifier, which is also its base URL.
    pub issuer: String,
    /// The form of the signature scheme that verifies, where another than the default is wanted.
    pub signature: Option<Part<dyn SignatureScheme>>,
    /// A key that it shares with the authorization server, which publishes none of that kind.
    pub shared_key: Option<Jwk>,
    /// How it proves who it is when it introspects.
    pub credentials: Credentials,
    /// Its own name: the `aud` that tokens must have.
    pub audience: String,
    /// The scope that its resource needs.
    pub scope: String,
    /// How the load reaches it. Whatever this is, it answers plain HTTP/1.1 at `listen` too.
    #[serde(default)]
    pub wire: Wire,
    /// Where the load reaches it if `wire` is not the default; without this the system chooses.
    #[serde(default)]
    pub entrance: Option<Endpoint>,
    /// Who it is to clients that reach it over TLS.
    #[serde(default)]
    pub identity: Option<Identity>,
    /// Which part of a period passes before it polls for the first time, from 0 to 1.
    pub poll_phase: f64,
    /// Whether it keeps for each request that its cache has no answer for of which token that was.
    #[serde(default)]
    pub logs_misses: bool,
    /// What a request must show beside its token; asked for at hop 0 alone.
    #[serde(default)]
    pub sender: Option<SenderSpec>,
}

/// What a request must show beside its token, and for which resource.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SenderSpec {
    /// What it must show.
    pub constraint: Part<dyn SenderConstraint>,
    /// The URI of the resource, as clients write it into proofs. A server that believed the `Host` header of a request would take proofs
    /// for others.
    pub resource: String,
}

/// For a gateway of which nobody says how many clients it has: what a process may have of files by default.
pub fn most_passed_on() -> u32 {
    1_024
}

/// The one line that a server process prints once it can be reached.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Listening {
    /// Where it answers plain HTTP/1.1.
    pub address: SocketAddr,
    /// Where the load reaches it: that address too, unless its wire is another one. Of an authorization server, where clients ask for tokens.
    pub endpoint: Endpoint,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}
