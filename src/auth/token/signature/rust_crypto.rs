//! Signs and verifies by the traits that the crates of `RustCrypto` share.

use std::marker::PhantomData;

use ::hmac::{KeyInit, Mac};
use p256::ecdsa::signature::{self, SignatureEncoding};

use crate::auth::token::signature::{Signer, SigningError, Verifier};

/// A private key of type `K`, whose signatures are of type `S`.
pub(super) struct PrivateKey<K, S> {
    key: K,
    alg: &'static str,
    signature: PhantomData<fn() -> S>,
}

/// A public key of type `K`, whose signatures are of type `S`.
pub(super) struct PublicKey<K, S> {
    key: K,
    signature: PhantomData<fn() -> S>,
}

/// A code that has taken in its key and no message yet.
pub(super) struct SharedKey<M>(M);

impl<K, S> PrivateKey<K, S> {
    pub(super) fn new(key: K, alg: &'static str) -> Self {
        Self { key, alg, signature: PhantomData }
    }
}

impl<K, S> PublicKey<K, S> {
    pub(super) fn new(key: K) -> Self {
        Self { key, signature: PhantomData }
    }
}

impl<M: KeyInit> SharedKey<M> {
    pub(super) fn new(secret: &[u8]) -> Self {
        Self(<M as KeyInit>::new_from_slice(secret).expect("an HMAC takes a key of any length"))
    }
}

impl<K: signature::Signer<S> + Send + Sync, S: SignatureEncoding> Signer for PrivateKey<K, S> {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningError> {
        let signature = self.key.try_sign(message).map_err(|_| SigningError(self.alg))?;
        Ok(signature.to_bytes().as_ref().to_vec())
    }
}

impl<K: signature::Verifier<S> + Send + Sync, S: SignatureEncoding> Verifier for PublicKey<K, S> {
    fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        S::try_from(signature).is_ok_and(|signature| self.key.verify(message, &signature).is_ok())
    }
}

impl<M: Mac + Clone + Send + Sync> Signer for SharedKey<M> {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningError> {
        Ok(self.0.clone().chain_update(message).finalize().into_bytes().to_vec())
    }
}

impl<M: Mac + Clone + Send + Sync> Verifier for SharedKey<M> {
    fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.0.clone().chain_update(message).verify_slice(signature).is_ok()
    }
}
