//! RSA keys as JSON has them (RFC 7518 section 6.3) and as libraries want them.

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeyPairComponents, PublicKey, PublicKeyComponents};
use aws_lc_rs::signature::{ParsedPublicKey, RsaParameters};
use jsonwebtoken::DecodingKey;
use pkcs8::PrivateKeyInfoRef;
use pkcs8::der::asn1::UintRef;
use pkcs8::der::{self, Reader, SliceReader};
use zeroize::Zeroizing;

use crate::auth::token::jwks::{Jwk, KeyMaterial, PrivateJwk, PrivateMembers};
use crate::auth::token::signature::KeyError;
use crate::auth::token::signature::rsa::size::KeySize;

/// RFC 7518 section 3.3: a shorter modulus must not be used.
const MIN_BITS: usize = 2048;

/// A public key that is long enough, not too long, and well formed.
pub(super) struct Public<'a>(PublicKeyComponents<&'a [u8]>);

impl<'a> Public<'a> {
    /// The key in `key`, if it is one for `alg`.
    pub(super) fn of(key: &'a Jwk, alg: &str, max_bits: usize) -> Option<Self> {
        let KeyMaterial::Rsa { n, e } = &key.material else { return None };
        let first = n.first()?;
        // A zero in front, which RFC 7518 section 2 forbids, is refused below.
        let bits = n.len() * 8 - first.leading_zeros() as usize;
        if key.alg != alg || !(MIN_BITS..=max_bits).contains(&bits) {
            return None;
        }
        let components = PublicKeyComponents { n: &**n, e: &**e };
        let der = components.as_der().ok()?;
        // An exponent that is even, one or too long is found out here, and not at every signature.
        PublicKey::from_der(der.as_ref()).ok()?;
        Some(Self(components))
    }

    pub(super) fn parsed(&self, parameters: &'static RsaParameters) -> Option<ParsedPublicKey> {
        self.0.to_parsed_public_key(parameters).ok()
    }

    pub(super) fn for_jsonwebtoken(&self) -> DecodingKey {
        DecodingKey::from_rsa_raw_components(self.0.n, self.0.e)
    }
}

/// A fresh key.
pub(super) fn generate(alg: &'static str, size: KeySize) -> Result<PrivateJwk, KeyError> {
    let pair = KeyPair::generate(size.into()).map_err(|_| KeyError::Generation(alg))?;
    let der = pkcs1(&pair).ok_or(KeyError::Generation(alg))?;
    members(alg, &der).map_err(|_| KeyError::Generation(alg))
}

/// The pair that `key` describes, if its members belong together.
pub(super) fn pair(alg: &'static str, key: &PrivateJwk) -> Result<KeyPair, KeyError> {
    let KeyMaterial::Rsa { n, e } = &key.public.material else { return Err(KeyError::NotForScheme(alg)) };
    let PrivateMembers { d, p, q, dp, dq, qi, akp: _ } = &key.private;
    let secrets = [d, p, q, dp, dq, qi].map(|member| Some(member.as_ref()?.expose()));
    let [Some(d), Some(p), Some(q), Some(dp), Some(dq), Some(qi)] = secrets else {
        return Err(KeyError::NotPrivate(alg));
    };
    let public_key = PublicKeyComponents { n: &**n, e: &**e };
    let components = KeyPairComponents { public_key, d, p, q, dP: dp, dQ: dq, qInv: qi };
    KeyPair::from_components(&components).map_err(|_| KeyError::NotForScheme(alg))
}

/// The pair as an `RSAPrivateKey` (RFC 8017 appendix A.1.2).
pub(super) fn pkcs1(pair: &KeyPair) -> Option<Zeroizing<Vec<u8>>> {
    let pkcs8: Pkcs8V1Der<'_> = pair.as_der().ok()?;
    let info = PrivateKeyInfoRef::try_from(pkcs8.as_ref()).ok()?;
    Some(Zeroizing::new(info.private_key.as_bytes().to_vec()))
}

/// The members of an `RSAPrivateKey`, which stand in it in this order.
fn members(alg: &str, der: &[u8]) -> der::Result<PrivateJwk> {
    SliceReader::new(der)?.sequence(|members| {
        let _version: u8 = members.decode()?;
        let mut next = || members.decode::<UintRef<'_>>().map(|number| number.as_bytes());
        let material = KeyMaterial::Rsa { n: next()?.into(), e: next()?.into() };
        let mut secret = || next().map(|number| Some(number.into()));
        let private = PrivateMembers {
            d: secret()?,
            p: secret()?,
            q: secret()?,
            dp: secret()?,
            dq: secret()?,
            qi: secret()?,
            akp: None,
        };
        Ok(PrivateJwk { public: Jwk::new(alg, material), private })
    })
}
