//! ML-DSA and ECDSA at once, valid only if both are (draft-ietf-jose-pq-composite-sigs-05, 8 October 2026).
//!
//! Both halves sign `prefix || label || 0x00 || hash of the message`; ML-DSA takes the label as its context too, so that
//! neither half counts alone (section 4.1). The draft's earlier revisions wrote r and s as JWS does; since its revision 04
//! the ECDSA half is DER, which makes the length of a signature vary by a few bytes.

mod pair;

use std::marker::PhantomData;

use aws_lc_rs::encoding::{AsBigEndian as _, EcPrivateKeyBin};
use aws_lc_rs::rand::{self, SystemRandom};
use aws_lc_rs::signature::{EcdsaKeyPair, KeyPair as _, ParsedPublicKey};
use schemars::JsonSchema;
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::auth::token::jwks::{Jwk, PrivateJwk};
use crate::auth::token::signature::ml_dsa::{self, Hedged, Parameters as _, SEED_BYTES};
use crate::auth::token::signature::{
    Conformance, Facts, KeyError, SignatureScheme, Signer, SigningError, Status, Verifier, akp, must_have,
};

pub(super) use pair::{MlDsa44Es256, MlDsa65Es256, MlDsa87Es384, Pair, halves, representative};

/// One of the pairs.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, bound = "")]
#[schemars(rename = "Composite", bound = "")]
pub(super) struct Composite<P> {
    /// The library for the ML-DSA half, which signs hedged. aws-lc-rs, which does the ECDSA half, takes no context.
    #[serde(default)]
    library: Library,
    #[serde(skip)]
    pair: PhantomData<P>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
enum Library {
    /// `libcrux-ml-dsa`: formally verified Rust.
    #[default]
    Libcrux,
    /// `ml-dsa` of the `RustCrypto` project.
    RustCrypto,
    /// `fips204`: portable Rust.
    Fips204,
}

impl<P: Pair + 'static> SignatureScheme for Composite<P> {
    fn alg(&self) -> &'static str {
        P::ALG
    }

    fn facts(&self) -> Facts {
        let ml_dsa = P::MlDsa::SET;
        Facts {
            status: Status::Draft("draft-ietf-jose-pq-composite-sigs-05"),
            library: self.library.name(),
            post_quantum: true,
            public_key_bytes: ml_dsa.public_key_bytes() + P::CURVE.public_key_bytes,
            signature_bytes: ml_dsa.signature_bytes() + P::CURVE.signature_bytes,
            conformance: Conformance::Conforming { vectors: "the draft's examples, and forgeries of them" },
        }
    }

    fn variants(&self) -> Vec<toml::Table> {
        let others = ["rust-crypto", "fips204"];
        let others = others.map(|library| toml::Table::from_iter([("library".to_owned(), library.into())]));
        [toml::Table::new()].into_iter().chain(others).collect()
    }

    fn generate(&self) -> Result<PrivateJwk, KeyError> {
        let failed = || KeyError::Generation(P::ALG);
        let mut seed = Zeroizing::new([0; SEED_BYTES]);
        rand::fill(&mut *seed).map_err(|_| failed())?;
        let (ml_dsa, _) = self.library.signing_key::<P>(&*seed).ok_or_else(failed)?;
        let ecdsa = EcdsaKeyPair::generate(P::CURVE.signing).map_err(|_| failed())?;
        let d: EcPrivateKeyBin<'_> = ecdsa.private_key().as_be_bytes().map_err(|_| failed())?;
        let (before, after) = P::CURVE.around_d;
        let private = Zeroizing::new([&*seed, before, d.as_ref(), after].concat());
        let public = [&ml_dsa, ecdsa.public_key().as_ref()].concat();
        Ok(PrivateJwk::akp(P::ALG, &public, private.as_slice()))
    }

    fn signer(&self, key: &PrivateJwk) -> Result<Box<dyn Signer>, KeyError> {
        let (public, private) = akp::private(self, key)?;
        let (seed, d) = secrets::<P>(private)?;
        let prepared = self.prepared_signer(public, seed, d);
        let unfit_halves = || KeyError::unfit_halves(P::ALG);
        prepared.map(|signer| Box::new(signer) as Box<dyn Signer>).ok_or_else(unfit_halves)
    }

    fn verifier(&self, key: &Jwk) -> Result<Box<dyn Verifier>, KeyError> {
        let public = akp::public(self, key)?;
        let prepared = self.prepared_verifier(public);
        let no_key = || akp::no_public_key(P::ALG);
        prepared.map(|verifier| Box::new(verifier) as Box<dyn Verifier>).ok_or_else(no_key)
    }
}

impl<P: Pair> Composite<P> {
    fn prepared_signer(&self, public: &[u8], seed: &[u8], d: &[u8]) -> Option<CompositeSigner<P>> {
        let (ml_dsa_public, point) = halves::<P>(public)?;
        let (own_public, key) = self.library.signing_key::<P>(seed)?;
        if own_public != ml_dsa_public {
            return None;
        }
        let ecdsa = EcdsaKeyPair::from_private_key_and_public_key(P::CURVE.signing, d, point).ok()?;
        let (ml_dsa, random) = (Hedged { alg: P::ALG, key }, SystemRandom::new());
        Some(CompositeSigner { ml_dsa, ecdsa, random, pair: PhantomData })
    }

    fn prepared_verifier(&self, public: &[u8]) -> Option<CompositeVerifier<P>> {
        let (ml_dsa, point) = halves::<P>(public)?;
        let ml_dsa = self.library.verifier::<P>(ml_dsa)?;
        let ecdsa = ParsedPublicKey::new(P::CURVE.verification, point).ok()?;
        Some(CompositeVerifier { ml_dsa, ecdsa, pair: PhantomData })
    }
}

/// The seed of ML-DSA and the private key of ECDSA.
fn secrets<P: Pair>(private: &[u8]) -> Result<(&[u8], &[u8]), KeyError> {
    let (before, after) = P::CURVE.around_d;
    // The private key is as long as a coordinate of the point.
    let d_bytes = P::CURVE.public_key_bytes as usize / 2;
    must_have(P::ALG, "priv", private, SEED_BYTES + before.len() + d_bytes + after.len())?;
    let (seed, ec_private_key) = private.split_at(SEED_BYTES);
    let d = ec_private_key.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
    let no_key = || KeyError::unfit(P::ALG, "its member \"priv\" is no seed with an ECPrivateKey behind it");
    Ok((seed, d.ok_or_else(no_key)?))
}

impl Library {
    fn name(self) -> &'static str {
        match self {
            Self::Libcrux => "libcrux-ml-dsa and aws-lc-rs",
            Self::RustCrypto => "ml-dsa and aws-lc-rs",
            Self::Fips204 => "fips204 and aws-lc-rs",
        }
    }

    fn signing_key<P: Pair>(self, seed: &[u8]) -> Option<ml_dsa::KeyPair> {
        let (set, context) = (P::MlDsa::SET, P::LABEL.as_bytes());
        match self {
            Self::Libcrux => ml_dsa::libcrux::signing_key(set, seed, context),
            Self::RustCrypto => ml_dsa::rust_crypto::signing_key(set, seed, context),
            Self::Fips204 => ml_dsa::fips204::signing_key(set, seed, context),
        }
    }

    fn verifier<P: Pair>(self, public: &[u8]) -> Option<Box<dyn Verifier>> {
        let (set, context) = (P::MlDsa::SET, P::LABEL.as_bytes());
        match self {
            Self::Libcrux => ml_dsa::libcrux::verifier(set, public, context),
            Self::RustCrypto => ml_dsa::rust_crypto::verifier(set, public, context),
            Self::Fips204 => ml_dsa::fips204::verifier(set, public, context),
        }
    }
}

struct CompositeSigner<P> {
    ml_dsa: Hedged,
    ecdsa: EcdsaKeyPair,
    random: SystemRandom,
    pair: PhantomData<P>,
}

struct CompositeVerifier<P> {
    ml_dsa: Box<dyn Verifier>,
    ecdsa: ParsedPublicKey,
    pair: PhantomData<P>,
}

impl<P: Pair> Signer for CompositeSigner<P> {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningError> {
        let representative = representative::<P>(message);
        let mut signature = self.ml_dsa.sign(&representative)?;
        let ecdsa = self.ecdsa.sign(&self.random, &representative).map_err(|_| SigningError(P::ALG))?;
        signature.extend_from_slice(ecdsa.as_ref());
        Ok(signature)
    }
}

impl<P: Pair> Verifier for CompositeVerifier<P> {
    fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let ml_dsa_bytes = P::MlDsa::SET.signature_bytes() as usize;
        let Some((ml_dsa, ecdsa)) = signature.split_at_checked(ml_dsa_bytes) else { return false };
        let representative = representative::<P>(message);
        self.ml_dsa.verifies(&representative, ml_dsa) && self.ecdsa.verify_sig(&representative, ecdsa).is_ok()
    }
}
