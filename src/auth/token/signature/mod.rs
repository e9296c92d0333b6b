//! Signature schemes: one file per family. Keys are told apart by public key, since issuer and verifier are two processes.

mod ecdsa;
mod ml_dsa;
#[cfg(test)]
mod tests;

use std::fmt::Debug;

use crate::auth::token::jwks::Jwk;
use crate::registry::{Registry, Role, entry};

/// A way to sign tokens, known by its JOSE `alg`.
pub trait SignatureScheme: Debug + Send + Sync {
    /// The registered JOSE name (RFC 7518, RFC 9964).
    fn alg(&self) -> &'static str;

    /// A fresh key pair.
    fn generate(&self) -> Result<Box<dyn Signer>, KeyError>;

    /// Prepares a published key for verification.
    fn verifier(&self, key: &Jwk) -> Result<Box<dyn Verifier>, KeyError>;
}

/// A private key.
pub trait Signer: Send + Sync {
    /// Its public half.
    fn public_key(&self) -> &Jwk;

    /// The signature of `message` in the form that JWS asks for.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningError>;
}

/// A public key, ready to verify.
pub trait Verifier: Send + Sync {
    /// Whether `signature` is one of `message` by this key.
    fn verifies(&self, message: &[u8], signature: &[u8]) -> bool;
}

/// A key that cannot be made or used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The library made none.
    #[error("no {0} key could be generated")]
    Generation(&'static str),
    /// Not a key of this scheme.
    #[error("not a public key for {0}")]
    NotForScheme(&'static str),
}

/// The library did not sign.
#[derive(Debug, thiserror::Error)]
#[error("signing with {0} failed")]
pub struct SigningError(&'static str);

/// Every signature scheme.
pub static SIGNATURE_SCHEMES: Registry<dyn SignatureScheme> = Registry {
    role: "signature scheme",
    entries: &[
        entry!("ES256", ecdsa::Es256, "ECDSA on P-256 with SHA-256 (RFC 7518), by aws-lc"),
        entry!("ML-DSA-65", ml_dsa::MlDsa65, "post-quantum: ML-DSA-65 of FIPS 204 (RFC 9964), by aws-lc"),
    ],
};

impl Role for dyn SignatureScheme {
    fn registry() -> &'static Registry<Self> {
        &SIGNATURE_SCHEMES
    }
}
