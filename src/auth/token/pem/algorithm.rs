//! Object identifiers <-> what JOSE calls the same.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaSigningAlgorithm,
    ML_DSA_44_SIGNING, ML_DSA_65_SIGNING, ML_DSA_87_SIGNING, PqdsaSigningAlgorithm,
};
use const_oid::db::{DB, fips204, fips205, rfc5912, rfc8410};
use pkcs8::ObjectIdentifier;
use pkcs8::der::Encode as _;
use pkcs8::der::asn1::{Any, AnyRef};
use pkcs8::spki::{AlgorithmIdentifier, AlgorithmIdentifierRef};

use crate::auth::token::jwks::{Jwk, KeyMaterial};
use crate::auth::token::pem::PemError;

/// One kind of key: how its `AlgorithmIdentifier` names it, and what JOSE calls it.
pub(super) struct Algorithm {
    pub(super) oid: ObjectIdentifier,
    /// That of the curve, which stands beside it (RFC 5480 section 2.1.1).
    pub(super) curve: Option<ObjectIdentifier>,
    pub(super) form: Form,
    /// RSA keys serve several.
    pub(super) alg: Option<&'static str>,
}

/// The form of a key.
#[derive(Clone, Copy)]
pub(super) enum Form {
    /// PKCS#1 (RFC 8017 appendix A.1).
    Rsa,
    /// SEC 1 (RFC 5915), on a curve.
    EllipticCurve(&'static str, &'static EcdsaSigningAlgorithm),
    /// RFC 8410.
    Ed25519,
    /// RFC 9881.
    MlDsa(&'static PqdsaSigningAlgorithm),
    /// RFC 9909. n is 16 bytes, so keys have 32 and 64 bytes.
    SlhDsa,
}

/// Every kind of key that has a PEM form here. What is written is the first that fits.
static ALGORITHMS: [Algorithm; 10] = [
    Algorithm { oid: rfc5912::RSA_ENCRYPTION, curve: None, form: Form::Rsa, alg: None },
    Algorithm { oid: rfc5912::ID_RSASSA_PSS, curve: None, form: Form::Rsa, alg: Some("PS256") },
    on(rfc5912::SECP_256_R_1, Form::EllipticCurve("P-256", &ECDSA_P256_SHA256_FIXED_SIGNING), "ES256"),
    on(rfc5912::SECP_384_R_1, Form::EllipticCurve("P-384", &ECDSA_P384_SHA384_FIXED_SIGNING), "ES384"),
    plain(rfc8410::ID_ED_25519, Form::Ed25519, "Ed25519"),
    plain(fips204::ID_ML_DSA_44, Form::MlDsa(&ML_DSA_44_SIGNING), "ML-DSA-44"),
    plain(fips204::ID_ML_DSA_65, Form::MlDsa(&ML_DSA_65_SIGNING), "ML-DSA-65"),
    plain(fips204::ID_ML_DSA_87, Form::MlDsa(&ML_DSA_87_SIGNING), "ML-DSA-87"),
    plain(fips205::ID_SLH_DSA_SHA_2_128_S, Form::SlhDsa, "SLH-DSA-SHA2-128s"),
    plain(fips205::ID_SLH_DSA_SHA_2_128_F, Form::SlhDsa, "SLH-DSA-SHA2-128f"),
];

const fn plain(oid: ObjectIdentifier, form: Form, alg: &'static str) -> Algorithm {
    Algorithm { oid, curve: None, form, alg: Some(alg) }
}

const fn on(curve: ObjectIdentifier, form: Form, alg: &'static str) -> Algorithm {
    Algorithm { oid: rfc5912::ID_EC_PUBLIC_KEY, curve: Some(curve), form, alg: Some(alg) }
}

fn unsupported(found: &str) -> PemError {
    PemError(format!(
        "a key for {found}, which is not supported; supported: RSA, the curves P-256 and P-384, Ed25519, ML-DSA, \
         SLH-DSA-SHA2-128s and SLH-DSA-SHA2-128f"
    ))
}

impl Algorithm {
    /// What the identifier in a key names.
    pub(super) fn named(identifier: AlgorithmIdentifierRef<'_>) -> Result<&'static Self, PemError> {
        let AlgorithmIdentifierRef { oid, parameters } = identifier;
        if oid == rfc5912::ID_EC_PUBLIC_KEY {
            let curve = parameters.and_then(|curve| curve.decode_as().ok());
            return Self::on(curve);
        }
        if oid == rfc5912::ID_RSASSA_PSS && !parameters.is_none_or(are_of_ps256) {
            let found = "RSASSA-PSS with other parameters than PS256 has (SHA-256 twice, a salt of 32 bytes)";
            return Err(unsupported(found));
        }
        let known = ALGORITHMS.iter().find(|known| known.oid == oid);
        known.ok_or_else(|| unsupported(&name(oid)))
    }

    /// That of a curve.
    pub(super) fn on(curve: Option<ObjectIdentifier>) -> Result<&'static Self, PemError> {
        let known = ALGORITHMS.iter().find(|known| known.curve.is_some() && known.curve == curve);
        let unnamed = || "without a name (openssl pkey -ec_param_enc named_curve gives it one)".to_owned();
        known.ok_or_else(|| unsupported(&format!("the elliptic curve {}", curve.map_or_else(unnamed, name))))
    }

    /// What a key is written as.
    pub(super) fn of(key: &Jwk) -> Result<&'static Self, PemError> {
        let is = |known: &&Self| match (&key.material, known.form) {
            (KeyMaterial::Rsa { .. }, Form::Rsa) => true,
            (KeyMaterial::EllipticCurve { crv, .. }, Form::EllipticCurve(known, _)) => crv == known,
            (KeyMaterial::OctetKeyPair { crv, .. }, Form::Ed25519) => crv == "Ed25519",
            (KeyMaterial::AlgorithmKeyPair { .. }, _) => known.alg == Some(&*key.alg),
            _ => false,
        };
        let no_pem = || PemError(format!("a key for {} has no PEM form; use --format jwk or jwks", key.alg));
        ALGORITHMS.iter().find(is).ok_or_else(no_pem)
    }

    /// As it is written: beside the object identifier of RSA stands a NULL (RFC 3279 section 2.3.1).
    pub(super) fn identifier(&self) -> AlgorithmIdentifier<Any> {
        let curve = |curve| Any::encode_from(&curve).expect("an object identifier can be written");
        let null = matches!(self.form, Form::Rsa).then(Any::null);
        AlgorithmIdentifier { oid: self.oid, parameters: self.curve.map(curve).or(null) }
    }
}

/// What people call it.
fn name(oid: ObjectIdentifier) -> String {
    match DB.by_oid(&oid) {
        Some(name) => format!("{} ({oid})", name.trim_start_matches("id-").trim_start_matches("alg-")),
        None => format!("the object identifier {oid}"),
    }
}

/// RFC 7518 section 3.5: SHA-256, MGF1 with it, a salt as long; a key may ask for a longer one (RFC 4055 section 3.1).
fn are_of_ps256(parameters: AnyRef<'_>) -> bool {
    const SHA_256: pkcs1::ObjectIdentifier = pkcs1::ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
    let Ok(der) = parameters.to_der() else { return false };
    pkcs1::RsaPssParams::try_from(&*der).is_ok_and(|parameters| {
        let mask = parameters.mask_gen.parameters;
        parameters.hash.oid == SHA_256
            && mask.is_some_and(|hash| hash.oid == SHA_256)
            && parameters.salt_len <= 32
    })
}
