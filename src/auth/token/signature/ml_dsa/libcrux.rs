//! ML-DSA by libcrux: formally verified, expands the key anew for every signature and verification.

use libcrux_ml_dsa::{
    MLDSASignature, MLDSASigningKey, MLDSAVerificationKey, ml_dsa_44, ml_dsa_65, ml_dsa_87,
};
use zeroize::Zeroize as _;

use crate::auth::token::signature::Verifier;
use crate::auth::token::signature::ml_dsa::ParameterSet;
use crate::auth::token::signature::ml_dsa::hedged::{KeyPair, Randomness, SigningKey};

/// `context` is at most 255 bytes.
pub(in crate::auth::token::signature) fn signing_key(
    set: ParameterSet,
    seed: &[u8],
    context: &'static [u8],
) -> Option<KeyPair> {
    let seed = seed.try_into().ok()?;
    Some(match set {
        ParameterSet::MlDsa44 => {
            let pair = ml_dsa_44::generate_key_pair(seed);
            key_pair(&pair.verification_key, pair.signing_key, ml_dsa_44::sign, context)
        }
        ParameterSet::MlDsa65 => {
            let pair = ml_dsa_65::generate_key_pair(seed);
            key_pair(&pair.verification_key, pair.signing_key, ml_dsa_65::sign, context)
        }
        ParameterSet::MlDsa87 => {
            let pair = ml_dsa_87::generate_key_pair(seed);
            key_pair(&pair.verification_key, pair.signing_key, ml_dsa_87::sign, context)
        }
    })
}

pub(in crate::auth::token::signature) fn verifier(
    set: ParameterSet,
    public: &[u8],
    context: &'static [u8],
) -> Option<Box<dyn Verifier>> {
    Some(match set {
        ParameterSet::MlDsa44 => {
            let key = MLDSAVerificationKey::new(public.try_into().ok()?);
            Box::new(Public { key, verify: ml_dsa_44::verify, context })
        }
        ParameterSet::MlDsa65 => {
            let key = MLDSAVerificationKey::new(public.try_into().ok()?);
            Box::new(Public { key, verify: ml_dsa_65::verify, context })
        }
        ParameterSet::MlDsa87 => {
            let key = MLDSAVerificationKey::new(public.try_into().ok()?);
            Box::new(Public { key, verify: ml_dsa_87::verify, context })
        }
    })
}

fn key_pair<const P: usize, const K: usize, const S: usize>(
    public: &MLDSAVerificationKey<P>,
    key: MLDSASigningKey<K>,
    sign: Sign<K, S>,
    context: &'static [u8],
) -> KeyPair {
    (public.as_slice().to_vec(), Box::new(Private { key, sign, context }))
}

type Sign<const K: usize, const S: usize> = fn(
    &MLDSASigningKey<K>,
    &[u8],
    &[u8],
    Randomness,
) -> Result<MLDSASignature<S>, libcrux_ml_dsa::SigningError>;

type Verify<const P: usize, const S: usize> = fn(
    &MLDSAVerificationKey<P>,
    &[u8],
    &[u8],
    &MLDSASignature<S>,
) -> Result<(), libcrux_ml_dsa::VerificationError>;

struct Private<const K: usize, const S: usize> {
    key: MLDSASigningKey<K>,
    sign: Sign<K, S>,
    context: &'static [u8],
}

struct Public<const P: usize, const S: usize> {
    key: MLDSAVerificationKey<P>,
    verify: Verify<P, S>,
    context: &'static [u8],
}

impl<const K: usize, const S: usize> SigningKey for Private<K, S> {
    fn sign(&self, message: &[u8], randomness: &Randomness) -> Option<Vec<u8>> {
        let signature = (self.sign)(&self.key, message, self.context, *randomness).ok()?;
        Some(signature.as_slice().to_vec())
    }
}

/// The library leaves this to its users.
impl<const K: usize, const S: usize> Drop for Private<K, S> {
    fn drop(&mut self) {
        self.key.as_ref_mut().zeroize();
    }
}

impl<const P: usize, const S: usize> Verifier for Public<P, S> {
    fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let Ok(signature) = signature.try_into() else { return false };
        (self.verify)(&self.key, message, self.context, &MLDSASignature::new(signature)).is_ok()
    }
}
