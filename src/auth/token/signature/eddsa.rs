//! Ed25519 (RFC 8032), as RFC 8037 brought it to JOSE and RFC 9864 named it.

use ::jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};
use aws_lc_rs::encoding::{AsBigEndian as _, AsDer as _, Curve25519SeedBin, Pkcs8V1Der};
use aws_lc_rs::rand;
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, ParsedPublicKey};
use ed25519_dalek::{Signature, SigningKey, VerifyingKey};
use schemars::JsonSchema;
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::auth::token::jwks::{Jwk, KeyMaterial, PrivateJwk};
use crate::auth::token::signature::jsonwebtoken::BackEnd;
use crate::auth::token::signature::library::Library;
use crate::auth::token::signature::rust_crypto::{PrivateKey, PublicKey};
use crate::auth::token::signature::{
    Conformance, Facts, KeyError, SignatureScheme, Signer, SigningError, Status, Verifier, must_be_for,
    must_have,
};

/// Ed25519.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Ed25519 {
    /// Who does the work.
    #[serde(default)]
    library: Library,
}

const ALG: &str = "Ed25519";
/// What tokens and keys said before RFC 9864, which deprecates it: it left the curve open.
const OLD_ALG: &str = "EdDSA";
const CURVE: &str = "Ed25519";
const KEY_BYTES: usize = 32;

impl SignatureScheme for Ed25519 {
    fn alg(&self) -> &'static str {
        ALG
    }

    fn answers_to(&self, alg: &str) -> bool {
        [ALG, OLD_ALG].contains(&alg)
    }

    fn facts(&self) -> Facts {
        Facts {
            status: Status::Standard("RFC 9864"),
            library: self.library.name("ed25519-dalek"),
            post_quantum: false,
            public_key_bytes: 32,
            signature_bytes: 64,
            conformance: Conformance::Conforming { vectors: "Wycheproof" },
        }
    }

    fn variants(&self) -> Vec<toml::Table> {
        Library::settings()
    }

    fn makes_keys(&self) -> bool {
        self.library.makes_keys()
    }

    /// By the library itself where it can: jsonwebtoken makes no keys.
    fn generate(&self) -> Result<PrivateJwk, KeyError> {
        let failed = || KeyError::Generation(ALG);
        if self.library == Library::RustCrypto {
            let mut seed = Zeroizing::new([0; KEY_BYTES]);
            rand::fill(&mut *seed).map_err(|_| failed())?;
            let pair = SigningKey::from_bytes(&seed);
            return Ok(key_of(pair.verifying_key().as_bytes(), &*seed));
        }
        let pair = Ed25519KeyPair::generate().map_err(|_| failed())?;
        let seed: Curve25519SeedBin<'_> =
            pair.seed().and_then(|seed| seed.as_be_bytes()).map_err(|_| failed())?;
        Ok(key_of(pair.public_key().as_ref(), seed.as_ref()))
    }

    fn signer(&self, key: &PrivateJwk) -> Result<Box<dyn Signer>, KeyError> {
        let unfit_halves = || KeyError::unfit_halves(ALG);
        let (x, _) = self.public(&key.public)?;
        let seed = key.private.d.as_ref().ok_or_else(|| KeyError::lacks(ALG, "d"))?.expose();
        let seed: &[u8; KEY_BYTES] = exactly("d", seed)?;
        // Whoever signs: this finds out that the two halves do not belong together.
        let pair = Ed25519KeyPair::from_seed_and_public_key(seed, x).map_err(|_| unfit_halves())?;
        let by = |backend: BackEnd| {
            let der: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| unfit_halves())?;
            backend.signer(Algorithm::EdDSA, EncodingKey::from_ed_der(der.as_ref()), ALG)
        };
        match self.library {
            Library::AwsLcRs => Ok(Box::new(pair)),
            Library::RustCrypto => {
                let key = SigningKey::from_bytes(seed);
                Ok(Box::new(PrivateKey::<_, Signature>::new(key, ALG)))
            }
            Library::JsonwebtokenAwsLcRs => by(BackEnd::AwsLcRs),
            Library::JsonwebtokenRustCrypto => by(BackEnd::RustCrypto),
        }
    }

    fn verifier(&self, key: &Jwk) -> Result<Box<dyn Verifier>, KeyError> {
        let (x, point) = self.public(key)?;
        let by = |backend: BackEnd| backend.verifier(Algorithm::EdDSA, DecodingKey::from_ed_der(x), ALG);
        match self.library {
            Library::AwsLcRs => {
                let parsed = ParsedPublicKey::new(&ED25519, x);
                Ok(Box::new(parsed.map_err(|_| no_point())?))
            }
            Library::RustCrypto => Ok(Box::new(PublicKey::<_, Signature>::new(point))),
            Library::JsonwebtokenAwsLcRs => by(BackEnd::AwsLcRs),
            Library::JsonwebtokenRustCrypto => by(BackEnd::RustCrypto),
        }
    }
}

fn key_of(public: &[u8], seed: &[u8]) -> PrivateJwk {
    let material = KeyMaterial::OctetKeyPair { crv: CURVE.to_owned(), x: public.into() };
    PrivateJwk::with_d(ALG, material, seed)
}

impl Ed25519 {
    /// Whoever verifies: AWS-LC takes bytes that are no point of the curve, and finds out at the first signature.
    fn public<'a>(&self, key: &'a Jwk) -> Result<(&'a [u8; KEY_BYTES], VerifyingKey), KeyError> {
        must_be_for(self, key)?;
        let KeyMaterial::OctetKeyPair { crv, x } = &key.material else {
            return Err(KeyError::other_type(ALG, key, "OKP"));
        };
        if crv != CURVE {
            return Err(KeyError::unfit(ALG, format!("its curve is {crv:?}, expected {CURVE:?}")));
        }
        let x = exactly("x", x)?;
        Ok((x, VerifyingKey::from_bytes(x).map_err(|_| no_point())?))
    }
}

fn no_point() -> KeyError {
    KeyError::unfit(ALG, "its member \"x\" is no point of the curve")
}

fn exactly<'a>(member: &str, bytes: &'a [u8]) -> Result<&'a [u8; KEY_BYTES], KeyError> {
    must_have(ALG, member, bytes, KEY_BYTES)?;
    Ok(bytes.try_into().expect("the length was checked"))
}

impl Signer for Ed25519KeyPair {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningError> {
        let signature = self.try_sign(message).map_err(|_| SigningError(ALG))?;
        Ok(signature.as_ref().to_vec())
    }
}
