//! What a token says (RFC 9068 section 2.2), and what a resource server asks of it.

use std::fmt;
use std::time::Duration;

use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::auth::token::{Rejection, UnixTime};

/// The claims of an access token, in its payload or in an introspection answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The authorization server.
    pub iss: String,
    /// Whom the token speaks for.
    pub sub: String,
    /// Whom it is meant for.
    pub aud: Audience,
    /// Who asked for it.
    pub client_id: String,
    /// What it allows, separated by spaces; a token without the claim allows nothing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub scope: String,
    /// When it was issued.
    pub iat: UnixTime,
    /// Before when it must not be accepted, if that is not at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nbf: Option<UnixTime>,
    /// From when on it must not be accepted.
    pub exp: UnixTime,
    /// Its name.
    pub jti: String,
}

/// One audience or several (RFC 7519 section 4.1.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audience(Vec<String>);

/// What a resource server asks of every token.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The one authorization server whose tokens count.
    pub issuer: String,
    /// The name of the resource server itself.
    pub audience: String,
    /// The scope that the resource needs.
    pub scope: String,
}

impl Policy {
    /// Checks everything that claims alone can tell, the dates with `leeway` of grace: `iss`, `aud`, `exp`, `nbf`, `scope`.
    pub fn check(&self, claims: &Claims, now: UnixTime, leeway: Duration) -> Result<(), Rejection> {
        if claims.iss != self.issuer {
            Err(Rejection::WrongIssuer)
        } else if !claims.aud.names(&self.audience) {
            Err(Rejection::WrongAudience)
        } else if now >= claims.exp + leeway {
            Err(Rejection::Expired)
        } else if claims.nbf.is_some_and(|nbf| now + leeway < nbf) {
            Err(Rejection::NotYetValid)
        } else if !claims.scope.split(' ').any(|scope| scope == self.scope) {
            Err(Rejection::InsufficientScope)
        } else {
            Ok(())
        }
    }
}

impl Audience {
    /// An audience of one.
    pub fn one(name: impl Into<String>) -> Self {
        Self(vec![name.into()])
    }

    /// Whether `name` is among those meant.
    pub fn names(&self, name: &str) -> bool {
        self.0.iter().any(|audience| audience == name)
    }
}

impl Serialize for Audience {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [one] => one.serialize(serializer),
            several => several.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Audience {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AudienceVisitor)
    }
}

struct AudienceVisitor;

impl<'de> Visitor<'de> for AudienceVisitor {
    type Value = Audience;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an audience or a list of audiences")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Audience, E> {
        Ok(Audience::one(name))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut names: A) -> Result<Audience, A::Error> {
        let mut audience = Vec::new();
        while let Some(name) = names.next_element()? {
            audience.push(name);
        }
        Ok(Audience(audience))
    }
}
