//! ECDSA (RFC 7518 section 3.4): signatures are r and s one after the other, never DER.

mod curve;

use std::marker::PhantomData;

use ::jsonwebtoken::{DecodingKey, EncodingKey};
use aws_lc_rs::encoding::{AsBigEndian as _, EcPrivateKeyBin};
use aws_lc_rs::rand::{self, SystemRandom};
use aws_lc_rs::signature::{EcdsaKeyPair, KeyPair as _, ParsedPublicKey};
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

use curve::Curve;
pub(super) use curve::{P256, P384};

/// ES256 or ES384.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, bound = "")]
#[schemars(bound = "", rename = "ecdsa")]
pub(super) struct Ecdsa<C: Curve> {
    /// Who does the work.
    #[serde(default)]
    library: Library,
    #[serde(skip)]
    curve: PhantomData<C>,
}

/// SEC 1 section 2.3.3: an uncompressed point begins with this byte.
const UNCOMPRESSED: u8 = 4;

impl<C: Curve> SignatureScheme for Ecdsa<C> {
    fn alg(&self) -> &'static str {
        C::ALG
    }

    fn facts(&self) -> Facts {
        Facts {
            status: Status::Standard("RFC 7518"),
            library: self.library.name(C::RUST_CRYPTO),
            post_quantum: false,
            public_key_bytes: 1 + 2 * C::COORDINATE_BYTES,
            signature_bytes: 2 * C::COORDINATE_BYTES,
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
        let failed = || KeyError::Generation(C::ALG);
        if self.library == Library::RustCrypto {
            let mut d = Zeroizing::new(vec![0; C::COORDINATE_BYTES as usize]);
            rand::fill(&mut d).map_err(|_| failed())?;
            // One in 2^32 numbers of this length is not below the order of P-256, and fewer for P-384.
            let pair = C::PrivateKey::try_from(&d[..]).map_err(|_| failed())?;
            return Ok(key_of::<C>(&C::point_of(&pair), &d));
        }
        let pair = EcdsaKeyPair::generate(C::SIGNING).map_err(|_| failed())?;
        let d: EcPrivateKeyBin<'_> = pair.private_key().as_be_bytes().map_err(|_| failed())?;
        Ok(key_of::<C>(pair.public_key().as_ref(), d.as_ref()))
    }

    fn signer(&self, key: &PrivateJwk) -> Result<Box<dyn Signer>, KeyError> {
        let unfit_halves = || KeyError::unfit_halves(C::ALG);
        let (point, _) = self.point_in(&key.public)?;
        let d = key.private.d.as_ref().ok_or_else(|| KeyError::lacks(C::ALG, "d"))?.expose();
        must_have(C::ALG, "d", d, C::COORDINATE_BYTES as usize)?;
        // Whoever signs: this finds out that the two halves do not belong together.
        let pair = EcdsaKeyPair::from_private_key_and_public_key(C::SIGNING, d, &point);
        let pair = pair.map_err(|_| unfit_halves())?;
        let by = |backend: BackEnd| {
            let der = pair.to_pkcs8v1().map_err(|_| unfit_halves())?;
            backend.signer(C::JSONWEBTOKEN, EncodingKey::from_ec_der(der.as_ref()), C::ALG)
        };
        match self.library {
            Library::AwsLcRs => Ok(Box::new(PreparedPair { pair, random: SystemRandom::new(), alg: C::ALG })),
            Library::RustCrypto => {
                let key = C::PrivateKey::try_from(d).map_err(|_| unfit_halves())?;
                Ok(Box::new(PrivateKey::<_, C::Signature>::new(key, C::ALG)))
            }
            Library::JsonwebtokenAwsLcRs => by(BackEnd::AwsLcRs),
            Library::JsonwebtokenRustCrypto => by(BackEnd::RustCrypto),
        }
    }

    fn verifier(&self, key: &Jwk) -> Result<Box<dyn Verifier>, KeyError> {
        let (point, parsed) = self.point_in(key)?;
        let by =
            |backend: BackEnd| backend.verifier(C::JSONWEBTOKEN, DecodingKey::from_ec_der(&point), C::ALG);
        match self.library {
            Library::AwsLcRs => Ok(Box::new(parsed)),
            Library::RustCrypto => {
                let key = C::PublicKey::try_from(&point[..]).map_err(|_| no_point::<C>())?;
                Ok(Box::new(PublicKey::<_, C::Signature>::new(key)))
            }
            Library::JsonwebtokenAwsLcRs => by(BackEnd::AwsLcRs),
            Library::JsonwebtokenRustCrypto => by(BackEnd::RustCrypto),
        }
    }
}

fn key_of<C: Curve>(point: &[u8], d: &[u8]) -> PrivateJwk {
    let (x, y) = point[1..].split_at(C::COORDINATE_BYTES as usize);
    let material = KeyMaterial::EllipticCurve { crv: C::NAME.to_owned(), x: x.into(), y: y.into() };
    PrivateJwk::with_d(C::ALG, material, d)
}

impl<C: Curve> Ecdsa<C> {
    /// The public key as SEC 1 writes it, and as AWS-LC reads it: whoever verifies, a point off the curve is found here.
    fn point_in(&self, key: &Jwk) -> Result<(Vec<u8>, ParsedPublicKey), KeyError> {
        must_be_for(self, key)?;
        let KeyMaterial::EllipticCurve { crv, x, y } = &key.material else {
            return Err(KeyError::other_type(C::ALG, key, "EC"));
        };
        if crv != C::NAME {
            return Err(KeyError::unfit(C::ALG, format!("its curve is {crv:?}, expected {:?}", C::NAME)));
        }
        must_have(C::ALG, "x", x, C::COORDINATE_BYTES as usize)?;
        must_have(C::ALG, "y", y, C::COORDINATE_BYTES as usize)?;
        let point = [&[UNCOMPRESSED], &**x, &**y].concat();
        let parsed = ParsedPublicKey::new(C::VERIFICATION, &point).map_err(|_| no_point::<C>())?;
        Ok((point, parsed))
    }
}

fn no_point<C: Curve>() -> KeyError {
    KeyError::unfit(C::ALG, format!("its members \"x\" and \"y\" are no point of {}", C::NAME))
}

struct PreparedPair {
    pair: EcdsaKeyPair,
    random: SystemRandom,
    alg: &'static str,
}

impl Signer for PreparedPair {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningError> {
        let signature = self.pair.sign(&self.random, message).map_err(|_| SigningError(self.alg))?;
        Ok(signature.as_ref().to_vec())
    }
}

impl Verifier for ParsedPublicKey {
    fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.verify_sig(message, signature).is_ok()
    }
}
