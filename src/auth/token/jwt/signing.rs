//! Signs claims as access tokens.

use crate::auth::token::jwks::{Jwk, PrivateJwk};
use crate::auth::token::jwt::TYPE;
use crate::auth::token::signature::{KeyError, SignatureScheme, Signer, SigningError};
use crate::auth::token::{Claims, base64url};

/// A private key, ready to sign tokens.
pub struct SigningKey {
    public: Jwk,
    signer: Box<dyn Signer>,
    /// The header of every token, encoded, with the dot behind it.
    header: String,
}

impl SigningKey {
    /// Prepares a key.
    pub fn new(scheme: &dyn SignatureScheme, key: PrivateJwk) -> Result<Self, KeyError> {
        let header = serde_json::json!({ "alg": scheme.alg(), "kid": key.public.kid, "typ": TYPE });
        Self::with_header(scheme, key, &header)
    }

    /// Prepares a key for JWTs that are no access tokens, with a header of their own.
    pub fn with_header(
        scheme: &dyn SignatureScheme,
        key: PrivateJwk,
        header: &serde_json::Value,
    ) -> Result<Self, KeyError> {
        let signer = scheme.signer(&key)?;
        let header = base64url::encode(header.to_string()) + ".";
        Ok(Self { public: key.public, signer, header })
    }

    /// A fresh key.
    pub fn generate(scheme: &dyn SignatureScheme) -> Result<Self, KeyError> {
        Self::new(scheme, scheme.generate()?)
    }

    /// What verifies its tokens.
    pub fn public(&self) -> &Jwk {
        &self.public
    }

    /// The claims as an access token.
    pub fn sign(&self, claims: &Claims) -> Result<String, SigningError> {
        self.sign_payload(&serde_json::to_vec(claims).expect("claims are plain data"))
    }

    /// Any JSON as the payload of an access token.
    pub fn sign_payload(&self, payload: &[u8]) -> Result<String, SigningError> {
        self.sign_behind(self.header.clone(), payload)
    }

    /// Any JSON as the payload of a JWT of another type, whose header is made anew.
    pub fn sign_as(&self, typ: &str, payload: &[u8]) -> Result<String, SigningError> {
        let Jwk { alg, kid, .. } = &self.public;
        let header = serde_json::json!({ "alg": alg, "kid": kid, "typ": typ });
        self.sign_behind(base64url::encode(header.to_string()) + ".", payload)
    }

    fn sign_behind(&self, header: String, payload: &[u8]) -> Result<String, SigningError> {
        let mut token = header;
        base64url::encode_into(payload, &mut token);
        let signature = self.signer.sign(token.as_bytes())?;
        token.push('.');
        base64url::encode_into(&signature, &mut token);
        Ok(token)
    }
}
