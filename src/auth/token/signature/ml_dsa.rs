//! ML-DSA (FIPS 204) as RFC 9964 uses it: key type `AKP`, empty context.

use aws_lc_rs::signature::{KeyPair as _, ML_DSA_65, ML_DSA_65_SIGNING, ParsedPublicKey, PqdsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::auth::token::jwks::{Jwk, KeyMaterial};
use crate::auth::token::signature::{KeyError, SignatureScheme, Signer, SigningError, Verifier};

/// ML-DSA-65.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MlDsa65 {}

const ALG: &str = "ML-DSA-65";

impl SignatureScheme for MlDsa65 {
    fn alg(&self) -> &'static str {
        ALG
    }

    fn generate(&self) -> Result<Box<dyn Signer>, KeyError> {
        let pair = PqdsaKeyPair::generate(&ML_DSA_65_SIGNING).map_err(|_| KeyError::Generation(ALG))?;
        let public = URL_SAFE_NO_PAD.encode(pair.public_key());
        let material = KeyMaterial::AlgorithmKeyPair { public };
        Ok(Box::new(Key { public: Jwk::new(ALG, material), pair }))
    }

    fn verifier(&self, key: &Jwk) -> Result<Box<dyn Verifier>, KeyError> {
        let not_for_scheme = || KeyError::NotForScheme(ALG);
        let KeyMaterial::AlgorithmKeyPair { public } = &key.material else { return Err(not_for_scheme()) };
        let bytes = URL_SAFE_NO_PAD.decode(public).map_err(|_| not_for_scheme())?;
        let parsed = ParsedPublicKey::new(&ML_DSA_65, bytes).map_err(|_| not_for_scheme())?;
        Ok(Box::new(parsed))
    }
}

struct Key {
    public: Jwk,
    pair: PqdsaKeyPair,
}

impl Signer for Key {
    fn public_key(&self) -> &Jwk {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningError> {
        let mut signature = vec![0; self.pair.algorithm().signature_len()];
        let length = self.pair.sign(message, &mut signature).map_err(|_| SigningError(ALG))?;
        signature.truncate(length);
        Ok(signature)
    }
}
