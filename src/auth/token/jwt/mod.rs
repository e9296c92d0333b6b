//! One compact-JWS path for every signature scheme (RFC 7515, RFC 8725, RFC 9068).

use std::collections::HashMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use crate::auth::token::jwks::{Jwk, JwkSet};
use crate::auth::token::signature::{SIGNATURE_SCHEMES, Signer, SigningError, Verifier};
use crate::auth::token::{Claims, Policy, Rejection, UnixTime};
use crate::registry::Choice;

/// The media type of an access token (RFC 9068 section 2.1).
const TYPE: &str = "at+jwt";

/// Larger than every token that a signature scheme with claims of common size makes; refused before any work.
const MAX_CHARACTERS: usize = 64 * 1024;

/// Signs claims as an access token.
pub fn sign(signer: &dyn Signer, claims: &Claims) -> Result<String, SigningError> {
    let Jwk { alg, kid, .. } = signer.public_key();
    let header = format!(r#"{{"alg":"{alg}","kid":"{kid}","typ":"{TYPE}"}}"#);
    let mut token = URL_SAFE_NO_PAD.encode(header);
    token.push('.');
    let payload = serde_json::to_vec(claims).expect("claims are plain data");
    URL_SAFE_NO_PAD.encode_string(payload, &mut token);
    let signature = signer.sign(token.as_bytes())?;
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut token);
    Ok(token)
}

/// The keys of an authorization server, ready to verify.
#[derive(Default)]
pub struct KeyRing {
    keys: HashMap<String, Key>,
}

struct Key {
    alg: String,
    verifier: Box<dyn Verifier>,
}

/// What of a header is looked at (RFC 7515 section 4.1). Keys and links in a header are never followed.
#[derive(Deserialize)]
struct Header<'a> {
    #[serde(borrow)]
    alg: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    kid: Option<std::borrow::Cow<'a, str>>,
    #[serde(borrow)]
    typ: Option<std::borrow::Cow<'a, str>>,
    crit: Option<serde::de::IgnoredAny>,
}

impl KeyRing {
    /// Takes up every key that is understood; the others are ignored (RFC 7517 section 5).
    pub fn from_set(set: &JwkSet) -> Self {
        let keys = set.keys.iter().filter_map(|key| {
            let jwk = Jwk::deserialize(key).ok()?;
            let scheme = SIGNATURE_SCHEMES.resolve(Choice::named(&*jwk.alg)).ok()?;
            let verifier = scheme.verifier(&jwk).ok()?;
            Some((jwk.kid, Key { alg: jwk.alg, verifier }))
        });
        Self { keys: keys.collect() }
    }

    /// Decides on a token. The algorithm is bound to the key, never taken from the token.
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
        if token.len() > MAX_CHARACTERS {
            return Err(Rejection::TooLarge);
        }
        let (message, signature) = token.rsplit_once('.').ok_or(Rejection::Malformed)?;
        let (header, payload) = message.split_once('.').ok_or(Rejection::Malformed)?;
        let key = self.key_for(&decode(header)?)?;
        if !key.verifier.verifies(message.as_bytes(), &decode(signature)?) {
            return Err(Rejection::BadSignature);
        }
        serde_json::from_slice(&decode(payload)?).map_err(|_| Rejection::Malformed)
    }

    fn key_for(&self, header: &[u8]) -> Result<&Key, Rejection> {
        let header: Header = serde_json::from_slice(header).map_err(|_| Rejection::Malformed)?;
        // RFC 7515 section 4.1.11: what must be understood and is not, is refused.
        if header.crit.is_some() {
            return Err(Rejection::Malformed);
        }
        if !header.typ.is_some_and(|typ| is_access_token(&typ)) {
            return Err(Rejection::WrongType);
        }
        let key = header.kid.and_then(|kid| self.keys.get(&*kid)).ok_or(Rejection::UnknownKey)?;
        if key.alg == header.alg { Ok(key) } else { Err(Rejection::WrongAlgorithm) }
    }
}

/// RFC 9068 section 4: `at+jwt`, with or without `application/`, in any case of letters.
fn is_access_token(typ: &str) -> bool {
    typ.eq_ignore_ascii_case(TYPE) || typ.eq_ignore_ascii_case("application/at+jwt")
}

fn decode(part: &str) -> Result<Vec<u8>, Rejection> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| Rejection::Malformed)
}

#[cfg(test)]
mod tests;
