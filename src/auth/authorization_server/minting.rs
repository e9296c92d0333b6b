//! What an authorization server issues, and the keys that it signs with.

use crate::auth::store::StoreError;
use crate::auth::token::jwks::{Jwk, JwkSet};
use crate::auth::token::jwt::{KeyRing, SigningKey, Trust};
use crate::auth::token::signature::{SignatureScheme, SigningError};
use crate::design::TokenFormat;
use crate::registry::Part;

/// What clients are issued, and what is signed.
pub enum Minting {
    /// Opaque tokens; the claims stay in the store.
    Opaque,
    /// JWTs; the store knows the revoked ones only.
    Jwt(Box<Signing>),
    /// Opaque tokens, as above; who introspects may have one of them as a JWT, which is signed then.
    Phantom(Box<Signing>),
    /// Signatures of JWTs; the claims stay in the store.
    Split(Box<Signing>),
}

/// The keys of an authorization server.
pub struct Signing {
    /// The private key.
    pub(super) key: SigningKey,
    /// What verifies, for the server's own introspection.
    pub(super) keys: KeyRing,
    /// What else it publishes, and takes for its own: keys that signed until now, or will from now on.
    pub(super) others: Vec<Jwk>,
}

impl Minting {
    /// Tokens of this format for clients, and JWTs signed with this key, while those of the other keys count too.
    pub fn signed(
        outside: TokenFormat,
        key: SigningKey,
        scheme: Part<dyn SignatureScheme>,
        others: Vec<Jwk>,
    ) -> Self {
        let trust = Trust { shared_key: Some(key.public().clone()), scheme: Some(scheme) };
        let keys = KeyRing::new(&JwkSet::of(&others), &trust);
        let signing = Box::new(Signing { key, keys, others });
        match outside {
            TokenFormat::Jwt => Self::Jwt(signing),
            TokenFormat::Opaque => Self::Phantom(signing),
            TokenFormat::Signature => Self::Split(signing),
        }
    }

    pub(super) fn signing(&self) -> Option<&Signing> {
        match self {
            Self::Opaque => None,
            Self::Jwt(signing) | Self::Phantom(signing) | Self::Split(signing) => Some(signing),
        }
    }
}

/// Why there is no JWT in the place of a token.
#[derive(Debug, thiserror::Error)]
pub enum JwtError {
    /// It does not allow what is asked for.
    #[error("the token does not allow that scope")]
    Scope,
    /// Nobody whom this server issues tokens for (RFC 8693 section 2.2.2).
    #[error("no token is exchanged for that audience")]
    Target,
    /// Nothing to sign with.
    #[error("this authorization server signs no JWTs; give it a signature scheme")]
    NoKey,
    /// The signature failed.
    #[error(transparent)]
    Signing(#[from] SigningError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The last part of a JWT.
pub fn signature_of(jwt: &str) -> &str {
    jwt.rsplit('.').next().expect("what is split has a part")
}
