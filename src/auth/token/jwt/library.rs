//! The same decision by the crate `jsonwebtoken`: what a Rust team would use today, with what a careful one adds to it.

use std::cell::Cell;
use std::time::Duration;

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde::de::{DeserializeSeed as _, Error as _};
use serde::{Deserialize, Deserializer};

use crate::auth::token::jwks::{Jwk, JwkSet, KeyMaterial};
use crate::auth::token::jwt::header::Header;
use crate::auth::token::jwt::key_ring::TokenParts;
use crate::auth::token::jwt::keys::{Keys, Trust};
use crate::auth::token::object::Object;
use crate::auth::token::signature::SignatureScheme;
use crate::auth::token::{Claims, Policy, Rejection, Section, StatedClaims, UnixTime, base64url};

/// The keys of an authorization server, prepared for the crate.
pub struct LibraryRing {
    keys: Keys<(DecodingKey, Validation)>,
    policy: Policy,
    leeway: Duration,
}

/// Every algorithm of the crate: another one makes a header that it cannot read.
const ALGORITHMS: [(&str, Algorithm); 12] = [
    ("HS256", Algorithm::HS256),
    ("HS384", Algorithm::HS384),
    ("HS512", Algorithm::HS512),
    ("ES256", Algorithm::ES256),
    ("ES384", Algorithm::ES384),
    ("RS256", Algorithm::RS256),
    ("RS384", Algorithm::RS384),
    ("RS512", Algorithm::RS512),
    ("PS256", Algorithm::PS256),
    ("PS384", Algorithm::PS384),
    ("PS512", Algorithm::PS512),
    ("EdDSA", Algorithm::EdDSA),
];

impl LibraryRing {
    /// What the crate can read of the names that tokens of this scheme may give their algorithm.
    pub fn name_for(scheme: &dyn SignatureScheme) -> Option<&'static str> {
        algorithm(scheme).map(|(name, _)| name)
    }

    /// Takes up every published key that the crate understands.
    pub fn new(published: &JwkSet, trust: &Trust, policy: &Policy, leeway: Duration) -> Self {
        let keys = Keys::new(published, trust, |scheme, key| {
            // The crate takes a key of any size and curve, and finds out with the first token.
            scheme.verifier(key).ok()?;
            let (_, algorithm) = algorithm(scheme)?;
            Some((decoding_key(key)?, validation(algorithm, policy, leeway)))
        });
        Self { keys, policy: policy.clone(), leeway }
    }

    /// Decides on a token.
    pub fn verify(&self, token: &str, now: UnixTime) -> Result<Claims, Rejection> {
        // The crate has no limit of size.
        let parts = TokenParts::of(token)?;
        // The crate's own look at a header does not refuse `crit`, another `typ`, or an unknown member that stands there
        // twice. The key must be found by `kid` before it is asked in any case.
        let mut header = Vec::new();
        parts.decode(Section::Header, &mut header)?;
        // Of keys of one name and one algorithm each is tried.
        let mut decoded = Err(Rejection::BadSignature);
        for (key, validation) in self.keys.select(&Header::of_access_token(&header)?)? {
            decoded = decode::<StrictClaims>(token, key, validation).map_err(|error| rejection(error.kind()));
            if !matches!(decoded, Err(Rejection::BadSignature)) {
                break;
            }
        }
        // The crate knows nothing of the claims that RFC 9068 requires beside its five, nor of members that stand there
        // twice: `StrictClaims` does.
        let StrictClaims(claims) = decoded?.claims;
        // The scope is not the crate's business, and its clock is the system's, which may be set.
        self.policy.check(&claims, now, self.leeway)?;
        Ok(claims)
    }
}

/// The claims for a library that asks serde for them.
struct StrictClaims(Claims);

impl<'de> Deserialize<'de> for StrictClaims {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let stated = Object::<StatedClaims>::noting(&Cell::new(None)).deserialize(deserializer)?;
        stated.complete().map(Self).map_err(D::Error::custom)
    }
}

fn algorithm(scheme: &dyn SignatureScheme) -> Option<(&'static str, Algorithm)> {
    ALGORITHMS.into_iter().find(|(name, _)| scheme.answers_to(name))
}

fn decoding_key(key: &Jwk) -> Option<DecodingKey> {
    let text = |bytes: &[u8]| base64url::encode(bytes);
    Some(match &key.material {
        KeyMaterial::EllipticCurve { x, y, .. } => {
            DecodingKey::from_ec_components(&text(x), &text(y)).ok()?
        }
        KeyMaterial::OctetKeyPair { x, .. } => DecodingKey::from_ed_components(&text(x)).ok()?,
        KeyMaterial::Rsa { n, e } => DecodingKey::from_rsa_raw_components(n, e),
        KeyMaterial::Octets { k } => DecodingKey::from_secret(k.expose()),
        KeyMaterial::AlgorithmKeyPair { .. } | KeyMaterial::Nothing => return None,
    })
}

/// The algorithm is bound to the key; what the crate skips when it is absent is made required.
fn validation(algorithm: Algorithm, policy: &Policy, leeway: Duration) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.set_required_spec_claims(&["iss", "sub", "aud", "exp"]);
    validation.set_issuer(&[&policy.issuer]);
    validation.set_audience(&[&policy.audience]);
    validation.validate_nbf = true;
    // 60 s by default.
    validation.leeway = leeway.as_secs();
    // The crate accepts during the second in which a token expires; RFC 7519 section 4.1.4 does not.
    validation.reject_tokens_expiring_in_less_than = 1;
    validation
}

fn rejection(error: &ErrorKind) -> Rejection {
    match error {
        ErrorKind::InvalidAlgorithm => Rejection::WrongAlgorithm,
        ErrorKind::InvalidIssuer => Rejection::WrongIssuer,
        ErrorKind::InvalidAudience => Rejection::WrongAudience,
        // What it calls invalid expires before the second of 1970 that it subtracts.
        ErrorKind::ExpiredSignature | ErrorKind::InvalidToken => Rejection::Expired,
        ErrorKind::ImmatureSignature => Rejection::NotYetValid,
        // Which part it was, the crate does not say; the header was read before it was asked.
        ErrorKind::Base64(_) => Rejection::NotBase64Url(Section::Claims),
        ErrorKind::Json(_) | ErrorKind::Utf8(_) => Rejection::NotJson(Section::Claims),
        _ => Rejection::BadSignature,
    }
}
