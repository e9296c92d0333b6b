//! What ES256 and ES384 differ in.

use std::fmt::Debug;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED,
    ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaSigningAlgorithm, EcdsaVerificationAlgorithm,
};
use jsonwebtoken::Algorithm;
use p256::ecdsa::signature::{self, SignatureEncoding};

/// A curve with the hash that RFC 7518 section 3.4 pairs it with.
pub(in crate::auth::token::signature) trait Curve:
    Debug + Send + Sync + 'static
{
    const ALG: &'static str;
    const NAME: &'static str;
    const COORDINATE_BYTES: u32;
    const SIGNING: &'static EcdsaSigningAlgorithm;
    const VERIFICATION: &'static EcdsaVerificationAlgorithm;
    const JSONWEBTOKEN: Algorithm;
    /// The crate that `RustCrypto` has for it; the types are that crate's.
    const RUST_CRYPTO: &'static str;
    type PrivateKey: for<'a> TryFrom<&'a [u8]> + signature::Signer<Self::Signature> + Send + Sync;
    type PublicKey: for<'a> TryFrom<&'a [u8]> + signature::Verifier<Self::Signature> + Send + Sync;
    type Signature: SignatureEncoding;

    /// The public half, uncompressed.
    fn point_of(key: &Self::PrivateKey) -> Vec<u8>;
}

#[derive(Debug)]
pub(in crate::auth::token::signature) enum P256 {}
#[derive(Debug)]
pub(in crate::auth::token::signature) enum P384 {}

impl Curve for P256 {
    const ALG: &'static str = "ES256";
    const NAME: &'static str = "P-256";
    const COORDINATE_BYTES: u32 = 32;
    const SIGNING: &'static EcdsaSigningAlgorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
    const VERIFICATION: &'static EcdsaVerificationAlgorithm = &ECDSA_P256_SHA256_FIXED;
    const JSONWEBTOKEN: Algorithm = Algorithm::ES256;
    const RUST_CRYPTO: &'static str = "p256";
    type PrivateKey = p256::ecdsa::SigningKey;
    type PublicKey = p256::ecdsa::VerifyingKey;
    type Signature = p256::ecdsa::Signature;

    fn point_of(key: &Self::PrivateKey) -> Vec<u8> {
        key.verifying_key().to_sec1_point(false).as_bytes().to_vec()
    }
}

impl Curve for P384 {
    const ALG: &'static str = "ES384";
    const NAME: &'static str = "P-384";
    const COORDINATE_BYTES: u32 = 48;
    const SIGNING: &'static EcdsaSigningAlgorithm = &ECDSA_P384_SHA384_FIXED_SIGNING;
    const VERIFICATION: &'static EcdsaVerificationAlgorithm = &ECDSA_P384_SHA384_FIXED;
    const JSONWEBTOKEN: Algorithm = Algorithm::ES384;
    const RUST_CRYPTO: &'static str = "p384";
    type PrivateKey = p384::ecdsa::SigningKey;
    type PublicKey = p384::ecdsa::VerifyingKey;
    type Signature = p384::ecdsa::Signature;

    fn point_of(key: &Self::PrivateKey) -> Vec<u8> {
        key.verifying_key().to_sec1_point(false).as_bytes().to_vec()
    }
}
