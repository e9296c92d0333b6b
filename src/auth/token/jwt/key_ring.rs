//! Decides on access tokens with prepared keys: one pass, one buffer, nothing believed before the signature fits.

use std::cell::RefCell;
use std::sync::OnceLock;
use std::time::Duration;

use crate::auth::token::jwks::JwkSet;
use crate::auth::token::jwt::MAX_CHARACTERS;
use crate::auth::token::jwt::header::Header;
use crate::auth::token::jwt::keys::{Keys, Trust};
use crate::auth::token::signature::Verifier;
use crate::auth::token::{Claims, Policy, Rejection, Section, StatedClaims, UnixTime, base64url};

/// The keys of an authorization server, ready to verify.
#[derive(Default)]
pub struct KeyRing {
    pub(super) keys: Keys<Prepared>,
}

pub(super) struct Prepared {
    pub(super) verifier: Box<dyn Verifier>,
    /// The header of the first token that this key was found to have signed, in the characters of the token. An issuer
    /// writes the same one into all its tokens: the same characters need not be read a second time.
    header: OnceLock<Box<str>>,
}

/// Keys whose headers are compared with that of a token before it is read; a ring rarely holds as many.
const COMPARED: usize = 8;

thread_local! {
    /// Holds the three parts of a token while it is decided on. A fresh buffer of several kilobytes for each would cost
    /// more than it takes to fill it.
    static DECODED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

impl KeyRing {
    /// Takes up every published key that is understood; the others are ignored (RFC 7517 section 5).
    pub fn new(published: &JwkSet, trust: &Trust) -> Self {
        Self {
            keys: Keys::new(published, trust, |scheme, key| {
                Some(Prepared { verifier: scheme.verifier(key).ok()?, header: OnceLock::new() })
            }),
        }
    }

    /// Decides on a token. The first check that fails is told, in this order: size; three parts; base64url of header,
    /// claims and signature; the header's JSON, `alg`, `crit`, `typ`; `kid`; the algorithm of that key; the signature;
    /// the claims' JSON and what they must have; `iss`, `aud`, `exp`, `nbf`, `scope`.
    pub fn verify(
        &self,
        token: &str,
        policy: &Policy,
        now: UnixTime,
        leeway: Duration,
    ) -> Result<Claims, Rejection> {
        let claims = self.authenticate(token)?;
        policy.check(&claims, now, leeway)?;
        Ok(claims)
    }

    /// The claims of a token that one of these keys signed, whatever they say.
    pub fn authenticate(&self, token: &str) -> Result<Claims, Rejection> {
        let parts = TokenParts::of(token)?;
        DECODED.with_borrow_mut(|bytes| {
            bytes.clear();
            self.decide(&parts, bytes)
        })
    }

    /// The payload of a JWT of another type (RFC 8725 section 3.11) that one of these keys signed, of any size and whatever it says.
    pub fn payload(&self, jwt: &str, typ: &str) -> Result<Vec<u8>, Rejection> {
        let parts = TokenParts::split(jwt)?;
        let [mut header, mut payload, mut signature] = [const { Vec::new() }; 3];
        parts.decode(Section::Header, &mut header)?;
        parts.decode(Section::Claims, &mut payload)?;
        parts.decode(Section::Signature, &mut signature)?;
        let signed = |key: &&Prepared| key.verifier.verifies(parts.message.as_bytes(), &signature);
        let header = Header::of_type(&header, typ)?;
        self.keys.select(&header)?.find(signed).ok_or(Rejection::BadSignature)?;
        Ok(payload)
    }

    fn decide(&self, parts: &TokenParts<'_>, bytes: &mut Vec<u8>) -> Result<Claims, Rejection> {
        let is_known = |key: &&Prepared| key.header.get().is_some_and(|text| **text == *parts.header);
        // Twins write the same header.
        let compared = if self.keys.have_twins() { 0 } else { COMPARED };
        let known = self.keys.all().take(compared).find(is_known);
        if known.is_none() {
            parts.decode(Section::Header, bytes)?;
        }
        let header_end = bytes.len();
        parts.decode(Section::Claims, bytes)?;
        let payload_end = bytes.len();
        parts.decode(Section::Signature, bytes)?;
        let signed = |key: &&Prepared| key.verifier.verifies(parts.message.as_bytes(), &bytes[payload_end..]);
        let key = match known {
            Some(key) => Some(key).filter(signed),
            None => self.keys.select(&Header::of_access_token(&bytes[..header_end])?)?.find(signed),
        };
        let key = key.ok_or(Rejection::BadSignature)?;
        if known.is_none() {
            // Another thread may have been quicker, or the issuer writes more than one.
            let _ = key.header.set(parts.header.into());
        }
        StatedClaims::from_json(&bytes[header_end..payload_end])?.complete()
    }
}

/// A compact JWS taken apart (RFC 7515 section 7.1).
pub(in crate::auth::token) struct TokenParts<'a> {
    header: &'a str,
    payload: &'a str,
    /// What is signed: header and payload with the dot between them.
    pub(in crate::auth::token) message: &'a str,
    signature: &'a str,
}

impl<'a> TokenParts<'a> {
    /// Looks at no token larger than the limit. A fourth part shows when the third is decoded: no dot is base64url.
    pub(in crate::auth::token) fn of(token: &'a str) -> Result<Self, Rejection> {
        check_size(token)?;
        Self::split(token)
    }

    pub(super) fn split(token: &'a str) -> Result<Self, Rejection> {
        let (header, rest) = token.split_once('.').ok_or(Rejection::NotThreeParts)?;
        let (payload, signature) = rest.split_once('.').ok_or(Rejection::NotThreeParts)?;
        let message = &token[..header.len() + 1 + payload.len()];
        Ok(Self { header, payload, message, signature })
    }

    pub(super) fn check_number(&self) -> Result<(), Rejection> {
        if self.signature.contains('.') { Err(Rejection::NotThreeParts) } else { Ok(()) }
    }

    /// Appends the bytes of one part.
    #[inline]
    pub(in crate::auth::token) fn decode(
        &self,
        section: Section,
        bytes: &mut Vec<u8>,
    ) -> Result<(), Rejection> {
        let part = match section {
            Section::Header => self.header,
            Section::Claims => self.payload,
            Section::Signature => self.signature,
        };
        base64url::decode_into(part, bytes).map_err(|_| match self.check_number() {
            Ok(()) => Rejection::NotBase64Url(section),
            Err(rejection) => rejection,
        })
    }
}

pub(super) fn check_size(token: &str) -> Result<(), Rejection> {
    if token.len() > MAX_CHARACTERS { Err(Rejection::TooLarge) } else { Ok(()) }
}
