//! FN-DSA (Falcon; FIPS 206 is not out yet) as draft-ietf-cose-falcon-04 of 15 March 2026 uses it, the newest revision: key
//! type `AKP`, empty context, padded signatures. IANA has registered no name of it.
//!
//! The draft leaves the form of keys to FIPS 206. Until that is out they are written as `fn-dsa` has them, which follows it;
//! those of the draft's examples, which have Falcon's form, and the names before its revision 03 are read as well.

mod falcon;

use std::fmt::Debug;
use std::marker::PhantomData;
use std::sync::Mutex;

use fn_dsa::{
    DOMAIN_NONE, FN_DSA_LOGN_512, FN_DSA_LOGN_1024, HASH_ID_RAW, KeyPairGenerator, KeyPairGenerator512,
    KeyPairGenerator1024, SigningKey, SigningKey512, SigningKey1024, VerifyingKey, VerifyingKey512,
    VerifyingKey1024, hashed_vrfykey_from_vrfykey, sign_key_size, signature_size, vrfy_key_size,
};
use schemars::JsonSchema;
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::auth::token::jwks::{Jwk, PrivateJwk};
use crate::auth::token::signature::{
    Conformance, Facts, KeyError, SignatureScheme, Signer, SigningError, Status, Verifier, akp, randomness,
};

use falcon::Ring;

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
    /// What keys and tokens said before revision 03 of the draft.
    const OLD_ALG: &'static str;
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
    const OLD_ALG: &'static str = "FALCON512";
    const LOGN: u32 = FN_DSA_LOGN_512;
    type Generator = KeyPairGenerator512;
    type Private = SigningKey512;
    type Public = VerifyingKey512;
}

impl Degree for Degree1024 {
    const ALG: &'static str = "FN-DSA-1024";
    const OLD_ALG: &'static str = "FALCON1024";
    const LOGN: u32 = FN_DSA_LOGN_1024;
    type Generator = KeyPairGenerator1024;
    type Private = SigningKey1024;
    type Public = VerifyingKey1024;
}

impl<D: Degree> SignatureScheme for FnDsa<D> {
    fn alg(&self) -> &'static str {
        D::ALG
    }

    fn answers_to(&self, alg: &str) -> bool {
        [D::ALG, D::OLD_ALG].contains(&alg)
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
        let (public, private) = akp::private(self, key)?;
        let ring = Ring::of::<D>();
        let (_, public) = own_public::<D>(public)?;
        let private = without_hash::<D>(&public, private)?;
        for private in [private.to_vec(), ring.private(private)].map(Zeroizing::new) {
            let hash = hashed_vrfykey_from_vrfykey(&public);
            let encoded = Zeroizing::new([&private[..], &hash].concat());
            let Some(prepared) = D::Private::decode(&encoded) else { continue };
            let mut own_public = vec![0; vrfy_key_size(D::LOGN)];
            prepared.to_verifying_key(&mut own_public);
            if own_public != public {
                continue;
            }
            if !ring.solves_ntru_equation(&public, &private) {
                return Err(KeyError::unfit(D::ALG, "f, g and F in its member \"priv\" are no key"));
            }
            return Ok(Box::new(Private::<D> { encoded, idle: Mutex::new(vec![prepared]) }));
        }
        Err(KeyError::unfit_halves(D::ALG))
    }

    fn verifier(&self, key: &Jwk) -> Result<Box<dyn Verifier>, KeyError> {
        let (prepared, _) = own_public::<D>(akp::public(self, key)?)?;
        Ok(Box::new(Public(prepared)))
    }
}

/// A public key as the library has it, whichever form it came in. None has both: a number of 14 bits is below q three times of
/// four, and all would have to be.
fn own_public<D: Degree>(public: &[u8]) -> Result<(D::Public, Vec<u8>), KeyError> {
    let of_falcon = || Ring::of::<D>().public(public);
    let decoded = |public: Vec<u8>| Some((D::Public::decode(&public)?, public));
    decoded(public.to_vec()).or_else(|| decoded(of_falcon()?)).ok_or_else(|| akp::no_public_key(D::ALG))
}

/// What `fn-dsa` keeps behind f, g and F: SHAKE256 of the public key.
const HASH_BYTES: usize = 64;

/// f, g and F. If a hash stands behind them, it must be that of the public key.
fn without_hash<'a, D: Degree>(public: &[u8], private: &'a [u8]) -> Result<&'a [u8], KeyError> {
    let (found, with_hash) = (private.len(), sign_key_size(D::LOGN));
    let alone = with_hash - HASH_BYTES;
    if found != alone && found != with_hash {
        let why = format!(
            "its member \"priv\" has {found} bytes, expected {alone}, or {with_hash} with a hash of \"pub\""
        );
        return Err(KeyError::unfit(D::ALG, why));
    }
    let (private, hash) = private.split_at(alone);
    if !hash.is_empty() && *hash != hashed_vrfykey_from_vrfykey(public) {
        return Err(KeyError::unfit(
            D::ALG,
            "the hash at the end of its member \"priv\" is not that of \"pub\"",
        ));
    }
    Ok(private)
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
