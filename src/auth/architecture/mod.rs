//! Validation architectures: how a resource server decides on a token. One file each.

mod gateway;
mod hops;
mod hybrid;
mod introspection;
mod introspection_cached;
mod introspection_signed;
mod jwt;
mod jwt_cached;
mod jwt_deny_list;
mod jwt_deny_list_pushed;
mod jwt_filter;
mod jwt_refresh;
mod jwt_status_list;
mod miss_log;
mod none;
mod phantom_token;
mod split_token;
#[cfg(test)]
mod tests;
mod token_exchange;

use std::fmt::Debug;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::auth::authorization_server::Publication;
use crate::auth::future::BoxFuture;
use crate::auth::issuer::{Issuer, Unreachable};
use crate::auth::token::jwt::{AnotherBackEnd, BackEnd, Trust};
use crate::auth::token::signature::SignatureScheme;
use crate::auth::token::{Claims, Policy, Rejection, StatedClaims, WallClock};
use crate::design::{Design, TokenFormat};
use crate::registry::{Registry, Role, entry};

pub use hops::Branch;
pub use miss_log::{Miss, MissLog};

/// A way to decide on tokens, with its settings.
pub trait Architecture: Debug + Send + Sync {
    /// What tokens it can decide on.
    fn tokens(&self) -> Tokens;

    /// The architecture that verifies signatures for it, if another one does: in it, or behind it.
    fn built_on(&self) -> Option<&dyn Architecture> {
        self.inner()
    }

    /// Whether it can verify tokens of this scheme; if not, why.
    fn accepts(&self, scheme: &dyn SignatureScheme) -> Result<(), String> {
        self.built_on().map_or(Ok(()), |base| base.accepts(scheme))
    }

    /// What decides on a token where the request is.
    fn validation(&self) -> Validation {
        self.built_on().map_or(Validation::Elsewhere, Architecture::validation)
    }

    /// Whom it asks and how often, and what bounds how long it accepts a revoked token.
    fn design(&self) -> Design;

    /// The documents that its validators fetch, beside the key set which every authorization server publishes.
    fn publishes(&self) -> Vec<Box<dyn Publication>> {
        Vec::new()
    }

    /// Who decides behind it, if it is a gateway: requests that it accepts are passed on to a server that decides in this way.
    fn inner(&self) -> Option<&dyn Architecture> {
        None
    }

    /// Who decides behind it side by side, each at a server of its own to which requests go in turn, where that are several; the first is
    /// [`inner`](Self::inner).
    fn branches(&self) -> Vec<Branch<'_>> {
        Vec::new()
    }

    /// What the server behind it asks of a token, where that is not what is asked of the tokens that it is sent itself.
    fn asked_behind(&self, policy: &Policy) -> Policy {
        policy.clone()
    }

    /// For whom its gateway exchanges tokens at the authorization server (RFC 8693), if it does: for nobody else are they issued.
    fn exchanges_for(&self) -> Option<&str> {
        None
    }

    /// Makes the thing with state, ready to decide on what it is sent.
    fn validator(&self, context: Context) -> BoxFuture<'_, Result<Arc<dyn TokenValidator>, NotReady>>;
}

/// Why there is no validator.
#[derive(Debug, thiserror::Error)]
pub enum NotReady {
    /// The authorization server is needed at the start.
    #[error(transparent)]
    Unreachable(#[from] Unreachable),
    /// The library that verifies is set to something else in this process.
    #[error(transparent)]
    Library(#[from] AnotherBackEnd),
    /// The architecture has no such server beside others.
    #[error(
        "the architecture {architecture} has no branch {branch} at server number {hop}: it has {branches}, counted from 0"
    )]
    NoSuchBranch {
        /// The architecture.
        architecture: String,
        /// How many there are.
        branches: usize,
        /// Which hop.
        hop: u8,
        /// Which one was asked for.
        branch: u8,
    },
    /// The architecture has no such hop.
    #[error("the architecture {architecture} has no server number {hop}: it has {hops}, counted from 0")]
    NoSuchHop {
        /// The architecture.
        architecture: String,
        /// How many there are.
        hops: usize,
        /// Which one was asked for.
        hop: u8,
    },
    /// Proofs are asked for, but nobody knows for what.
    #[error("expected the URI of the resource with its host, as clients write it into proofs, not {0:?}")]
    Resource(String),
    /// Requests are to be passed on, but nowhere.
    #[error("expected the URL of the server behind it, not {0:?}")]
    Upstream(String),
}

/// What tokens an architecture can decide on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tokens {
    /// Opaque ones and JWTs alike.
    Any,
    /// JWTs only: it verifies the signature by itself.
    Jwt,
    /// Opaque ones, each in the place of a JWT that the authorization server signs when a gateway asks for it.
    Phantom,
    /// Signatures of JWTs, whose header and claims the authorization server gives to a gateway that asks for them.
    Split,
    /// Opaque ones: what the authorization server signs is what it says of them.
    SignedAnswers,
}

impl Tokens {
    /// Whether the authorization server has to sign.
    pub fn need_signature(self) -> bool {
        match self {
            Self::Any => false,
            Self::Jwt | Self::Phantom | Self::Split | Self::SignedAnswers => true,
        }
    }

    /// Whether what the authorization server signs are tokens, for clients or for who stands behind a gateway.
    pub fn signs_tokens(self) -> bool {
        self != Self::SignedAnswers
    }

    /// What clients hold of an authorization server that signs, or does not.
    pub fn format(self, is_signed: bool) -> TokenFormat {
        match self {
            Self::Any if !is_signed => TokenFormat::Opaque,
            Self::Any | Self::Jwt => TokenFormat::Jwt,
            Self::Phantom | Self::SignedAnswers => TokenFormat::Opaque,
            Self::Split => TokenFormat::Signature,
        }
    }
}

/// What decides on a token at the resource server, without asking anybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Validation {
    /// Nothing does: somebody else is asked, or nobody.
    Elsewhere,
    /// The path of this program.
    Own,
    /// The crate `jsonwebtoken` with this back end.
    Library(BackEnd),
}

/// What a validator works with.
#[derive(Clone, Debug)]
pub struct Context {
    /// The authorization server.
    pub issuer: Arc<dyn Issuer>,
    /// Who the resource server is to it: its `client_id`.
    pub client_id: Arc<str>,
    /// What is asked of every token.
    pub policy: Arc<Policy>,
    /// What verifies signatures beside the published keys.
    pub trust: Trust,
    /// The date.
    pub clock: WallClock,
    /// Which part of a period passes before the first poll, from 0 to 1: servers that start together need not poll together.
    pub poll_phase: f64,
    /// What hears of each request that a cache of answers has none for, if anybody wants to know.
    pub misses: Option<Arc<MissLog>>,
}

/// Decides on tokens.
pub trait TokenValidator: Send + Sync {
    /// Accepts or refuses a token.
    fn validate<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<Verified, Rejection>>;

    /// How often a cache could decide, so far.
    fn cache(&self) -> CacheCounts {
        CacheCounts::default()
    }

    /// What else it counts, with a name for each, so far.
    fn counters(&self) -> Vec<(&'static str, u64)> {
        Vec::new()
    }
}

/// An accepted token.
#[derive(Clone, Debug)]
pub enum Verified {
    /// These claims were verified.
    Claims(Arc<Claims>),
    /// The authorization server answers for the token, and said this of it.
    Stated(Arc<StatedClaims>),
    /// Nothing was looked at.
    Unchecked,
}

impl Verified {
    /// The token that a gateway passes on in the place of the one that was sent; `None` if it passes on that one.
    pub fn forwarded(&self) -> Option<&str> {
        match self {
            Self::Stated(claims) => claims.jwt.as_deref(),
            Self::Claims(_) | Self::Unchecked => None,
        }
    }
}

/// How often a cache was asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheCounts {
    /// And had an answer that counts.
    pub hits: u64,
    /// Those of the hits whose answer was that the token is not active.
    pub negative_hits: u64,
    /// And had none.
    pub misses: u64,
    /// Those of the misses that an old answer decided, since nobody could be asked.
    pub stale_answers: u64,
    /// How often an answer was asked for again before its end, beside the requests.
    pub refreshes: u64,
}

/// Every validation architecture.
pub static ARCHITECTURES: Registry<dyn Architecture> = Registry {
    role: "validation architecture",
    entries: &[
        entry!("none", none::Nothing, "control: checks nothing and accepts every token"),
        entry!(
            "introspection",
            introspection::Introspecting,
            "asks the authorization server for every request (RFC 7662)"
        ),
        entry!(
            "introspection-cached",
            introspection_cached::Cached,
            "asks the authorization server and keeps its answer for a while"
        ),
        entry!(
            "introspection-signed",
            introspection_signed::IntrospectingSigned,
            "asks the authorization server for every request, and believes signed answers alone (RFC 9701)"
        ),
        entry!("jwt", jwt::LocalJwt, "verifies the signature with published keys, asks nobody (RFC 9068)"),
        entry!(
            "jwt-cached",
            jwt_cached::JwtCached,
            "verifies as jwt does, and remembers each token that passed"
        ),
        entry!(
            "jwt-deny-list",
            jwt_deny_list::JwtDenyList,
            "verifies as jwt does, and polls a list of the tokens that were revoked"
        ),
        entry!(
            "jwt-deny-list-pushed",
            jwt_deny_list_pushed::JwtDenyListPushed,
            "verifies as jwt does, and has each revocation pushed (server-sent events)"
        ),
        entry!(
            "jwt-filter",
            jwt_filter::JwtFilter,
            "verifies as jwt does, polls a filter of the revoked tokens, and introspects what it holds"
        ),
        entry!(
            "jwt-refresh",
            jwt_refresh::JwtRefresh,
            "verifies as jwt does, short-lived tokens that clients refresh until that is revoked (RFC 6749)"
        ),
        entry!(
            "jwt-status-list",
            jwt_status_list::JwtStatusList,
            "verifies as jwt does, and looks the token up in a signed status list (Token Status List)"
        ),
        entry!(
            "phantom-token",
            phantom_token::PhantomToken,
            "a gateway has opaque tokens exchanged for JWTs, which a server behind it verifies as jwt does"
        ),
        entry!(
            "hybrid",
            hybrid::Hybrid,
            "a gateway as that of phantom-token before two servers: one verifies JWTs, the other introspects"
        ),
        entry!(
            "split-token",
            split_token::SplitToken,
            "clients hold the signature alone; a gateway adds header and claims, and a server behind it verifies as jwt does"
        ),
        entry!(
            "token-exchange",
            token_exchange::TokenExchange,
            "a gateway exchanges JWTs for narrower ones (RFC 8693), which a server behind it verifies as jwt does"
        ),
    ],
};

impl Role for dyn Architecture {
    fn registry() -> &'static Registry<Self> {
        &ARCHITECTURES
    }
}
