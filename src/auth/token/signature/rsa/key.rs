//! RSA keys as JSON has them (RFC 7518 section 6.3) and as libraries want them.

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeyPairComponents, PublicKey, PublicKeyComponents};
use aws_lc_rs::signature::{ParsedPublicKey, RsaParameters};
use jsonwebtoken::DecodingKey;
use pkcs8::PrivateKeyInfoRef;
use zeroize::Zeroizing;

use crate::auth::token::jwks::{Jwk, KeyMaterial, PrivateJwk, PrivateMembers};
use crate::auth::token::signature::rsa::size::KeySize;
use crate::auth::token::signature::{KeyError, SignatureScheme, must_be_for};

/// RFC 7518 section 3.3: a shorter modulus must not be used.
const MIN_BITS: usize = 2048;
/// AWS-LC takes no longer exponent: one that is long makes verifying slow for whoever wants it slow.
const MAX_EXPONENT: u64 = (1 << 33) - 1;

/// A public key that is long enough, not too long, and well formed.
pub(super) struct Public<'a>(PublicKeyComponents<&'a [u8]>);

impl<'a> Public<'a> {
    /// The key in `key`, if it is one for `scheme`.
    pub(super) fn of(scheme: &dyn SignatureScheme, key: &'a Jwk, max_bits: usize) -> Result<Self, KeyError> {
        must_be_for(scheme, key)?;
        let unfit = |why| KeyError::unfit(scheme.alg(), why);
        let KeyMaterial::Rsa { n, e } = &key.material else {
            return Err(KeyError::other_type(scheme.alg(), key, "RSA"));
        };
        for (member, number) in [("n", n), ("e", e)] {
            if number.first().is_none_or(|first| *first == 0) {
                let why = "is empty or begins with a zero byte (RFC 7518 section 2)";
                return Err(unfit(format!("its member {member:?} {why}")));
            }
        }
        let bits = n.len() * 8 - n[0].leading_zeros() as usize;
        if !(MIN_BITS..=max_bits).contains(&bits) {
            return Err(unfit(format!("its modulus has {bits} bits, expected {MIN_BITS} to {max_bits}")));
        }
        // Found out here, and not at every signature.
        if e[e.len() - 1] % 2 == 0 || e.len() > 5 || !(3..=MAX_EXPONENT).contains(&number(e)) {
            let found = if e.len() > 8 { format!("of {} bytes", e.len()) } else { number(e).to_string() };
            let why = format!("its exponent is {found}, expected an odd number from 3 to {MAX_EXPONENT}");
            return Err(unfit(why));
        }
        let components = PublicKeyComponents { n: &**n, e: &**e };
        let der = components.as_der().map_err(|_| no_modulus(scheme.alg()))?;
        PublicKey::from_der(der.as_ref()).map_err(|_| no_modulus(scheme.alg()))?;
        Ok(Self(components))
    }

    pub(super) fn parsed(&self, parameters: &'static RsaParameters) -> Option<ParsedPublicKey> {
        self.0.to_parsed_public_key(parameters).ok()
    }

    pub(super) fn for_jsonwebtoken(&self) -> DecodingKey {
        DecodingKey::from_rsa_raw_components(self.0.n, self.0.e)
    }
}

/// The number that up to eight bytes write.
fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// What remains where size and exponent are as they should be, and still no key: an even modulus.
pub(super) fn no_modulus(alg: &'static str) -> KeyError {
    KeyError::unfit(alg, "its member \"n\" is no modulus")
}

/// A fresh key.
pub(super) fn generate(alg: &'static str, size: KeySize) -> Result<PrivateJwk, KeyError> {
    let pair = KeyPair::generate(size.into()).map_err(|_| KeyError::Generation(alg))?;
    let der = pkcs1(&pair).ok_or(KeyError::Generation(alg))?;
    PrivateJwk::rsa(alg, &der).ok_or(KeyError::Generation(alg))
}

/// The pair that `key` describes, if its members belong together. `public` has been looked at.
pub(super) fn pair(alg: &'static str, key: &PrivateJwk, public: &Public<'_>) -> Result<KeyPair, KeyError> {
    let PrivateMembers { d, p, q, dp, dq, qi, akp: _ } = &key.private;
    let secrets = [d, p, q, dp, dq, qi].map(|member| Some(member.as_ref()?.expose()));
    let [Some(d), Some(p), Some(q), Some(dp), Some(dq), Some(qi)] = secrets else {
        let names = ["d", "p", "q", "dp", "dq", "qi"].into_iter().zip(secrets);
        let missing: Vec<_> = names.filter(|(_, secret)| secret.is_none()).map(|(name, _)| name).collect();
        return Err(KeyError::NotPrivate { alg, members: format!("members {}", missing.join(", ")) });
    };
    let components = KeyPairComponents { public_key: public.0, d, p, q, dP: dp, dQ: dq, qInv: qi };
    KeyPair::from_components(&components).map_err(|_| KeyError::unfit_halves(alg))
}

/// The pair as an `RSAPrivateKey` (RFC 8017 appendix A.1.2).
pub(super) fn pkcs1(pair: &KeyPair) -> Option<Zeroizing<Vec<u8>>> {
    let pkcs8: Pkcs8V1Der<'_> = pair.as_der().ok()?;
    let info = PrivateKeyInfoRef::try_from(pkcs8.as_ref()).ok()?;
    Some(Zeroizing::new(info.private_key.as_bytes().to_vec()))
}
