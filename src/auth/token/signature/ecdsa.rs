//! ECDSA (RFC 7518 section 3.4): signatures are r and s one after the other, never DER.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, ParsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::auth::token::jwks::{Jwk, KeyMaterial};
use crate::auth::token::signature::{KeyError, SignatureScheme, Signer, SigningError, Verifier};

/// ES256.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Es256 {}

const ALG: &str = "ES256";
const CURVE: &str = "P-256";
const COORDINATE_BYTES: usize = 32;
/// SEC 1 section 2.3.3: an uncompressed point begins with this byte.
const UNCOMPRESSED: u8 = 4;

impl SignatureScheme for Es256 {
    fn alg(&self) -> &'static str {
        ALG
    }

    fn generate(&self) -> Result<Box<dyn Signer>, KeyError> {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)
            .map_err(|_| KeyError::Generation(ALG))?;
        let (x, y) = pair.public_key().as_ref()[1..].split_at(COORDINATE_BYTES);
        let material = KeyMaterial::EllipticCurve {
            crv: CURVE.to_owned(),
            x: URL_SAFE_NO_PAD.encode(x),
            y: URL_SAFE_NO_PAD.encode(y),
        };
        Ok(Box::new(Key { public: Jwk::new(ALG, material), pair, random: SystemRandom::new() }))
    }

    fn verifier(&self, key: &Jwk) -> Result<Box<dyn Verifier>, KeyError> {
        let not_for_scheme = || KeyError::NotForScheme(ALG);
        let KeyMaterial::EllipticCurve { crv, x, y } = &key.material else { return Err(not_for_scheme()) };
        let mut point = vec![UNCOMPRESSED];
        for coordinate in [x, y] {
            let bytes = URL_SAFE_NO_PAD.decode(coordinate).map_err(|_| not_for_scheme())?;
            point.extend(bytes);
        }
        if crv != CURVE || point.len() != 1 + 2 * COORDINATE_BYTES {
            return Err(not_for_scheme());
        }
        let parsed = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).map_err(|_| not_for_scheme())?;
        Ok(Box::new(parsed))
    }
}

struct Key {
    public: Jwk,
    pair: EcdsaKeyPair,
    random: SystemRandom,
}

impl Signer for Key {
    fn public_key(&self) -> &Jwk {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningError> {
        let signature = self.pair.sign(&self.random, message).map_err(|_| SigningError(ALG))?;
        Ok(signature.as_ref().to_vec())
    }
}

impl Verifier for ParsedPublicKey {
    fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.verify_sig(message, signature).is_ok()
    }
}
