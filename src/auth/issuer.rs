//! What a resource server may ask its authorization server.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Bytes;
use serde::{Serialize, Serializer};

use crate::auth::future::BoxFuture;
use crate::auth::token::StatedClaims;
use crate::auth::token::jwt::stated_claims;

/// How long an answer may take: then the request fails rather than its caller waits. Spring Security waits 30 s.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// What an introspection answer is that is a JWT (RFC 7519 section 10.3.1).
pub const JWT_MEDIA_TYPE: &str = "application/jwt";

/// The authorization server as a resource server sees it: over HTTP, or in memory. Every call ends within [`PATIENCE`].
pub trait Issuer: Send + Sync {
    /// Asks what a token means (RFC 7662).
    fn introspect<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<Introspection, Unreachable>>;

    /// The same, and the answer about a good token is a JWT that means the same, for the servers behind a gateway.
    fn introspect_as_jwt<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<Introspection, Unreachable>>;

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
}

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

    /// Reads an answer that is a JWT. What it says is believed like an answer in JSON: for the sake of whoever gave it, not of its
    /// signature.
    pub fn from_jwt(answer: &[u8]) -> Result<Self, Unreachable> {
        let unfit =
            |why: &dyn fmt::Display| Unreachable(format!("expected a JWT as introspection answer: {why}"));
        let jwt = str::from_utf8(answer).map_err(|error| unfit(&error))?;
        let claims = stated_claims(jwt).map_err(|rejection| unfit(&rejection))?;
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
