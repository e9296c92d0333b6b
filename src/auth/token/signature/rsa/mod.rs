//! RSA (RFC 7518 sections 3.3 and 3.5): the signatures most tokens carry today.

mod key;
mod size;

use std::fmt::Debug;
use std::marker::PhantomData;

use ::jsonwebtoken::{Algorithm, EncodingKey};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::{
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RSA_PSS_2048_8192_SHA256, RSA_PSS_SHA256, RsaEncoding,
    RsaParameters,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::auth::token::jwks::{Jwk, PrivateJwk};
use crate::auth::token::signature::jsonwebtoken::BackEnd;
use crate::auth::token::signature::library::setting;
use crate::auth::token::signature::{
    Conformance, Facts, KeyError, SignatureScheme, Signer, SigningError, Status, Verifier,
};

use key::Public;
use size::KeySize;

/// RS256 or PS256.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, bound = "")]
#[schemars(bound = "", rename = "rsa")]
pub(super) struct Rsa<P: Padding> {
    /// The length of the modulus of a new key: 2048, 3072 or 4096 bits. Keys of other lengths are verified with as well.
    #[serde(default)]
    bits: KeySize,
    /// Who does the work.
    #[serde(default)]
    library: Library,
    #[serde(skip)]
    padding: PhantomData<P>,
}

/// The library that signs and verifies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
enum Library {
    /// aws-lc-rs: AWS-LC, in C and assembly, with keys prepared once.
    #[default]
    AwsLcRs,
    /// jsonwebtoken over aws-lc-rs: prepares the key for every token.
    JsonwebtokenAwsLcRs,
    /// jsonwebtoken over the crate `rsa` of `RustCrypto`: prepares the key for every token. No more than 4096 bits.
    JsonwebtokenRustCrypto,
}

/// What the two differ in.
pub(super) trait Padding: Debug + Send + Sync + 'static {
    const ALG: &'static str;
    const SIGNING: &'static dyn RsaEncoding;
    const VERIFICATION: &'static RsaParameters;
    const JSONWEBTOKEN: Algorithm;
}

#[derive(Debug)]
pub(super) enum Pkcs1 {}
#[derive(Debug)]
pub(super) enum Pss {}

impl Padding for Pkcs1 {
    const ALG: &'static str = "RS256";
    const SIGNING: &'static dyn RsaEncoding = &RSA_PKCS1_SHA256;
    const VERIFICATION: &'static RsaParameters = &RSA_PKCS1_2048_8192_SHA256;
    const JSONWEBTOKEN: Algorithm = Algorithm::RS256;
}

impl Padding for Pss {
    const ALG: &'static str = "PS256";
    const SIGNING: &'static dyn RsaEncoding = &RSA_PSS_SHA256;
    const VERIFICATION: &'static RsaParameters = &RSA_PSS_2048_8192_SHA256;
    const JSONWEBTOKEN: Algorithm = Algorithm::PS256;
}

impl<P: Padding> SignatureScheme for Rsa<P> {
    fn alg(&self) -> &'static str {
        P::ALG
    }

    fn facts(&self) -> Facts {
        Facts {
            status: Status::Standard("RFC 7518"),
            library: match self.library {
                Library::AwsLcRs => "aws-lc-rs",
                Library::JsonwebtokenAwsLcRs => BackEnd::AwsLcRs.name(),
                Library::JsonwebtokenRustCrypto => BackEnd::RustCrypto.name(),
            },
            post_quantum: false,
            public_key_bytes: self.bits.public_key_bytes(),
            signature_bytes: self.bits.bytes(),
            conformance: Conformance::Conforming { vectors: "Wycheproof" },
        }
    }

    /// Every size by one library, and one size by every library.
    fn variants(&self) -> Vec<toml::Table> {
        let sizes = [KeySize::Bits3072, KeySize::Bits4096].map(|bits| setting("bits", bits));
        let libraries = [Library::JsonwebtokenAwsLcRs, Library::JsonwebtokenRustCrypto];
        let libraries = libraries.map(|library| setting("library", library));
        std::iter::once(toml::Table::new()).chain(sizes).chain(libraries).collect()
    }

    fn makes_keys(&self) -> bool {
        self.library == Library::AwsLcRs
    }

    /// By aws-lc-rs: jsonwebtoken makes no keys.
    fn generate(&self) -> Result<PrivateJwk, KeyError> {
        key::generate(P::ALG, self.bits)
    }

    fn signer(&self, key: &PrivateJwk) -> Result<Box<dyn Signer>, KeyError> {
        let public = self.public(&key.public)?;
        // Whoever signs: this finds out that the members do not belong together.
        let pair = key::pair(P::ALG, key, &public)?;
        let by = |backend: BackEnd| {
            let der = key::pkcs1(&pair).ok_or_else(|| KeyError::unfit_halves(P::ALG))?;
            backend.signer(P::JSONWEBTOKEN, EncodingKey::from_rsa_der(&der), P::ALG)
        };
        match self.library {
            Library::AwsLcRs => Ok(Box::new(PreparedPair {
                pair,
                padding: P::SIGNING,
                random: SystemRandom::new(),
                alg: P::ALG,
            })),
            Library::JsonwebtokenAwsLcRs => by(BackEnd::AwsLcRs),
            Library::JsonwebtokenRustCrypto => by(BackEnd::RustCrypto),
        }
    }

    fn verifier(&self, key: &Jwk) -> Result<Box<dyn Verifier>, KeyError> {
        let public = self.public(key)?;
        let by = |backend: BackEnd| backend.verifier(P::JSONWEBTOKEN, public.for_jsonwebtoken(), P::ALG);
        match self.library {
            Library::AwsLcRs => {
                Ok(Box::new(public.parsed(P::VERIFICATION).ok_or_else(|| key::no_modulus(P::ALG))?))
            }
            Library::JsonwebtokenAwsLcRs => by(BackEnd::AwsLcRs),
            Library::JsonwebtokenRustCrypto => by(BackEnd::RustCrypto),
        }
    }
}

impl<P: Padding> Rsa<P> {
    fn public<'a>(&self, key: &'a Jwk) -> Result<Public<'a>, KeyError> {
        let max_bits = match self.library {
            Library::AwsLcRs | Library::JsonwebtokenAwsLcRs => 8192,
            // `rsa::RsaPublicKey::MAX_SIZE`: the crate takes longer ones for a denial of service.
            Library::JsonwebtokenRustCrypto => 4096,
        };
        Public::of(self, key, max_bits)
    }
}

struct PreparedPair {
    pair: KeyPair,
    padding: &'static dyn RsaEncoding,
    random: SystemRandom,
    alg: &'static str,
}

impl Signer for PreparedPair {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningError> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        let signed = self.pair.sign(self.padding, &self.random, message, &mut signature);
        signed.map_err(|_| SigningError(self.alg))?;
        Ok(signature)
    }
}
