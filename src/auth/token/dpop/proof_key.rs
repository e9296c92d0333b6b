//! The key of a client, which signs a proof for each of its requests.

use serde::Serialize;

use crate::auth::token::dpop::TYPE;
use crate::auth::token::jwks::PrivateJwk;
use crate::auth::token::jwt::SigningKey;
use crate::auth::token::signature::{KeyError, SignatureScheme, SigningError};
use crate::auth::token::{TokenId, UnixTime, opaque};

/// A private key, ready to sign proofs.
pub struct ProofKey {
    key: SigningKey,
    thumbprint: String,
}

/// The request that a proof is for.
#[derive(Clone, Copy, Debug)]
pub struct ToProve<'a> {
    /// Its method.
    pub method: &'a str,
    /// Where it goes, without query and fragment.
    pub uri: &'a str,
    /// The access token that goes with it; none to the token endpoint.
    pub token: Option<&'a str>,
    /// The newest nonce of the server, if it gives out any.
    pub nonce: Option<&'a str>,
}

/// The claims of a proof (RFC 9449 section 4.2).
#[derive(Serialize)]
struct WrittenClaims<'a> {
    jti: String,
    htm: &'a str,
    htu: &'a str,
    iat: UnixTime,
    #[serde(skip_serializing_if = "Option::is_none")]
    ath: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
}

impl ProofKey {
    /// Prepares a key.
    pub fn new(scheme: &dyn SignatureScheme, key: PrivateJwk) -> Result<Self, KeyError> {
        let mut jwk = serde_json::to_value(&key.public.material).expect("a key is plain data");
        if jwk["kty"] == "AKP" {
            // RFC 9964 section 3 requires it there.
            jwk["alg"] = scheme.alg().into();
        }
        let header = serde_json::json!({ "typ": TYPE, "alg": scheme.alg(), "jwk": jwk });
        let thumbprint = key.public.thumbprint();
        Ok(Self { key: SigningKey::with_header(scheme, key, &header)?, thumbprint })
    }

    /// A fresh key.
    pub fn generate(scheme: &dyn SignatureScheme) -> Result<Self, KeyError> {
        Self::new(scheme, scheme.generate()?)
    }

    /// The RFC 7638 thumbprint of its public half, by which tokens are bound to it.
    pub fn thumbprint(&self) -> &str {
        &self.thumbprint
    }

    /// A proof that is made at `iat`, with a `jti` of its own.
    pub fn prove(&self, request: &ToProve<'_>, iat: UnixTime) -> Result<String, SigningError> {
        let claims = WrittenClaims {
            jti: opaque::mint(),
            htm: request.method,
            htu: request.uri,
            iat,
            ath: request.token.map(|token| TokenId::of(token).to_base64url()),
            nonce: request.nonce,
        };
        self.key.sign_payload(&serde_json::to_vec(&claims).expect("claims are plain data"))
    }
}
