//! SLH-DSA by `slh-dsa` of the `RustCrypto` project.

use slh_dsa::signature::Verifier as _;
use slh_dsa::{ParameterSet as Parameters, Sha2_128f, Sha2_128s, Signature, SigningKey, VerifyingKey};
use zeroize::Zeroizing;

use crate::auth::token::signature::Verifier;
use crate::auth::token::signature::slh_dsa::{self as scheme, PART_BYTES, ParameterSet, Randomness};

pub(super) fn generate(set: ParameterSet, seeds: &[[u8; PART_BYTES]; 3]) -> Zeroizing<Vec<u8>> {
    match set {
        ParameterSet::Sha2Small => generated::<Sha2_128s>(seeds),
        ParameterSet::Sha2Fast => generated::<Sha2_128f>(seeds),
    }
}

pub(in crate::auth::token::signature) fn signing_key(
    set: ParameterSet,
    private: &[u8],
) -> Option<Box<dyn scheme::SigningKey>> {
    Some(match set {
        ParameterSet::Sha2Small => Box::new(SigningKey::<Sha2_128s>::try_from(private).ok()?),
        ParameterSet::Sha2Fast => Box::new(SigningKey::<Sha2_128f>::try_from(private).ok()?),
    })
}

pub(super) fn verifier(set: ParameterSet, public: &[u8]) -> Option<Box<dyn Verifier>> {
    Some(match set {
        ParameterSet::Sha2Small => Box::new(VerifyingKey::<Sha2_128s>::try_from(public).ok()?),
        ParameterSet::Sha2Fast => Box::new(VerifyingKey::<Sha2_128f>::try_from(public).ok()?),
    })
}

fn generated<P: Parameters>([secret, prf, public]: &[[u8; PART_BYTES]; 3]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(SigningKey::<P>::slh_keygen_internal(secret, prf, public).to_bytes().to_vec())
}

impl<P: Parameters + Send + Sync> scheme::SigningKey for SigningKey<P> {
    fn sign(&self, message: &[u8], randomness: &Randomness) -> Option<Vec<u8>> {
        let signature = self.try_sign_with_context(message, b"", Some(randomness)).ok()?;
        Some(signature.to_bytes().to_vec())
    }
}

impl<P: Parameters + Send + Sync> Verifier for VerifyingKey<P> {
    fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        Signature::<P>::try_from(signature).is_ok_and(|signature| self.verify(message, &signature).is_ok())
    }
}
