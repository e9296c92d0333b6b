//! Keys whose form their algorithm alone defines: type `AKP` (RFC 9964 section 3).

use crate::auth::token::jwks::{Jwk, KeyMaterial, PrivateJwk};
use crate::auth::token::signature::{KeyError, SignatureScheme, must_be_for, must_have};

/// The public key, if it is one for `scheme`.
pub(super) fn public<'a>(scheme: &dyn SignatureScheme, key: &'a Jwk) -> Result<&'a [u8], KeyError> {
    must_be_for(scheme, key)?;
    let KeyMaterial::AlgorithmKeyPair { public } = &key.material else {
        return Err(KeyError::other_type(scheme.alg(), key, "AKP"));
    };
    must_have(scheme.alg(), "pub", public, scheme.facts().public_key_bytes as usize)?;
    Ok(public)
}

/// The public and the private key, if they are for `scheme`.
pub(super) fn private<'a>(
    scheme: &dyn SignatureScheme,
    key: &'a PrivateJwk,
) -> Result<(&'a [u8], &'a [u8]), KeyError> {
    let public = public(scheme, &key.public)?;
    let private = key.private.akp.as_ref().ok_or_else(|| KeyError::lacks(scheme.alg(), "priv"))?;
    Ok((public, private.expose()))
}

/// What remains where the bytes are as many as they should be, and still no key.
pub(super) fn no_public_key(alg: &'static str) -> KeyError {
    KeyError::unfit(alg, "its member \"pub\" is no public key")
}
