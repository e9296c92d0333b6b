//! What a resource server may ask its authorization server.

mod signed_introspection;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::BoxStream;
use hyper::body::Bytes;
use serde::{Serialize, Serializer};

use crate::auth::future::BoxFuture;
use crate::auth::revocation_event::{EventId, Pushed};
use crate::auth::token::jwt::stated_claims;
use crate::auth::token::{Rejection, StatedClaims};

pub use signed_introspection::{SIGNED_INTROSPECTION, SIGNED_INTROSPECTION_TYPE};

/// How long an answer may take: then the request fails rather than its caller waits. Spring Security waits 30 s.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// How a gateway comes by the token that it passes on.
#[derive(Clone, Copy, Debug)]
pub enum ExchangeKind<'a> {
    /// It introspects, and takes a JWT for an answer.
    Introspection,
    /// It asks for what stands before the signature that the token is.
    Split,
    /// It asks for a token (RFC 8693) for this audience, and for this scope or the same.
    Token {
        /// For whom.
        audience: &'a str,
        /// What for, if not for the same.
        scope: Option<&'a str>,
    },
}

/// The authorization server as a resource server sees it: over HTTP, or in memory. Every call ends within [`PATIENCE`], a stream not at all.
pub trait Issuer: Send + Sync {
    /// Asks what a token means (RFC 7662).
    fn introspect<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<Introspection, Unreachable>>;

    /// Asks what a token means, and has the answer signed for who asks (RFC 9701): a JWT that nobody has looked at yet.
    fn introspect_signed<'a>(&'a self, _token: &'a str) -> BoxFuture<'a, Result<String, Unreachable>> {
        Box::pin(async { Err(Unreachable("it signs no answers".to_owned())) })
    }

    /// Is told why a signed answer was not believed.
    fn disbelieved(&self, _why: &Unreachable) {}

    /// The JWT that a gateway passes on in the place of a token, if it comes by it in this way; `None` if the token is not active.
    fn exchange<'a>(
        &'a self,
        token: &'a str,
        how: ExchangeKind<'a>,
    ) -> BoxFuture<'a, Result<Option<String>, Unreachable>>;

    /// Fetches the document that is published at `path`, like `/jwks`; `None` if it still is the one with the entity tag `known`
    /// (RFC 9110 section 13.1.2). Fails if it has more than `most_bytes`.
    fn fetch<'a>(
        &'a self,
        path: &'a str,
        known: Option<&'a str>,
        most_bytes: usize,
    ) -> BoxFuture<'a, Result<Option<Arc<Document>>, Unreachable>>;

    /// Is told why a fetched document was of no use.
    fn unreadable(&self, _why: &Unreachable) {}

    /// Has revocations pushed: those behind the event `last` if they are still there, else those from now on. Something is heard every
    /// `heartbeat`.
    fn subscribe(
        &self,
        _last: Option<EventId>,
        _heartbeat: Duration,
    ) -> BoxFuture<'_, Result<RevocationStream, Unreachable>> {
        Box::pin(async { Err(Unreachable("it pushes no revocations".to_owned())) })
    }

    /// Is told why nothing is pushed any more.
    fn channel_broke(&self, _why: &Unreachable) {}
}

/// What is pushed, in order. It ends where the channel breaks, or where the subscriber is too slow.
pub type RevocationStream = BoxStream<'static, Result<Pushed, Unreachable>>;

/// A document that an authorization server publishes for verifiers: a key set, a list of revoked tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Its content, which whoever sends it shares.
    pub bytes: Bytes,
    /// Names this content among all that the document had or will have (RFC 9110 section 8.8.3), in its quotation marks.
    pub entity_tag: Option<String>,
}

/// The authorization server gave no usable answer.
#[derive(Debug, thiserror::Error)]
#[error("the authorization server gave no usable answer: {0}")]
pub struct Unreachable(pub String);

/// An introspection answer (RFC 7662 section 2.2).
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "there is one for each question, and a box would be one more allocation"
)]
pub enum Introspection {
    /// The token is good, and this is what is said of it: maybe nothing.
    Active(StatedClaims),
    /// The token is not good; nothing else is said.
    Inactive,
}

/// The answer on the wire.
#[derive(Serialize)]
struct Wire<'a> {
    active: bool,
    #[serde(flatten)]
    claims: Option<&'a StatedClaims>,
}

impl Introspection {
    /// Reads an answer with the strictness of tokens: what a JWT may say, an answer may say.
    pub fn from_json(json: &[u8]) -> Result<Self, Unreachable> {
        match StatedClaims::of_answer(json) {
            Ok(Some(claims)) => Ok(Self::Active(claims)),
            Ok(None) => Ok(Self::Inactive),
            Err(why) => Err(Unreachable(format!("expected an introspection answer: {why}"))),
        }
    }

    /// What a JWT says that was given for an answer: it is believed for the sake of whoever gave it, not of its signature. None was given
    /// for a token that is not active.
    pub fn from_jwt(jwt: Option<String>) -> Result<Self, Unreachable> {
        let Some(jwt) = jwt else { return Ok(Self::Inactive) };
        let unfit = |rejection: Rejection| {
            Unreachable(format!("expected a JWT as introspection answer: {rejection}"))
        };
        let claims = stated_claims(&jwt).map_err(unfit)?;
        Ok(Self::Active(StatedClaims { jwt: Some(jwt.into()), ..claims }))
    }
}

impl Serialize for Introspection {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let claims = if let Self::Active(claims) = self { Some(claims) } else { None };
        Wire { active: claims.is_some(), claims }.serialize(serializer)
    }
}

impl fmt::Debug for dyn Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Issuer")
    }
}
