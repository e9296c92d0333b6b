//! SLH-DSA (FIPS 205) with the parameter sets and key forms of draft-ietf-cose-sphincs-plus: key type `AKP`, empty context.

pub(super) mod fips205;
pub(super) mod rust_crypto;

use std::fmt::Debug;
use std::marker::PhantomData;

use aws_lc_rs::rand;
use schemars::JsonSchema;
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::auth::token::jwks::{Jwk, PrivateJwk};
use crate::auth::token::signature::{
    Conformance, Facts, KeyError, SignatureScheme, Signer, SigningError, Status, Verifier, akp, must_have,
};

/// SLH-DSA with one of its parameter sets.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, bound = "")]
#[schemars(rename = "SlhDsa", bound = "")]
pub(super) struct SlhDsa<P> {
    /// The library that does the work. Both sign hedged (FIPS 205 section 3.4), the standard's default.
    #[serde(default)]
    library: Library,
    #[serde(skip)]
    parameters: PhantomData<P>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
enum Library {
    /// `slh-dsa` of the `RustCrypto` project.
    #[default]
    RustCrypto,
    /// `fips205`: portable Rust.
    Fips205,
}

/// The parameter sets that the draft registers with SHA-2, of the lowest security category.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ParameterSet {
    /// Small signatures.
    Sha2Small,
    /// Fast signing.
    Sha2Fast,
}

/// A parameter set as a type, so that each has its own row in the registry.
pub(super) trait Parameters: Debug + Send + Sync {
    const SET: ParameterSet;
}

#[derive(Debug)]
pub(super) struct Sha2Small;
#[derive(Debug)]
pub(super) struct Sha2Fast;

impl Parameters for Sha2Small {
    const SET: ParameterSet = ParameterSet::Sha2Small;
}

impl Parameters for Sha2Fast {
    const SET: ParameterSet = ParameterSet::Sha2Fast;
}

/// FIPS 205 table 2: n, the bytes of each of the four parts of a key of category 1.
pub(super) const PART_BYTES: usize = 16;
/// The additional randomness of FIPS 205 algorithm 22; the public seed in its place makes signing deterministic.
pub(super) type Randomness = [u8; PART_BYTES];

/// A private key, which signs by the randomness it is given.
pub(super) trait SigningKey: Send + Sync {
    fn sign(&self, message: &[u8], randomness: &Randomness) -> Option<Vec<u8>>;
}

struct Hedged {
    alg: &'static str,
    key: Box<dyn SigningKey>,
}

impl<P: Parameters> SignatureScheme for SlhDsa<P> {
    fn alg(&self) -> &'static str {
        P::SET.alg()
    }

    fn facts(&self) -> Facts {
        Facts {
            status: Status::Draft("draft-ietf-cose-sphincs-plus-10"),
            library: self.library.name(),
            post_quantum: true,
            public_key_bytes: 32,
            signature_bytes: P::SET.signature_bytes(),
            conformance: Conformance::Conforming { vectors: "the draft's examples, and forgeries of them" },
        }
    }

    fn variants(&self) -> Vec<toml::Table> {
        let other = toml::Table::from_iter([("library".to_owned(), "fips205".into())]);
        vec![toml::Table::new(), other]
    }

    fn generate(&self) -> Result<PrivateJwk, KeyError> {
        let failed = || KeyError::Generation(P::SET.alg());
        let mut seeds = Zeroizing::new([[0; PART_BYTES]; 3]);
        rand::fill(seeds.as_flattened_mut()).map_err(|_| failed())?;
        let key = match self.library {
            Library::RustCrypto => rust_crypto::generate(P::SET, &seeds),
            Library::Fips205 => fips205::generate(P::SET, &seeds),
        };
        Ok(PrivateJwk::akp(P::SET.alg(), public_half(&key).ok_or_else(failed)?, key.as_slice()))
    }

    fn signer(&self, key: &PrivateJwk) -> Result<Box<dyn Signer>, KeyError> {
        let (alg, (public, private)) = (P::SET.alg(), akp::private(self, key)?);
        must_have(alg, "priv", private, 4 * PART_BYTES)?;
        if public_half(private) != Some(public) {
            return Err(KeyError::unfit_halves(alg));
        }
        // Whoever signs: this makes the root anew, and finds out that the seeds make another one, as those of another
        // parameter set do.
        let checked = fips205::signing_key(P::SET, private).ok_or_else(|| {
            KeyError::unfit(alg, "the seeds in its member \"priv\" do not make its public root")
        })?;
        let key = match self.library {
            Library::RustCrypto => rust_crypto::signing_key(P::SET, private),
            Library::Fips205 => Some(checked),
        };
        Ok(Box::new(Hedged { alg, key: key.ok_or_else(|| KeyError::unfit_halves(alg))? }))
    }

    fn verifier(&self, key: &Jwk) -> Result<Box<dyn Verifier>, KeyError> {
        let public = akp::public(self, key)?;
        let prepared = match self.library {
            Library::RustCrypto => rust_crypto::verifier(P::SET, public),
            Library::Fips205 => fips205::verifier(P::SET, public),
        };
        prepared.ok_or_else(|| akp::no_public_key(P::SET.alg()))
    }
}

/// FIPS 205 figure 15: a private key ends in the public one.
fn public_half(private: &[u8]) -> Option<&[u8]> {
    private.get(2 * PART_BYTES..)
}

impl Library {
    fn name(self) -> &'static str {
        match self {
            Self::RustCrypto => "slh-dsa",
            Self::Fips205 => "fips205",
        }
    }
}

impl ParameterSet {
    pub(super) fn alg(self) -> &'static str {
        match self {
            Self::Sha2Small => "SLH-DSA-SHA2-128s",
            Self::Sha2Fast => "SLH-DSA-SHA2-128f",
        }
    }

    /// FIPS 205 table 2.
    fn signature_bytes(self) -> u32 {
        match self {
            Self::Sha2Small => 7_856,
            Self::Sha2Fast => 17_088,
        }
    }
}

impl Signer for Hedged {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningError> {
        let mut randomness = Zeroizing::new(Randomness::default());
        rand::fill(&mut *randomness).map_err(|_| SigningError(self.alg))?;
        self.key.sign(message, &randomness).ok_or(SigningError(self.alg))
    }
}
