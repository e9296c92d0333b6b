//! ML-DSA by `fips204`: both keys are kept in the form that their use needs.

use fips204::traits::{KeyGen, SerDes, Signer, Verifier as Verify};
use fips204::{ml_dsa_44, ml_dsa_65, ml_dsa_87};

use crate::auth::token::signature::Verifier;
use crate::auth::token::signature::ml_dsa::ParameterSet;
use crate::auth::token::signature::ml_dsa::hedged::{KeyPair, Randomness, SigningKey};

/// `context` is at most 255 bytes.
pub(in crate::auth::token::signature) fn signing_key(
    set: ParameterSet,
    seed: &[u8],
    context: &'static [u8],
) -> Option<KeyPair> {
    let seed = seed.try_into().ok()?;
    Some(match set {
        ParameterSet::MlDsa44 => {
            let (public, key) = ml_dsa_44::KG::keygen_from_seed(seed);
            (public.into_bytes().to_vec(), Box::new(WithContext { key, context }))
        }
        ParameterSet::MlDsa65 => {
            let (public, key) = ml_dsa_65::KG::keygen_from_seed(seed);
            (public.into_bytes().to_vec(), Box::new(WithContext { key, context }))
        }
        ParameterSet::MlDsa87 => {
            let (public, key) = ml_dsa_87::KG::keygen_from_seed(seed);
            (public.into_bytes().to_vec(), Box::new(WithContext { key, context }))
        }
    })
}

pub(in crate::auth::token::signature) fn verifier(
    set: ParameterSet,
    public: &[u8],
    context: &'static [u8],
) -> Option<Box<dyn Verifier>> {
    Some(match set {
        ParameterSet::MlDsa44 => {
            let key = ml_dsa_44::PublicKey::try_from_bytes(public.try_into().ok()?).ok()?;
            Box::new(WithContext { key, context })
        }
        ParameterSet::MlDsa65 => {
            let key = ml_dsa_65::PublicKey::try_from_bytes(public.try_into().ok()?).ok()?;
            Box::new(WithContext { key, context })
        }
        ParameterSet::MlDsa87 => {
            let key = ml_dsa_87::PublicKey::try_from_bytes(public.try_into().ok()?).ok()?;
            Box::new(WithContext { key, context })
        }
    })
}

struct WithContext<K> {
    key: K,
    context: &'static [u8],
}

impl<K: Signer<Signature: AsRef<[u8]>> + Send + Sync> SigningKey for WithContext<K> {
    fn sign(&self, message: &[u8], randomness: &Randomness) -> Option<Vec<u8>> {
        let signature = self.key.try_sign_with_seed(randomness, message, self.context).ok()?;
        Some(signature.as_ref().to_vec())
    }
}

impl<K, S> Verifier for WithContext<K>
where
    K: Verify<Signature = S> + Send + Sync,
    S: for<'a> TryFrom<&'a [u8]>,
{
    fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        S::try_from(signature).is_ok_and(|signature| self.key.verify(message, &signature, self.context))
    }
}
