//! What is known of a token as bytes, for stores that keep bytes.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::auth::store::{Grant, Record, RefreshToken, RevokedToken, StoreError};
use crate::auth::token::{Audience, Claims, Confirmation, Groups, TokenId, TokenStatus, UnixTime};

/// The first byte of a record says what it is; the rest is JSON.
const ISSUED: u8 = b'I';
const REVOKED: u8 = b'R';
const REFRESH: u8 = b'F';
const GRANT: u8 = b'G';

/// The bytes of a record: never none, and the same for the same record.
pub(super) fn encode(record: &Record) -> Vec<u8> {
    match record {
        Record::Issued(claims) => tagged(ISSUED, &**claims),
        Record::Revoked(token) => tagged(REVOKED, &StoredRevocation::of(token)),
        Record::Refresh(token) => tagged(REFRESH, &StoredRefresh::of(*token)),
        Record::Grant(grant) => tagged(GRANT, &stored(grant)),
    }
}

/// The record of these bytes.
pub(super) fn decode(bytes: &[u8]) -> Result<Record, StoreError> {
    let (kind, json) = bytes.split_first().ok_or_else(|| unreadable(&"it is empty"))?;
    Ok(match *kind {
        ISSUED => Record::Issued(Arc::new(read::<StoredClaims>(json)?.claims())),
        REVOKED => Record::Revoked(read::<StoredRevocation>(json)?.token()),
        REFRESH => Record::Refresh(read::<StoredRefresh>(json)?.token()?),
        GRANT => Record::Grant(Arc::new(read::<StoredGrant<StoredClaims>>(json)?.grant()?)),
        _ => return Err(unreadable(&"it is of no known kind")),
    })
}

/// Whether it says that a token was revoked.
pub(super) fn is_revoked(record: &Record) -> bool {
    matches!(record, Record::Revoked(_))
}

fn tagged(kind: u8, value: &impl Serialize) -> Vec<u8> {
    // More than the claims of most tokens.
    let mut bytes = Vec::with_capacity(512);
    bytes.push(kind);
    serde_json::to_writer(&mut bytes, value).expect("plain data makes JSON");
    bytes
}

fn read<T: DeserializeOwned>(json: &[u8]) -> Result<T, StoreError> {
    serde_json::from_slice(json).map_err(|error| unreadable(&error))
}

fn unreadable(why: &dyn std::fmt::Display) -> StoreError {
    StoreError(format!("a record cannot be read: {why}; somebody else has written to it"))
}

/// Claims as they are read back, all of them: a token that is read as such has no groups.
#[derive(Deserialize)]
struct StoredClaims {
    iss: String,
    sub: String,
    aud: Audience,
    client_id: String,
    #[serde(default)]
    scope: String,
    iat: UnixTime,
    nbf: Option<UnixTime>,
    exp: UnixTime,
    jti: String,
    status: Option<TokenStatus>,
    groups: Option<Vec<String>>,
    cnf: Option<Confirmation>,
}

impl StoredClaims {
    fn claims(self) -> Claims {
        Claims {
            iss: self.iss,
            sub: self.sub,
            aud: self.aud,
            client_id: self.client_id,
            scope: self.scope,
            iat: self.iat,
            nbf: self.nbf,
            exp: self.exp,
            jti: self.jti,
            status: self.status,
            groups: self.groups.map(Groups::of).unwrap_or_default(),
            cnf: self.cnf,
        }
    }
}

#[derive(Serialize, Deserialize)]
struct StoredRevocation {
    jti: Arc<str>,
    idx: Option<u64>,
    revoked: UnixTime,
    expiry: UnixTime,
}

impl StoredRevocation {
    fn of(token: &RevokedToken) -> Self {
        let RevokedToken { jti, idx, revoked, expiry } = token;
        Self { jti: Arc::clone(jti), idx: *idx, revoked: *revoked, expiry: *expiry }
    }

    fn token(self) -> RevokedToken {
        let Self { jti, idx, revoked, expiry } = self;
        RevokedToken { jti, idx, revoked, expiry }
    }
}

#[derive(Serialize, Deserialize)]
struct StoredRefresh {
    grant: String,
    kept_until: UnixTime,
}

impl StoredRefresh {
    fn of(token: RefreshToken) -> Self {
        Self { grant: token.grant.to_base64url(), kept_until: token.kept_until }
    }

    fn token(self) -> Result<RefreshToken, StoreError> {
        Ok(RefreshToken { grant: id(&self.grant)?, kept_until: self.kept_until })
    }
}

/// A grant, with the claims of its access tokens.
#[derive(Serialize, Deserialize)]
struct StoredGrant<C> {
    client_id: String,
    scope: String,
    current: String,
    access: Vec<(String, C)>,
    is_revoked: bool,
    expiry: UnixTime,
    kept_until: UnixTime,
}

fn stored(grant: &Grant) -> StoredGrant<&Claims> {
    StoredGrant {
        client_id: grant.client_id.clone(),
        scope: grant.scope.clone(),
        current: grant.current.to_base64url(),
        access: grant.access.iter().map(|(id, claims)| (id.to_base64url(), &**claims)).collect(),
        is_revoked: grant.is_revoked,
        expiry: grant.expiry,
        kept_until: grant.kept_until,
    }
}

impl StoredGrant<StoredClaims> {
    fn grant(self) -> Result<Grant, StoreError> {
        let access =
            self.access.into_iter().map(|(name, claims)| Ok((id(&name)?, Arc::new(claims.claims()))));
        Ok(Grant {
            client_id: self.client_id,
            scope: self.scope,
            current: id(&self.current)?,
            access: access.collect::<Result<_, StoreError>>()?,
            is_revoked: self.is_revoked,
            expiry: self.expiry,
            kept_until: self.kept_until,
        })
    }
}

fn id(text: &str) -> Result<TokenId, StoreError> {
    TokenId::from_base64url(text).ok_or_else(|| unreadable(&"a name in it is no hash"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_record_are_told_and_not_taken_for_one_that_is_absent() {
        for bytes in [&b""[..], b"X{}", b"I", b"I{}", b"R{\"jti\":1}", b"F{\"grant\":\"x\",\"kept_until\":1}"]
        {
            let error = decode(bytes).unwrap_err().to_string();
            assert!(error.contains("a record cannot be read"), "{error}");
        }
    }
}
