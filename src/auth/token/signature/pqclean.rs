//! What the crates over the C of `PQClean` have in common: one module per parameter set, each with the same functions.

use pqcrypto_traits::sign::{DetachedSignature, VerificationError};

use crate::auth::token::signature::{Signer, SigningError, Verifier};

/// A private key. The crates never overwrite one.
pub(super) struct Private<K, S> {
    pub(super) alg: &'static str,
    pub(super) key: K,
    pub(super) sign: fn(&[u8], &K) -> S,
}

/// A public key, which the library expands anew for every verification.
pub(super) struct Public<K, S> {
    pub(super) key: K,
    pub(super) verify: fn(&S, &[u8], &K) -> Result<(), VerificationError>,
}

impl<K: Send + Sync, S: DetachedSignature> Signer for Private<K, S> {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningError> {
        let signature = (self.sign)(message, &self.key);
        // The C function's result is not looked at by the crate; a failure leaves the signature empty.
        if signature.as_bytes().is_empty() {
            return Err(SigningError(self.alg));
        }
        Ok(signature.as_bytes().to_vec())
    }
}

impl<K: Send + Sync, S: DetachedSignature> Verifier for Public<K, S> {
    fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        S::from_bytes(signature).is_ok_and(|signature| (self.verify)(&signature, message, &self.key).is_ok())
    }
}

/// Whether the C with AVX2 is used: it does not check the norm of z (pq-crystals/dilithium#113), the portable C does.
pub(super) fn uses_avx2() -> bool {
    // The build scripts of both crates leave the AVX2 code out for Windows.
    #[cfg(all(target_arch = "x86_64", not(windows)))]
    return std::arch::is_x86_feature_detected!("avx2");
    #[cfg(not(all(target_arch = "x86_64", not(windows))))]
    return false;
}

/// Whether the C is the one for 64-bit ARM, which no vectors were run against here.
pub(super) const USES_NEON: bool = cfg!(target_arch = "aarch64");
