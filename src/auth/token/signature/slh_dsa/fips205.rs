//! SLH-DSA by `fips205`.

use fips205::traits::{KeyGen as _, SerDes as _, Signer, Verifier as Verify};
use fips205::{slh_dsa_sha2_128f, slh_dsa_sha2_128s};
use zeroize::Zeroizing;

use crate::auth::token::signature::Verifier;
use crate::auth::token::signature::randomness::Generator;
use crate::auth::token::signature::slh_dsa::{PART_BYTES, ParameterSet, Randomness, SigningKey};

pub(super) fn generate(set: ParameterSet, seeds: &[[u8; PART_BYTES]; 3]) -> Zeroizing<Vec<u8>> {
    let [secret, prf, public] = seeds;
    Zeroizing::new(match set {
        ParameterSet::Sha2Small => {
            slh_dsa_sha2_128s::KG::keygen_from_seed(secret, prf, public).1.into_bytes().to_vec()
        }
        ParameterSet::Sha2Fast => {
            slh_dsa_sha2_128f::KG::keygen_from_seed(secret, prf, public).1.into_bytes().to_vec()
        }
    })
}

pub(in crate::auth::token::signature) fn signing_key(
    set: ParameterSet,
    private: &[u8],
) -> Option<Box<dyn SigningKey>> {
    let private = private.try_into().ok()?;
    Some(match set {
        ParameterSet::Sha2Small => {
            Box::new(Key(slh_dsa_sha2_128s::PrivateKey::try_from_bytes(private).ok()?))
        }
        ParameterSet::Sha2Fast => Box::new(Key(slh_dsa_sha2_128f::PrivateKey::try_from_bytes(private).ok()?)),
    })
}

pub(super) fn verifier(set: ParameterSet, public: &[u8]) -> Option<Box<dyn Verifier>> {
    let public = public.try_into().ok()?;
    Some(match set {
        ParameterSet::Sha2Small => Box::new(Key(slh_dsa_sha2_128s::PublicKey::try_from_bytes(public).ok()?)),
        ParameterSet::Sha2Fast => Box::new(Key(slh_dsa_sha2_128f::PublicKey::try_from_bytes(public).ok()?)),
    })
}

struct Key<K>(K);

impl<K: Signer<Signature: AsRef<[u8]>> + Send + Sync> SigningKey for Key<K> {
    fn sign(&self, message: &[u8], randomness: &Randomness) -> Option<Vec<u8>> {
        // All that signing draws is FIPS 205's `addrnd`.
        let mut given = Generator(|bytes: &mut [u8]| {
            bytes.copy_from_slice(randomness);
            true
        });
        let signature = self.0.try_sign_with_rng(&mut given, message, b"", true).ok()?;
        Some(signature.as_ref().to_vec())
    }
}

impl<K, S> Verifier for Key<K>
where
    K: Verify<Signature = S> + Send + Sync,
    S: for<'a> TryFrom<&'a [u8]>,
{
    fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        S::try_from(signature).is_ok_and(|signature| self.0.verify(message, &signature, b""))
    }
}
