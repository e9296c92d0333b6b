//! Keys that sign.

use serde::Serialize;

use crate::auth::token::base64url::Secret;
use crate::auth::token::jwks::{Jwk, KeyMaterial};

/// A key that signs, with the half that verifies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PrivateJwk {
    /// What verifies.
    #[serde(flatten)]
    pub public: Jwk,
    /// What only the signer knows. Of an HMAC it is nothing more.
    #[serde(flatten)]
    pub private: PrivateMembers,
}

/// The private members of every key type; each type has its own few.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PrivateMembers {
    /// Of `EC`, `OKP` and `RSA`: the private key or exponent (RFC 7518 sections 6.2.2 and 6.3.2, RFC 8037 section 2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub d: Option<Secret>,
    /// Of `RSA`: the first prime factor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p: Option<Secret>,
    /// Of `RSA`: the second prime factor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub q: Option<Secret>,
    /// Of `RSA`: d mod (p - 1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dp: Option<Secret>,
    /// Of `RSA`: d mod (q - 1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dq: Option<Secret>,
    /// Of `RSA`: the inverse of q mod p.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub qi: Option<Secret>,
    /// Of `AKP`: the private key in the form its algorithm defines; of ML-DSA the 32-byte seed (RFC 9964 section 3).
    #[serde(rename = "priv", skip_serializing_if = "Option::is_none")]
    pub akp: Option<Secret>,
}

impl PrivateJwk {
    /// An `EC` or `OKP` key pair, named by its thumbprint.
    pub fn with_d(alg: &str, material: KeyMaterial, d: impl Into<Secret>) -> Self {
        let private = PrivateMembers { d: Some(d.into()), ..PrivateMembers::default() };
        Self { public: Jwk::new(alg, material), private }
    }

    /// An RSA key pair from an `RSAPrivateKey` of two primes (RFC 8017 appendix A.1.2), if it is one.
    pub fn rsa(alg: &str, pkcs1: &[u8]) -> Option<Self> {
        let key = pkcs1::RsaPrivateKey::try_from(pkcs1).ok().filter(|key| key.other_prime_infos.is_none())?;
        let bytes = |number: pkcs1::UintRef<'_>| number.as_bytes().to_vec();
        let secret = |number| Some(bytes(number).into());
        let private = PrivateMembers {
            d: secret(key.private_exponent),
            p: secret(key.prime1),
            q: secret(key.prime2),
            dp: secret(key.exponent1),
            dq: secret(key.exponent2),
            qi: secret(key.coefficient),
            akp: None,
        };
        let material =
            KeyMaterial::Rsa { n: bytes(key.modulus).into(), e: bytes(key.public_exponent).into() };
        Some(Self { public: Jwk::new(alg, material), private })
    }

    /// An `AKP` key pair, named by its thumbprint.
    pub fn akp(alg: &str, public: &[u8], private: impl Into<Secret>) -> Self {
        let private = PrivateMembers { akp: Some(private.into()), ..PrivateMembers::default() };
        Self { public: Jwk::new(alg, KeyMaterial::AlgorithmKeyPair { public: public.into() }), private }
    }
}
