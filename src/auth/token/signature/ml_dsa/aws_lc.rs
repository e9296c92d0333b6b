//! ML-DSA by aws-lc-rs: the only form it offers is the empty context, hedged.

use aws_lc_rs::signature::{
    KeyPair as _, ML_DSA_44, ML_DSA_44_SIGNING, ML_DSA_65, ML_DSA_65_SIGNING, ML_DSA_87, ML_DSA_87_SIGNING,
    ParsedPublicKey, PqdsaKeyPair,
};

use crate::auth::token::signature::ml_dsa::{ParameterSet, Prepared};
use crate::auth::token::signature::{Signer, SigningError, Verifier};

pub(super) fn signer(set: ParameterSet, seed: &[u8]) -> Option<Prepared> {
    let algorithm = match set {
        ParameterSet::MlDsa44 => &ML_DSA_44_SIGNING,
        ParameterSet::MlDsa65 => &ML_DSA_65_SIGNING,
        ParameterSet::MlDsa87 => &ML_DSA_87_SIGNING,
    };
    let pair = PqdsaKeyPair::from_seed(algorithm, seed).ok()?;
    let public = pair.public_key().as_ref().to_vec();
    Some(Prepared { public, signer: Box::new(SigningKey { set, pair }) })
}

pub(super) fn verifier(set: ParameterSet, public: &[u8]) -> Option<Box<dyn Verifier>> {
    let parsed = match set {
        ParameterSet::MlDsa44 => ParsedPublicKey::new(&ML_DSA_44, public),
        ParameterSet::MlDsa65 => ParsedPublicKey::new(&ML_DSA_65, public),
        ParameterSet::MlDsa87 => ParsedPublicKey::new(&ML_DSA_87, public),
    };
    Some(Box::new(VerifyingKey(parsed.ok()?)))
}

struct SigningKey {
    set: ParameterSet,
    pair: PqdsaKeyPair,
}

struct VerifyingKey(ParsedPublicKey);

impl Signer for SigningKey {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningError> {
        let mut signature = vec![0; self.pair.algorithm().signature_len()];
        let length = self.pair.sign(message, &mut signature);
        signature.truncate(length.map_err(|_| SigningError(self.set.alg()))?);
        Ok(signature)
    }
}

impl Verifier for VerifyingKey {
    fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.0.verify_sig(message, signature).is_ok()
    }
}
