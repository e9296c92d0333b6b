//! Signs and verifies as the crate `jsonwebtoken` does for every token, by either of its back ends.

use std::sync::OnceLock;

use jsonwebtoken::crypto::{CryptoProvider, aws_lc, rust_crypto};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};
use serde::{Deserialize, Serialize};

use crate::auth::token::signature::{KeyError, Signer, SigningError, Verifier};

/// Whose cryptography the crate uses. A scheme asks for it directly, since a process can install only one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BackEnd {
    /// The crate `aws-lc-rs`.
    AwsLcRs,
    /// The crates of `RustCrypto`.
    RustCrypto,
}

/// A process has one back end for all its days.
#[derive(Debug, thiserror::Error)]
#[error(
    "jsonwebtoken already uses another back end in this process, and cannot change it; use one process for each"
)]
pub struct AnotherBackEnd;

impl BackEnd {
    /// What the pair is called.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::AwsLcRs => "jsonwebtoken (aws-lc-rs)",
            Self::RustCrypto => "jsonwebtoken (RustCrypto)",
        }
    }

    fn provider(self) -> &'static CryptoProvider {
        match self {
            Self::AwsLcRs => &aws_lc::DEFAULT_PROVIDER,
            Self::RustCrypto => &rust_crypto::DEFAULT_PROVIDER,
        }
    }

    fn refuses(self, alg: &'static str) -> KeyError {
        KeyError::unfit(alg, format!("{} refuses it", self.name()))
    }

    /// Makes it the one that the crate's own `encode` and `decode` use in this process.
    pub fn install(self) -> Result<(), AnotherBackEnd> {
        /// The crate keeps it for the whole process, and tells nobody which it is.
        static INSTALLED: OnceLock<Option<BackEnd>> = OnceLock::new();
        let installed = INSTALLED.get_or_init(|| self.provider().install_default().is_ok().then_some(self));
        if *installed == Some(self) { Ok(()) } else { Err(AnotherBackEnd) }
    }

    /// Takes a key for signing, if the back end can make a signer of it.
    pub(super) fn signer(
        self,
        algorithm: Algorithm,
        key: EncodingKey,
        alg: &'static str,
    ) -> Result<Box<dyn Signer>, KeyError> {
        let provider = self.provider();
        (provider.signer_factory)(&algorithm, &key).map_err(|_| self.refuses(alg))?;
        Ok(Box::new(TokenSigner { provider, algorithm, key, alg }))
    }

    /// Takes a key for verification, if the back end can make a verifier of it.
    pub(super) fn verifier(
        self,
        algorithm: Algorithm,
        key: DecodingKey,
        alg: &'static str,
    ) -> Result<Box<dyn Verifier>, KeyError> {
        let provider = self.provider();
        (provider.verifier_factory)(&algorithm, &key).map_err(|_| self.refuses(alg))?;
        Ok(Box::new(TokenVerifier { provider, algorithm, key }))
    }
}

/// The key as bytes: the library parses it for every token, and what it makes of it cannot be shared between threads.
struct TokenSigner {
    provider: &'static CryptoProvider,
    algorithm: Algorithm,
    key: EncodingKey,
    alg: &'static str,
}

struct TokenVerifier {
    provider: &'static CryptoProvider,
    algorithm: Algorithm,
    key: DecodingKey,
}

impl Signer for TokenSigner {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningError> {
        let signer = (self.provider.signer_factory)(&self.algorithm, &self.key);
        let signature = signer.map(|signer| signer.try_sign(message));
        signature.ok().and_then(Result::ok).ok_or(SigningError(self.alg))
    }
}

impl Verifier for TokenVerifier {
    fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let verifier = (self.provider.verifier_factory)(&self.algorithm, &self.key);
        // The library asks for a vector; it decodes one from every token.
        verifier.is_ok_and(|verifier| verifier.verify(message, &signature.to_vec()).is_ok())
    }
}
