//! ML-DSA (FIPS 204) as RFC 9964 uses it: key type `AKP`, empty context, a private key is its 32-byte seed.

mod aws_lc;
pub(super) mod fips204;
pub(super) mod hedged;
pub(super) mod libcrux;
mod parameter_set;
mod pqcrypto;
pub(super) mod rust_crypto;

use std::marker::PhantomData;

use aws_lc_rs::rand;
use schemars::JsonSchema;
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::auth::token::jwks::{Jwk, PrivateJwk};
use crate::auth::token::signature::{
    Conformance, Facts, KeyError, SignatureScheme, Signer, Status, Verifier, akp, must_have,
};

pub(super) use hedged::{Hedged, KeyPair};
pub(super) use parameter_set::{MlDsa44, MlDsa65, MlDsa87, ParameterSet, Parameters};

/// ML-DSA with one of its parameter sets.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, bound = "")]
#[schemars(rename = "MlDsa", bound = "")]
pub(super) struct MlDsa<P> {
    /// The library that does the work. All of them sign hedged (FIPS 204 section 3.4), the standard's default.
    #[serde(default)]
    library: Library,
    #[serde(skip)]
    parameters: PhantomData<P>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
enum Library {
    /// aws-lc-rs: C and assembly.
    #[default]
    AwsLcRs,
    /// `ml-dsa` of the `RustCrypto` project.
    RustCrypto,
    /// `libcrux-ml-dsa`: formally verified Rust.
    Libcrux,
    /// `fips204`: portable Rust.
    Fips204,
    /// `pqcrypto-mldsa`: `PQClean`'s C. Its AVX2 code accepts forgeries; it cannot make a key from a seed, which `fips204`
    /// does for it.
    PqcryptoMldsa,
}

/// The bytes of the seed that every key is made from (FIPS 204 algorithm 1).
pub(super) const SEED_BYTES: usize = 32;
/// RFC 9964 section 2: the context is empty.
const CONTEXT: &[u8] = b"";

/// A private key that can sign, and the public one that belongs to it.
struct Prepared {
    public: Vec<u8>,
    signer: Box<dyn Signer>,
}

impl<P: Parameters> SignatureScheme for MlDsa<P> {
    fn alg(&self) -> &'static str {
        P::SET.alg()
    }

    fn facts(&self) -> Facts {
        Facts {
            status: Status::Standard("RFC 9964"),
            library: self.library.name(),
            post_quantum: true,
            public_key_bytes: P::SET.public_key_bytes(),
            signature_bytes: P::SET.signature_bytes(),
            conformance: self.library.conformance(P::SET),
        }
    }

    fn variants(&self) -> Vec<toml::Table> {
        let others = ["rust-crypto", "libcrux", "fips204", "pqcrypto-mldsa"];
        let others = others.map(|library| toml::Table::from_iter([("library".to_owned(), library.into())]));
        [toml::Table::new()].into_iter().chain(others).collect()
    }

    fn makes_keys(&self) -> bool {
        self.library != Library::PqcryptoMldsa
    }

    fn generate(&self) -> Result<PrivateJwk, KeyError> {
        let failed = || KeyError::Generation(P::SET.alg());
        let mut seed = Zeroizing::new([0; SEED_BYTES]);
        rand::fill(&mut *seed).map_err(|_| failed())?;
        let prepared = self.library.signer(P::SET, &*seed).ok_or_else(failed)?;
        Ok(PrivateJwk::akp(P::SET.alg(), &prepared.public, &seed[..]))
    }

    fn signer(&self, key: &PrivateJwk) -> Result<Box<dyn Signer>, KeyError> {
        let (public, seed) = akp::private(self, key)?;
        must_have(P::SET.alg(), "priv", seed, SEED_BYTES)?;
        match self.library.signer(P::SET, seed) {
            Some(prepared) if prepared.public == public => Ok(prepared.signer),
            _ => Err(KeyError::unfit_halves(P::SET.alg())),
        }
    }

    fn verifier(&self, key: &Jwk) -> Result<Box<dyn Verifier>, KeyError> {
        let public = akp::public(self, key)?;
        self.library.verifier(P::SET, public).ok_or_else(|| akp::no_public_key(P::SET.alg()))
    }
}

impl Library {
    fn name(self) -> &'static str {
        match self {
            Self::AwsLcRs => "aws-lc-rs",
            Self::RustCrypto => "ml-dsa",
            Self::Libcrux => "libcrux-ml-dsa",
            Self::Fips204 => "fips204",
            Self::PqcryptoMldsa => "pqcrypto-mldsa",
        }
    }

    fn conformance(self, set: ParameterSet) -> Conformance {
        match self {
            Self::PqcryptoMldsa => pqcrypto::conformance(set),
            _ => Conformance::Conforming { vectors: "Wycheproof" },
        }
    }

    fn signer(self, set: ParameterSet, seed: &[u8]) -> Option<Prepared> {
        let (public, key) = match self {
            Self::AwsLcRs => return aws_lc::signer(set, seed),
            Self::PqcryptoMldsa => return pqcrypto::signer(set, seed),
            Self::RustCrypto => rust_crypto::signing_key(set, seed, CONTEXT)?,
            Self::Libcrux => libcrux::signing_key(set, seed, CONTEXT)?,
            Self::Fips204 => fips204::signing_key(set, seed, CONTEXT)?,
        };
        Some(Prepared { public, signer: Box::new(Hedged { alg: set.alg(), key }) })
    }

    fn verifier(self, set: ParameterSet, public: &[u8]) -> Option<Box<dyn Verifier>> {
        match self {
            Self::AwsLcRs => aws_lc::verifier(set, public),
            Self::RustCrypto => rust_crypto::verifier(set, public, CONTEXT),
            Self::Libcrux => libcrux::verifier(set, public, CONTEXT),
            Self::Fips204 => fips204::verifier(set, public, CONTEXT),
            Self::PqcryptoMldsa => pqcrypto::verifier(set, public),
        }
    }
}
