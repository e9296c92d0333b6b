//! What a resource server may ask its authorization server.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::auth::future::BoxFuture;
use crate::auth::token::Claims;
use crate::auth::token::jwks::JwkSet;

/// The authorization server as a resource server sees it: over HTTP, or in memory.
pub trait Issuer: Send + Sync {
    /// Asks what a token means (RFC 7662).
    fn introspect<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<Introspection, Unreachable>>;

    /// Fetches the published keys (RFC 7517); fails if their JSON has more than `most_bytes`.
    fn key_set(&self, most_bytes: usize) -> BoxFuture<'_, Result<JwkSet, Unreachable>>;
}

/// The authorization server gave no usable answer.
#[derive(Debug, thiserror::Error)]
#[error("the authorization server gave no usable answer: {0}")]
pub struct Unreachable(pub String);

/// An introspection answer (RFC 7662 section 2.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Introspection {
    /// The token is good, and this is what it says.
    Active(Claims),
    /// The token is not good; nothing else is said.
    Inactive,
}

/// The answer on the wire.
#[derive(Serialize, Deserialize)]
struct Wire<C> {
    active: bool,
    #[serde(flatten)]
    claims: Option<C>,
}

impl Serialize for Introspection {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Active(claims) => Wire { active: true, claims: Some(claims) }.serialize(serializer),
            Self::Inactive => Wire { active: false, claims: None::<&Claims> }.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Introspection {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Wire::deserialize(deserializer)? {
            Wire { active: false, .. } => Ok(Self::Inactive),
            Wire { active: true, claims: Some(claims) } => Ok(Self::Active(claims)),
            Wire { active: true, claims: None } => {
                Err(serde::de::Error::custom("the answer says active, but lacks claims of RFC 9068"))
            }
        }
    }
}

impl fmt::Debug for dyn Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Issuer")
    }
}
