//! Keys as PEM (RFC 7468), the form that openssl and most libraries keep them in: SPKI, PKCS#8 and their forerunners.

mod algorithm;
mod block;
mod read;
#[cfg(test)]
mod tests;
mod write;

pub use read::read;
pub use write::{private, public};

/// A text that is no key, or a key that has no PEM form. Tells nothing that stands in a block.
#[derive(Debug, thiserror::Error)]
pub enum PemError {
    /// No block at all, or one that is broken.
    #[error("not PEM: {0}")]
    NotPem(String),
    /// A block of something else.
    #[error("PEM of {found:?}, expected \"PRIVATE KEY\" or \"PUBLIC KEY\"{advice}")]
    Label {
        /// What stands behind BEGIN.
        found: String,
        /// How to turn it into a key.
        advice: &'static str,
    },
    /// One of several blocks.
    #[error("block {number} of the file, {label:?}")]
    Block {
        /// The first is 1.
        number: usize,
        /// What stands behind BEGIN.
        label: String,
        /// What is wrong with it.
        source: Box<PemError>,
    },
    /// What stands in the block is not what its label says.
    #[error("the PEM block is no {0}")]
    Malformed(&'static str),
    /// A key for something that no signature scheme here does.
    #[error(
        "a key for {0}, which is not supported; supported: RSA, the curves P-256 and P-384, Ed25519, ML-DSA, \
         SLH-DSA-SHA2-128s and SLH-DSA-SHA2-128f"
    )]
    Unsupported(String),
    /// RSA keys serve several algorithms, and PEM does not say which one is meant.
    #[error("PEM does not say what an RSA key is for; say so, like --alg RS256 or --alg PS256")]
    WhichRsa,
    /// The key is for another algorithm than was asked for.
    #[error("the PEM key is for {found}, not for {wanted}")]
    OtherAlgorithm {
        /// What it is for.
        found: &'static str,
        /// What was asked for.
        wanted: String,
    },
    /// The halves of the key do not belong together.
    #[error("the {0} key is damaged, or its halves do not belong together")]
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
