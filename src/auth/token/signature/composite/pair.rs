//! The pairs that the draft registers, and what binds their halves together.

use std::fmt::Debug;

use aws_lc_rs::digest::{Algorithm as Hash, SHA256, SHA512, digest};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1,
    ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaSigningAlgorithm, EcdsaVerificationAlgorithm,
};

use crate::auth::token::signature::ml_dsa::{MlDsa44, MlDsa65, MlDsa87, Parameters};

/// Which two, and what binds them together (sections 5.1 and 5.3).
pub(in crate::auth::token::signature) trait Pair:
    Debug + Send + Sync
{
    const ALG: &'static str;
    /// Distinguishes the pairs from each other: a part of what is signed, and the context of ML-DSA.
    const LABEL: &'static str;
    type MlDsa: Parameters;
    const CURVE: &'static Curve;
    /// Hashes the message before either half sees it.
    const PRE_HASH: &'static Hash;
}

/// What the ECDSA half is made of.
pub(in crate::auth::token::signature) struct Curve {
    pub(super) signing: &'static EcdsaSigningAlgorithm,
    pub(super) verification: &'static EcdsaVerificationAlgorithm,
    /// An uncompressed point (section 4.2.3).
    pub(super) public_key_bytes: u32,
    /// The longest that an `Ecdsa-Sig-Value` gets (section 4.2, table 1).
    pub(super) signature_bytes: u32,
    /// What stands before and after d in an `ECPrivateKey` (section 4.2.2, table 3).
    pub(super) around_d: (&'static [u8], &'static [u8]),
}

static P256: Curve = Curve {
    signing: &ECDSA_P256_SHA256_ASN1_SIGNING,
    verification: &ECDSA_P256_SHA256_ASN1,
    public_key_bytes: 65,
    signature_bytes: 72,
    around_d: (
        &[0x30, 0x31, 0x02, 0x01, 0x01, 0x04, 0x20],
        &[0xa0, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07],
    ),
};

static P384: Curve = Curve {
    signing: &ECDSA_P384_SHA384_ASN1_SIGNING,
    verification: &ECDSA_P384_SHA384_ASN1,
    public_key_bytes: 97,
    signature_bytes: 104,
    around_d: (
        &[0x30, 0x3e, 0x02, 0x01, 0x01, 0x04, 0x30],
        &[0xa0, 0x07, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22],
    ),
};

#[derive(Debug)]
pub(in crate::auth::token::signature) struct MlDsa44Es256;
#[derive(Debug)]
pub(in crate::auth::token::signature) struct MlDsa65Es256;
#[derive(Debug)]
pub(in crate::auth::token::signature) struct MlDsa87Es384;

impl Pair for MlDsa44Es256 {
    const ALG: &'static str = "ML-DSA-44-ES256";
    const LABEL: &'static str = "COMPSIG-MLDSA44-ECDSA-P256-SHA256";
    type MlDsa = MlDsa44;
    const CURVE: &'static Curve = &P256;
    const PRE_HASH: &'static Hash = &SHA256;
}

impl Pair for MlDsa65Es256 {
    const ALG: &'static str = "ML-DSA-65-ES256";
    const LABEL: &'static str = "COMPSIG-MLDSA65-ECDSA-P256-SHA512";
    type MlDsa = MlDsa65;
    const CURVE: &'static Curve = &P256;
    const PRE_HASH: &'static Hash = &SHA512;
}

impl Pair for MlDsa87Es384 {
    const ALG: &'static str = "ML-DSA-87-ES384";
    const LABEL: &'static str = "COMPSIG-MLDSA87-ECDSA-P384-SHA512";
    type MlDsa = MlDsa87;
    const CURVE: &'static Curve = &P384;
    const PRE_HASH: &'static Hash = &SHA512;
}

/// What both halves sign (section 4.1); the byte before the hash says that the application's context is empty.
pub(in crate::auth::token::signature) fn representative<P: Pair>(message: &[u8]) -> Vec<u8> {
    let hash = digest(P::PRE_HASH, message);
    [b"CompositeAlgorithmSignatures2025".as_slice(), P::LABEL.as_bytes(), &[0], hash.as_ref()].concat()
}

/// The public keys of ML-DSA and of ECDSA, the latter an uncompressed point.
pub(in crate::auth::token::signature) fn halves<P: Pair>(public: &[u8]) -> Option<(&[u8], &[u8])> {
    let (ml_dsa, point) = public.split_at_checked(P::MlDsa::SET.public_key_bytes() as usize)?;
    let is_uncompressed = point.len() == P::CURVE.public_key_bytes as usize && point.starts_with(&[4]);
    is_uncompressed.then_some((ml_dsa, point))
}
