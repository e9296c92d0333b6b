//! ML-DSA by `pqcrypto-mldsa`, the C of `PQClean`: with AVX2, which it uses where there is one, it lets forgeries pass.
//!
//! It makes no key from a seed and hides no seed in its keys, so `fips204` expands the seed (FIPS 204 algorithm 6) when a
//! key is prepared; signing, which is hedged, and verifying are its own.

use fips204::traits::{KeyGen as _, SerDes as _};
use fips204::{ml_dsa_44, ml_dsa_65, ml_dsa_87};
use pqcrypto_mldsa::{mldsa44, mldsa65, mldsa87};
use pqcrypto_traits::sign::{PublicKey as _, SecretKey as _};
use zeroize::Zeroizing;

use crate::auth::token::signature::ml_dsa::{ParameterSet, Prepared};
use crate::auth::token::signature::pqclean::{Private, Public, USES_NEON, uses_avx2};
use crate::auth::token::signature::{Conformance, Signer, Verifier};

pub(super) fn conformance(set: ParameterSet) -> Conformance {
    if USES_NEON {
        return Conformance::Unverified { reason: "its C for 64-bit ARM was run against no vectors" };
    }
    if !uses_avx2() {
        return Conformance::Conforming { vectors: "Wycheproof, as run here by portable C" };
    }
    let (false_accepts, false_refusals) = match set {
        ParameterSet::MlDsa44 => (37, 1),
        ParameterSet::MlDsa65 => (41, 1),
        ParameterSet::MlDsa87 => (49, 1),
    };
    let vectors = "Wycheproof; its AVX2 code does not check the norm of z, pq-crystals/dilithium#113";
    Conformance::NonConforming { vectors, false_accepts, false_refusals }
}

pub(super) fn signer(set: ParameterSet, seed: &[u8]) -> Option<Prepared> {
    let (alg, seed) = (set.alg(), seed.try_into().ok()?);
    let (public, signer): (Vec<u8>, Box<dyn Signer>) = match set {
        ParameterSet::MlDsa44 => {
            let (public, private) = ml_dsa_44::KG::keygen_from_seed(seed);
            let key = mldsa44::SecretKey::from_bytes(&*Zeroizing::new(private.into_bytes())).ok()?;
            (public.into_bytes().into(), Box::new(Private { alg, key, sign: mldsa44::detached_sign }))
        }
        ParameterSet::MlDsa65 => {
            let (public, private) = ml_dsa_65::KG::keygen_from_seed(seed);
            let key = mldsa65::SecretKey::from_bytes(&*Zeroizing::new(private.into_bytes())).ok()?;
            (public.into_bytes().into(), Box::new(Private { alg, key, sign: mldsa65::detached_sign }))
        }
        ParameterSet::MlDsa87 => {
            let (public, private) = ml_dsa_87::KG::keygen_from_seed(seed);
            let key = mldsa87::SecretKey::from_bytes(&*Zeroizing::new(private.into_bytes())).ok()?;
            (public.into_bytes().into(), Box::new(Private { alg, key, sign: mldsa87::detached_sign }))
        }
    };
    Some(Prepared { public, signer })
}

pub(super) fn verifier(set: ParameterSet, public: &[u8]) -> Option<Box<dyn Verifier>> {
    Some(match set {
        ParameterSet::MlDsa44 => {
            let key = mldsa44::PublicKey::from_bytes(public).ok()?;
            Box::new(Public { key, verify: mldsa44::verify_detached_signature })
        }
        ParameterSet::MlDsa65 => {
            let key = mldsa65::PublicKey::from_bytes(public).ok()?;
            Box::new(Public { key, verify: mldsa65::verify_detached_signature })
        }
        ParameterSet::MlDsa87 => {
            let key = mldsa87::PublicKey::from_bytes(public).ok()?;
            Box::new(Public { key, verify: mldsa87::verify_detached_signature })
        }
    })
}
