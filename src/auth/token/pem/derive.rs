//! Public halves that follow from private ones.

use aws_lc_rs::agreement::{self, ECDH_P256, ECDH_P384};
use aws_lc_rs::encoding::AsRawBytes as _;
use aws_lc_rs::signature::{
    Ed25519KeyPair, KeyPair as _, ML_DSA_44_SIGNING, ML_DSA_65_SIGNING, ML_DSA_87_SIGNING, PqdsaKeyPair,
};

/// The point of a private key of an elliptic curve, as SEC 1 writes it uncompressed.
pub(super) fn point(crv: &str, d: &[u8]) -> Option<Vec<u8>> {
    let curve = if crv == "P-256" { &ECDH_P256 } else { &ECDH_P384 };
    let public = agreement::PrivateKey::from_private_key(curve, d).ok()?.compute_public_key().ok()?;
    Some(public.as_ref().to_vec())
}

/// The public key of a seed (RFC 8032 section 5.1.5).
pub(super) fn ed25519(seed: &[u8]) -> Option<Vec<u8>> {
    Some(Ed25519KeyPair::from_seed_unchecked(seed).ok()?.public_key().as_ref().to_vec())
}

/// The public key of a seed (FIPS 204 section 6.1). If the expanded private key came with it, it must fit as well.
pub(super) fn ml_dsa(alg: &str, seed: &[u8], expanded: Option<&[u8]>) -> Option<Vec<u8>> {
    let algorithm = match alg {
        "ML-DSA-44" => &ML_DSA_44_SIGNING,
        "ML-DSA-65" => &ML_DSA_65_SIGNING,
        _ => &ML_DSA_87_SIGNING,
    };
    let pair = PqdsaKeyPair::from_seed(algorithm, seed).ok()?;
    let private = pair.private_key().as_raw_bytes().ok()?;
    let fits = expanded.is_none_or(|known| {
        aws_lc_rs::constant_time::verify_slices_are_equal(known, private.as_ref()).is_ok()
    });
    fits.then(|| pair.public_key().as_ref().to_vec())
}
