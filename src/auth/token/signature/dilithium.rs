//! Dilithium, round 3 of the competition, as pqcrypto-dilithium has it: what early movers now have to leave for ML-DSA.
//!
//! Its keys and signatures are as long as those of ML-DSA, yet neither takes the other's. The names are private: no
//! standard ever gave one. A private key is in the form of `PQClean`, not a seed. Signing is deterministic.

use std::fmt::Debug;
use std::marker::PhantomData;

use pqcrypto_dilithium::{dilithium2, dilithium3, dilithium5};
use pqcrypto_traits::sign::{DetachedSignature, PublicKey, SecretKey, VerificationError};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::auth::token::jwks::{Jwk, PrivateJwk};
use crate::auth::token::signature::pqclean::{Private, Public, USES_NEON, uses_avx2};
use crate::auth::token::signature::{
    Conformance, Facts, KeyError, SignatureScheme, Signer, Status, Verifier, akp, must_have,
};

/// Dilithium of one of its security levels.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, bound = "")]
#[schemars(rename = "Dilithium", bound = "")]
pub(super) struct Dilithium<L> {
    #[serde(skip)]
    level: PhantomData<L>,
}

/// A security level: one module of the crate.
pub(super) trait Level: Debug + Send + Sync + 'static {
    const ALG: &'static str;
    const PUBLIC_KEY_BYTES: u32;
    const PRIVATE_KEY_BYTES: usize;
    const SIGNATURE_BYTES: u32;
    type Public: PublicKey + Send + Sync + 'static;
    type Private: SecretKey + Send + Sync + 'static;
    type Signature: DetachedSignature + 'static;

    fn key_pair() -> (Self::Public, Self::Private);
    fn sign(message: &[u8], key: &Self::Private) -> Self::Signature;
    fn verify(
        signature: &Self::Signature,
        message: &[u8],
        key: &Self::Public,
    ) -> Result<(), VerificationError>;
    fn conformance() -> Conformance;
}

macro_rules! level {
    ($name:ident, $module:ident, $alg:literal, $public_key_bytes:literal, $signature_bytes:literal, $conformance:expr) => {
        #[derive(Debug)]
        pub(super) struct $name;

        impl Level for $name {
            const ALG: &'static str = $alg;
            const PUBLIC_KEY_BYTES: u32 = $public_key_bytes;
            const PRIVATE_KEY_BYTES: usize = $module::secret_key_bytes();
            const SIGNATURE_BYTES: u32 = $signature_bytes;
            type Public = $module::PublicKey;
            type Private = $module::SecretKey;
            type Signature = $module::DetachedSignature;

            fn key_pair() -> (Self::Public, Self::Private) {
                $module::keypair()
            }

            fn sign(message: &[u8], key: &Self::Private) -> Self::Signature {
                $module::detached_sign(message, key)
            }

            fn verify(
                signature: &Self::Signature,
                message: &[u8],
                key: &Self::Public,
            ) -> Result<(), VerificationError> {
                $module::verify_detached_signature(signature, message, key)
            }

            fn conformance() -> Conformance {
                $conformance
            }
        }
    };
}

level!(Level2, dilithium2, "X-PQClean-Dilithium2", 1_312, 2_420, conformance_of_level_2());
level!(Level3, dilithium3, "X-PQClean-Dilithium3", 1_952, 3_309, conformance_of_higher_levels());
level!(Level5, dilithium5, "X-PQClean-Dilithium5", 2_592, 4_627, conformance_of_higher_levels());

/// ML-DSA-44 is level 2 over the message with two bytes before it, so that its vectors are vectors of this, too.
fn conformance_of_level_2() -> Conformance {
    if USES_NEON {
        return Conformance::Unverified { reason: "its C for 64-bit ARM was run against no vectors" };
    }
    if !uses_avx2() {
        return Conformance::Conforming { vectors: "Wycheproof for ML-DSA-44" };
    }
    Conformance::NonConforming {
        vectors: "Wycheproof for ML-DSA-44; its AVX2 code does not check the norm of z, pq-crystals/dilithium#113",
        false_accepts: 37,
        false_refusals: 1,
    }
}

/// From ML-DSA-65 and -87 the challenge differs as well.
fn conformance_of_higher_levels() -> Conformance {
    if uses_avx2() {
        return Conformance::Faulty {
            fault: "its AVX2 code does not check the norm of z, pq-crystals/dilithium#113, as vectors show at level 2",
        };
    }
    Conformance::Unverified { reason: "nobody publishes vectors for round 3 in PQClean's last form" }
}

impl<L: Level> SignatureScheme for Dilithium<L> {
    fn alg(&self) -> &'static str {
        L::ALG
    }

    fn facts(&self) -> Facts {
        Facts {
            status: Status::Superseded(
                "by ML-DSA, FIPS 204, with which it does not interoperate; a private name",
            ),
            library: "pqcrypto-dilithium",
            post_quantum: true,
            public_key_bytes: L::PUBLIC_KEY_BYTES,
            signature_bytes: L::SIGNATURE_BYTES,
            conformance: L::conformance(),
        }
    }

    fn generate(&self) -> Result<PrivateJwk, KeyError> {
        let (public, private) = L::key_pair();
        Ok(PrivateJwk::akp(L::ALG, public.as_bytes(), private.as_bytes()))
    }

    fn signer(&self, key: &PrivateJwk) -> Result<Box<dyn Signer>, KeyError> {
        let (_, private) = akp::private(self, key)?;
        must_have(L::ALG, "priv", private, L::PRIVATE_KEY_BYTES)?;
        let verifier = self.verifier(&key.public)?;
        let unfit_halves = || KeyError::unfit_halves(L::ALG);
        let private = L::Private::from_bytes(private).map_err(|_| unfit_halves())?;
        let signer = Private { alg: L::ALG, key: private, sign: L::sign };
        // The crate cannot tell which public key belongs to a private one.
        let probe = signer.sign(b"").map_err(|_| unfit_halves())?;
        if !verifier.verifies(b"", &probe) {
            return Err(unfit_halves());
        }
        Ok(Box::new(signer))
    }

    fn verifier(&self, key: &Jwk) -> Result<Box<dyn Verifier>, KeyError> {
        let public = akp::public(self, key)?;
        let key = L::Public::from_bytes(public).map_err(|_| akp::no_public_key(L::ALG))?;
        Ok(Box::new(Public { key, verify: L::verify }))
    }
}
