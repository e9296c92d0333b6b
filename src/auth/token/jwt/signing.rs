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

    /// What stands before the signature of these claims as an access token: header and claims with a dot between them.
    pub fn header_and_claims(&self, claims: &Claims) -> String {
        self.before_signature(&serde_json::to_vec(claims).expect("claims are plain data"))
    }

    /// Any JSON as the payload of an access token.
    pub fn sign_payload(&self, payload: &[u8]) -> Result<String, SigningError> {
        self.signed(self.before_signature(payload))
    }

    /// Any JSON as the payload of a JWT of another type, whose header is made anew.
    pub fn sign_as(&self, typ: &str, payload: &[u8]) -> Result<String, SigningError> {
        let Jwk { alg, kid, .. } = &self.public;
        let header = serde_json::json!({ "alg": alg, "kid": kid, "typ": typ });
        self.signed(behind(base64url::encode(header.to_string()) + ".", payload))
    }

    fn signed(&self, message: String) -> Result<String, SigningError> {
        let mut token = message;
        let signature = self.signer.sign(token.as_bytes())?;
        token.push('.');
        base64url::encode_into(&signature, &mut token);
        Ok(token)
    }

    fn before_signature(&self, payload: &[u8]) -> String {
        behind(self.header.clone(), payload)
    }
}

/// A payload behind its header, which ends with a dot.
fn behind(header: String, payload: &[u8]) -> String {
    let mut message = header;
    base64url::encode_into(payload, &mut message);
    message
}
