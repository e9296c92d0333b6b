//! ML-DSA by `ml-dsa` of the `RustCrypto` project: the verifying key keeps the expanded matrix.

use ml_dsa::{EncodedVerifyingKey, ExpandedSigningKey, KeyExport as _, MlDsaParams, Signature, VerifyingKey};

use crate::auth::token::signature::Verifier;
use crate::auth::token::signature::ml_dsa::ParameterSet;
use crate::auth::token::signature::ml_dsa::hedged::{KeyPair, Randomness, SigningKey};

/// `context` is at most 255 bytes.
pub(in crate::auth::token::signature) fn signing_key(
    set: ParameterSet,
    seed: &[u8],
    context: &'static [u8],
) -> Option<KeyPair> {
    match set {
        ParameterSet::MlDsa44 => expanded::<ml_dsa::MlDsa44>(seed, context),
        ParameterSet::MlDsa65 => expanded::<ml_dsa::MlDsa65>(seed, context),
        ParameterSet::MlDsa87 => expanded::<ml_dsa::MlDsa87>(seed, context),
    }
}

pub(in crate::auth::token::signature) fn verifier(
    set: ParameterSet,
    public: &[u8],
    context: &'static [u8],
) -> Option<Box<dyn Verifier>> {
    match set {
        ParameterSet::MlDsa44 => cached::<ml_dsa::MlDsa44>(public, context),
        ParameterSet::MlDsa65 => cached::<ml_dsa::MlDsa65>(public, context),
        ParameterSet::MlDsa87 => cached::<ml_dsa::MlDsa87>(public, context),
    }
}

fn expanded<P: MlDsaParams + 'static>(seed: &[u8], context: &'static [u8]) -> Option<KeyPair> {
    let key = ExpandedSigningKey::<P>::from_seed(&seed.try_into().ok()?);
    let public = key.verifying_key().to_bytes().to_vec();
    Some((public, Box::new(WithContext { key, context })))
}

fn cached<P: MlDsaParams + 'static>(public: &[u8], context: &'static [u8]) -> Option<Box<dyn Verifier>> {
    let encoded = EncodedVerifyingKey::<P>::try_from(public).ok()?;
    Some(Box::new(WithContext { key: VerifyingKey::<P>::decode(&encoded), context }))
}

struct WithContext<K> {
    key: K,
    context: &'static [u8],
}

impl<P: MlDsaParams> SigningKey for WithContext<ExpandedSigningKey<P>> {
    fn sign(&self, message: &[u8], randomness: &Randomness) -> Option<Vec<u8>> {
        // FIPS 204 algorithm 2, step 10: 0 says that the message is not a hash.
        let prefix = [0, u8::try_from(self.context.len()).ok()?];
        let signature = self.key.sign_internal(&[&prefix, self.context, message], &(*randomness).into());
        Some(signature.encode().to_vec())
    }
}

impl<P: MlDsaParams> Verifier for WithContext<VerifyingKey<P>> {
    fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        Signature::<P>::try_from(signature)
            .is_ok_and(|signature| self.key.verify_with_context(message, self.context, &signature))
    }
}
