//! What a token says (RFC 9068 section 2.2), and what a resource server asks of it.

use std::fmt;
use std::time::Duration;

use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::auth::token::{Confirmation, Groups, Rejection, StatedClaims, UnixTime, scope};

/// The claims of an access token.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
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
    #[serde(skip_serializing_if = "String::is_empty")]
    pub scope: String,
    /// When it was issued.
    pub iat: UnixTime,
    /// Before when it must not be accepted, if that is not at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nbf: Option<UnixTime>,
    /// From when on it must not be accepted.
    pub exp: UnixTime,
    /// Its name.
    pub jti: String,
    /// Where a status list tells whether it was revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<TokenStatus>,
    /// The groups of whom the token speaks for. No resource server here decides by them, so none reads them: of a token that was read,
    /// they are gone.
    #[serde(skip_serializing_if = "Groups::is_none")]
    pub groups: Groups,
    /// To whose key it is bound; a token without the claim is anybody's who has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cnf: Option<Confirmation>,
}

/// The claim `status` with the one mechanism that is known here (Token Status List section 6.2).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TokenStatus {
    /// A place in a status list.
    pub status_list: StatusReference,
}

/// A place in a status list.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct StatusReference {
    /// Which of its statuses is that of the token; the first is 0.
    pub idx: u64,
    /// The list.
    pub uri: String,
}

/// One audience or several (RFC 7519 section 4.1.3).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
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
        check_issuer(&claims.iss, &self.issuer)?;
        check_audience(&claims.aud, &self.audience)?;
        check_expiry(claims.exp, now, leeway)?;
        claims.nbf.map_or(Ok(()), |nbf| check_beginning(nbf, now, leeway))?;
        check_scope(&claims.scope, &self.scope)
    }

    /// The same for an introspection answer. What it does not say is not checked: that the token is of the authorization
    /// server and alive is what its `active` means (RFC 7662 section 2.2).
    pub fn check_stated(&self, claims: &StatedClaims, now: UnixTime) -> Result<(), Rejection> {
        claims.iss.as_ref().map_or(Ok(()), |iss| check_issuer(iss, &self.issuer))?;
        claims.aud.as_ref().map_or(Ok(()), |aud| check_audience(aud, &self.audience))?;
        Self::check_stated_dates(claims, now)?;
        claims.scope.as_ref().map_or(Ok(()), |scope| check_scope(scope, &self.scope))
    }

    /// The part of that which changes with time.
    pub fn check_stated_dates(claims: &StatedClaims, now: UnixTime) -> Result<(), Rejection> {
        claims.exp.map_or(Ok(()), |exp| check_expiry(exp, now, Duration::ZERO))?;
        claims.nbf.map_or(Ok(()), |nbf| check_beginning(nbf, now, Duration::ZERO))
    }
}

pub(super) fn check_issuer(iss: &str, expected: &str) -> Result<(), Rejection> {
    if iss == expected { Ok(()) } else { Err(Rejection::WrongIssuer) }
}

pub(super) fn check_audience(aud: &Audience, expected: &str) -> Result<(), Rejection> {
    if aud.names(expected) { Ok(()) } else { Err(Rejection::WrongAudience) }
}

pub(super) fn check_expiry(exp: UnixTime, now: UnixTime, leeway: Duration) -> Result<(), Rejection> {
    if now < exp + leeway { Ok(()) } else { Err(Rejection::Expired) }
}

pub(super) fn check_beginning(nbf: UnixTime, now: UnixTime, leeway: Duration) -> Result<(), Rejection> {
    if now + leeway >= nbf { Ok(()) } else { Err(Rejection::NotYetValid) }
}

pub(super) fn check_scope(scope: &str, expected: &str) -> Result<(), Rejection> {
    if scope::names(scope, expected) { Ok(()) } else { Err(Rejection::InsufficientScope) }
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

    /// Whether nobody is meant.
    pub fn is_nobody(&self) -> bool {
        self.0.is_empty()
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
