//! FN-DSA (Falcon; FIPS 206 is not out yet) as draft-ietf-cose-falcon uses it: key type `AKP`, empty context, padded signatures.

use std::fmt::Debug;
use std::marker::PhantomData;
use std::sync::Mutex;

use fn_dsa::{
    DOMAIN_NONE, FN_DSA_LOGN_512, FN_DSA_LOGN_1024, HASH_ID_RAW, KeyPairGenerator, KeyPairGenerator512,
    KeyPairGenerator1024, SigningKey, SigningKey512, SigningKey1024, VerifyingKey, VerifyingKey512,
    VerifyingKey1024, sign_key_size, signature_size, vrfy_key_size,
};
use schemars::JsonSchema;
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::auth::token::jwks::{Jwk, PrivateJwk};
use crate::auth::token::signature::{
    Conformance, Facts, KeyError, SignatureScheme, Signer, SigningError, Status, Verifier, akp, randomness,
};

/// FN-DSA of one of its degrees.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, bound = "")]
#[schemars(rename = "FnDsa", bound = "")]
pub(super) struct FnDsa<D> {
    #[serde(skip)]
    degree: PhantomData<D>,
}

/// A degree, with the code that is made for it alone.
pub(super) trait Degree: Debug + Send + Sync + 'static {
    const ALG: &'static str;
    /// The logarithm of the degree, by which the library knows it.
    const LOGN: u32;
    type Generator: KeyPairGenerator;
    type Private: SigningKey + Send;
    type Public: VerifyingKey + Send + Sync + 'static;
}

#[derive(Debug)]
pub(super) struct Degree512;
#[derive(Debug)]
pub(super) struct Degree1024;

impl Degree for Degree512 {
    const ALG: &'static str = "FN-DSA-512";
    const LOGN: u32 = FN_DSA_LOGN_512;
    type Generator = KeyPairGenerator512;
    type Private = SigningKey512;
    type Public = VerifyingKey512;
}

impl Degree for Degree1024 {
    const ALG: &'static str = "FN-DSA-1024";
    const LOGN: u32 = FN_DSA_LOGN_1024;
    type Generator = KeyPairGenerator1024;
    type Private = SigningKey1024;
    type Public = VerifyingKey1024;
}

impl<D: Degree> SignatureScheme for FnDsa<D> {
    fn alg(&self) -> &'static str {
        D::ALG
    }

    fn facts(&self) -> Facts {
        let bytes = |size| u32::try_from(size).expect("a few kilobytes");
        Facts {
            status: Status::Draft("draft-ietf-cose-falcon-04"),
            library: "fn-dsa",
            post_quantum: true,
            public_key_bytes: bytes(vrfy_key_size(D::LOGN)),
            signature_bytes: bytes(signature_size(D::LOGN)),
            conformance: Conformance::Unverified {
                reason: "FIPS 206 is not published; only the library's own known answers are repeated",
            },
        }
    }

    fn generate(&self) -> Result<PrivateJwk, KeyError> {
        let mut private = Zeroizing::new(vec![0; sign_key_size(D::LOGN)]);
        let mut public = vec![0; vrfy_key_size(D::LOGN)];
        let mut generator = D::Generator::default();
        generator.keygen(D::LOGN, &mut randomness::system(), &mut private, &mut public);
        Ok(PrivateJwk::akp(D::ALG, &public, private.as_slice()))
    }

    fn signer(&self, key: &PrivateJwk) -> Result<Box<dyn Signer>, KeyError> {
        let (public, private) = akp::private(key, D::ALG)?;
        let not_for_scheme = || KeyError::NotForScheme(D::ALG);
        let prepared = D::Private::decode(private).ok_or_else(not_for_scheme)?;
        let mut own_public = vec![0; vrfy_key_size(D::LOGN)];
        prepared.to_verifying_key(&mut own_public);
        if own_public != public {
            return Err(not_for_scheme());
        }
        let idle = Mutex::new(vec![prepared]);
        Ok(Box::new(Private::<D> { encoded: Zeroizing::new(private.to_vec()), idle }))
    }

    fn verifier(&self, key: &Jwk) -> Result<Box<dyn Verifier>, KeyError> {
        let public = akp::public(key, D::ALG)?;
        let prepared = D::Public::decode(public).ok_or(KeyError::NotForScheme(D::ALG))?;
        Ok(Box::new(Public(prepared)))
    }
}

/// The library's key holds its working memory, so that one signs one message at a time.
struct Private<D: Degree> {
    encoded: Zeroizing<Vec<u8>>,
    /// As many as have ever signed at the same time. Locked for taking one and for giving it back.
    idle: Mutex<Vec<D::Private>>,
}

struct Public<K>(K);

impl<D: Degree> Signer for Private<D> {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningError> {
        let idle = || self.idle.lock().expect("nobody panics while holding it");
        let taken = idle().pop();
        let mut key = taken.or_else(|| D::Private::decode(&self.encoded)).ok_or(SigningError(D::ALG))?;
        let mut signature = vec![0; signature_size(D::LOGN)];
        let signed = key.sign(&mut randomness::system(), &DOMAIN_NONE, &HASH_ID_RAW, message, &mut signature);
        idle().push(key);
        signed.map(|()| signature).ok_or(SigningError(D::ALG))
    }
}

impl<K: VerifyingKey + Send + Sync> Verifier for Public<K> {
    fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.0.verify(signature, &DOMAIN_NONE, &HASH_ID_RAW, message)
    }
}
