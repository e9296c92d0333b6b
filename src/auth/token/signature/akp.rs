//! Keys whose form their algorithm alone defines: type `AKP` (RFC 9964 section 3).

use crate::auth::token::jwks::{Jwk, KeyMaterial, PrivateJwk};
use crate::auth::token::signature::KeyError;

/// The public key, if it is one of this algorithm.
pub(super) fn public<'a>(key: &'a Jwk, alg: &'static str) -> Result<&'a [u8], KeyError> {
    match &key.material {
        KeyMaterial::AlgorithmKeyPair { public } if key.alg == alg => Ok(public),
        _ => Err(KeyError::NotForScheme(alg)),
    }
}

/// The public and the private key, if they are of this algorithm.
pub(super) fn private<'a>(key: &'a PrivateJwk, alg: &'static str) -> Result<(&'a [u8], &'a [u8]), KeyError> {
    let public = public(&key.public, alg)?;
    let private = key.private.akp.as_ref().ok_or(KeyError::NotPrivate(alg))?;
    Ok((public, private.expose()))
}
