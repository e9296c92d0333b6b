//! No signature (RFC 7515 appendix A.5): a control of the bench, which shows what all but the cryptography costs.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::auth::token::jwks::{Jwk, KeyMaterial, PrivateJwk, PrivateMembers};
use crate::auth::token::signature::{
    Conformance, Facts, KeyError, SignatureScheme, Signer, SigningError, Status, Verifier, must_be_for,
};

/// Takes every token without looking. Its key cannot be published, so that nobody trusts it who was not set up to.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "none")]
pub(super) struct Unsecured {}

struct Nothing;

const ALG: &str = "none";

impl SignatureScheme for Unsecured {
    fn alg(&self) -> &'static str {
        ALG
    }

    fn facts(&self) -> Facts {
        Facts {
            status: Status::Control,
            library: "none",
            post_quantum: false,
            public_key_bytes: 0,
            signature_bytes: 0,
            conformance: Conformance::Unverified { reason: "it proves nothing" },
        }
    }

    fn generate(&self) -> Result<PrivateJwk, KeyError> {
        let public = Jwk::new(ALG, KeyMaterial::Nothing);
        Ok(PrivateJwk { public, private: PrivateMembers::default() })
    }

    fn signer(&self, key: &PrivateJwk) -> Result<Box<dyn Signer>, KeyError> {
        self.nothing(&key.public)?;
        Ok(Box::new(Nothing))
    }

    fn verifier(&self, key: &Jwk) -> Result<Box<dyn Verifier>, KeyError> {
        self.nothing(key)?;
        Ok(Box::new(Nothing))
    }
}

impl Unsecured {
    fn nothing(&self, key: &Jwk) -> Result<(), KeyError> {
        must_be_for(self, key)?;
        match key.material {
            KeyMaterial::Nothing => Ok(()),
            _ => Err(KeyError::other_type(ALG, key, "none")),
        }
    }
}

impl Signer for Nothing {
    fn sign(&self, _: &[u8]) -> Result<Vec<u8>, SigningError> {
        Ok(Vec::new())
    }
}

impl Verifier for Nothing {
    /// RFC 7518 section 3.6: the signature of such a token is empty.
    fn verifies(&self, _: &[u8], signature: &[u8]) -> bool {
        signature.is_empty()
    }
}
