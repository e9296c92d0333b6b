//! Keys as PEM (RFC 7468), the form that openssl and most libraries keep them in: SPKI and PKCS#8.

mod algorithm;
mod asn1;
mod derive;
mod read;
#[cfg(test)]
mod tests;
mod write;

use crate::auth::token::jwks::{Jwk, PrivateJwk};

pub use read::read;
pub use write::{private, public};

/// What a PEM block held.
#[derive(Debug)]
pub enum PemKey {
    /// A key that signs.
    Private(PrivateJwk),
    /// A key that verifies.
    Public(Jwk),
}

/// A text that is no key, or a key that has no PEM form.
#[derive(Debug, thiserror::Error)]
pub enum PemError {
    /// No block at all, or one that is broken.
    #[error("not PEM: {0}")]
    NotPem(&'static str),
    /// A block of something else.
    #[error(
        "PEM of {found:?} where \"PRIVATE KEY\", \"PUBLIC KEY\", \"EC PRIVATE KEY\" or \"RSA PRIVATE KEY\" is \
         expected{advice}"
    )]
    Label {
        /// What stands behind BEGIN.
        found: String,
        /// How to turn it into a key.
        advice: &'static str,
    },
    /// What stands in the block is not what its label says.
    #[error("the PEM block is no {0}")]
    Malformed(&'static str),
    /// A key for something that no signature scheme here does.
    #[error("a key for the algorithm with the object identifier {0}, which is no signature scheme here")]
    Algorithm(String),
    /// RSA keys serve several algorithms, and PEM does not say which one is meant.
    #[error("PEM does not say what an RSA key is for; say so, like --alg RS256 or --alg PS256")]
    WhichRsa,
    /// The key is for another algorithm than was asked for.
    #[error("the PEM key is for {found}, not for {wanted}")]
    OtherAlgorithm {
        /// What it is for.
        found: String,
        /// What was asked for.
        wanted: String,
    },
    /// The halves of the key do not belong together.
    #[error("the halves of the {0} key do not belong together")]
    Inconsistent(&'static str),
    /// ML-DSA without its seed: JOSE keeps nothing else (RFC 9964 section 3).
    #[error(
        "the {0} key has no seed, only its expanded form, which JOSE does not know; export it with the seed"
    )]
    NoSeed(&'static str),
    /// No standard says how to write it.
    #[error("a key for {0} has no PEM form; use --format jwk or jwks")]
    NoPem(String),
    /// A JWK that lacks members.
    #[error("the key for {0} lacks members that PEM needs")]
    Incomplete(String),
}
