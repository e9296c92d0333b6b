//! PEM to keys.

use pkcs8::der::asn1::{BitStringRef, OctetStringRef};
use pkcs8::der::{self, Decode as _};
use pkcs8::spki::AlgorithmIdentifierRef;
use pkcs8::{PrivateKeyInfoRef, SecretDocument, SubjectPublicKeyInfoRef};

use crate::auth::token::jwks::{Jwk, KeyMaterial, PrivateJwk, PrivateMembers};
use crate::auth::token::pem::algorithm::{ALGORITHMS, Algorithm, Form, Parameters};
use crate::auth::token::pem::asn1::{EcPrivateKey, MlDsaPrivateKey, RsaPrivateKey, RsaPublicKey};
use crate::auth::token::pem::{PemError, PemKey, derive};

/// Reads the first key of a PEM text. `alg` is what it is meant for, where the key itself leaves that open or to make sure.
pub fn read(text: &str, alg: Option<&str>) -> Result<PemKey, PemError> {
    let (label, document) = SecretDocument::from_pem(block(text)?).map_err(|_| {
        PemError::NotPem("the block is damaged: base64 in lines of 64 characters is expected")
    })?;
    let bytes = document.as_bytes();
    match label {
        "PUBLIC KEY" => public(bytes, alg).map(PemKey::Public),
        "PRIVATE KEY" => pkcs8(bytes, alg).map(PemKey::Private),
        "EC PRIVATE KEY" => sec1(bytes, alg).map(PemKey::Private),
        "RSA PRIVATE KEY" => rsa_private(bytes, alg).map(PemKey::Private),
        other => Err(PemError::Label { found: other.to_owned(), advice: advice(other) }),
    }
}

fn advice(label: &str) -> &'static str {
    match label {
        "CERTIFICATE" => "; take the key out of it: openssl x509 -pubkey -noout",
        "ENCRYPTED PRIVATE KEY" => "; decrypt it first: openssl pkcs8",
        "RSA PUBLIC KEY" => "; convert it: openssl rsa -RSAPublicKey_in -pubout",
        _ => "",
    }
}

/// The first block but the parameters that `openssl ecparam -genkey` writes before its key.
fn block(text: &str) -> Result<&str, PemError> {
    const PARAMETERS: &str = "-----END EC PARAMETERS-----";
    let text = text.split_once(PARAMETERS).map_or(text, |(_, behind)| behind);
    let begin = text.find("-----BEGIN ").ok_or(PemError::NotPem("it has no line with -----BEGIN"))?;
    let text = &text[begin..];
    let last = text.find("-----END ").ok_or(PemError::NotPem("it has no line with -----END"))?;
    let end = text[last..].find('\n').map_or(text.len(), |length| last + length);
    Ok(text[..end].trim_end())
}

fn public(bytes: &[u8], alg: Option<&str>) -> Result<Jwk, PemError> {
    const WHAT: &str = "SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7)";
    let malformed = |_| PemError::Malformed(WHAT);
    let info = SubjectPublicKeyInfoRef::from_der(bytes).map_err(malformed)?;
    let form = form_of(info.algorithm)?;
    let key = info.subject_public_key.as_bytes().ok_or(PemError::Malformed(WHAT))?;
    let material = match form {
        Form::Rsa => rsa_material(&RsaPublicKey::from_der(key).map_err(malformed)?.0),
        Form::EllipticCurve(_, crv, coordinate) => point_material(crv, coordinate, key)?,
        Form::Ed25519 => KeyMaterial::OctetKeyPair { crv: "Ed25519".to_owned(), x: key.into() },
        Form::MlDsa(_) | Form::SlhDsa(_) => KeyMaterial::AlgorithmKeyPair { public: key.into() },
    };
    Ok(Jwk::new(meant(form, alg)?, material))
}

fn pkcs8(bytes: &[u8], alg: Option<&str>) -> Result<PrivateJwk, PemError> {
    let malformed = |_| PemError::Malformed("PKCS#8 private key (RFC 5958)");
    let info = PrivateKeyInfoRef::from_der(bytes).map_err(malformed)?;
    let form = form_of(info.algorithm)?;
    let (key, beside) = (info.private_key.as_bytes(), info.public_key);
    let read = match form {
        Form::Rsa => return rsa_private(key, alg),
        Form::EllipticCurve(..) => {
            elliptic(&EcPrivateKey::from_der(key).map_err(malformed)?, form, meant(form, alg)?)?
        }
        Form::Ed25519 => {
            let seed = <&OctetStringRef>::from_der(key).map_err(malformed)?.as_bytes();
            let public = derive::ed25519(seed).ok_or(PemError::Inconsistent("Ed25519"))?;
            agrees("Ed25519", beside, &public)?;
            let material = KeyMaterial::OctetKeyPair { crv: "Ed25519".to_owned(), x: public.into() };
            PrivateJwk::with_d(meant(form, alg)?, material, seed)
        }
        Form::MlDsa(name) => {
            let read = MlDsaPrivateKey::read(key).map_err(malformed)?;
            let (seed, expanded) = match read {
                MlDsaPrivateKey::Seed(seed) => (seed, None),
                MlDsaPrivateKey::Both(seed, expanded) => (seed, Some(expanded.as_bytes())),
                MlDsaPrivateKey::Expanded => return Err(PemError::NoSeed(name)),
            };
            let public =
                derive::ml_dsa(name, seed.as_bytes(), expanded).ok_or(PemError::Inconsistent(name))?;
            agrees(name, beside, &public)?;
            PrivateJwk::akp(meant(form, alg)?, &public, seed.as_bytes())
        }
        Form::SlhDsa(name) => {
            // FIPS 205 section 9.1: SK.seed, SK.prf, PK.seed, PK.root, of 16 bytes each.
            let public = key.get(32..64).filter(|_| key.len() == 64).ok_or(PemError::Inconsistent(name))?;
            agrees(name, beside, public)?;
            PrivateJwk::akp(meant(form, alg)?, public, key)
        }
    };
    Ok(read)
}

fn sec1(bytes: &[u8], alg: Option<&str>) -> Result<PrivateJwk, PemError> {
    const WHAT: &str = "EC private key with the name of its curve (RFC 5915)";
    let key = EcPrivateKey::from_der(bytes).map_err(|_| PemError::Malformed(WHAT))?;
    let curve = key.curve.ok_or(PemError::Malformed(WHAT))?;
    let known = ALGORITHMS.iter().find(|known| known.parameters == Parameters::Curve(curve));
    let form = known.ok_or_else(|| PemError::Algorithm(curve.to_string()))?.form;
    elliptic(&key, form, meant(form, alg)?)
}

fn elliptic(key: &EcPrivateKey<'_>, form: Form, alg: &str) -> Result<PrivateJwk, PemError> {
    let Form::EllipticCurve(name, crv, coordinate) = form else {
        unreachable!("callers look the curve up in the table");
    };
    let point = derive::point(crv, key.d.as_bytes()).ok_or(PemError::Inconsistent(name))?;
    agrees(name, key.public, &point)?;
    Ok(PrivateJwk::with_d(alg, point_material(crv, coordinate, &point)?, key.d.as_bytes()))
}

fn rsa_private(bytes: &[u8], alg: Option<&str>) -> Result<PrivateJwk, PemError> {
    let key = RsaPrivateKey::from_der(bytes)
        .map_err(|_| PemError::Malformed("RSA private key of two primes (RFC 8017 appendix A.1.2)"))?;
    let secret = |at: usize| Some(key.0[at].as_bytes().into());
    let private = PrivateMembers {
        d: secret(2),
        p: secret(3),
        q: secret(4),
        dp: secret(5),
        dq: secret(6),
        qi: secret(7),
        ..PrivateMembers::default()
    };
    Ok(PrivateJwk { public: Jwk::new(meant(Form::Rsa, alg)?, rsa_material(&key.0)), private })
}

fn rsa_material(integers: &[der::asn1::UintRef<'_>]) -> KeyMaterial {
    KeyMaterial::Rsa { n: integers[0].as_bytes().into(), e: integers[1].as_bytes().into() }
}

fn point_material(crv: &str, coordinate: usize, point: &[u8]) -> Result<KeyMaterial, PemError> {
    match point.split_first() {
        // SEC 1 section 2.3.3: 4 is the mark of an uncompressed point.
        Some((4, rest)) if rest.len() == 2 * coordinate => {
            let (x, y) = rest.split_at(coordinate);
            Ok(KeyMaterial::EllipticCurve { crv: crv.to_owned(), x: x.into(), y: y.into() })
        }
        _ => Err(PemError::Malformed("uncompressed point; convert it: openssl ec -conv_form uncompressed")),
    }
}

fn form_of(algorithm: AlgorithmIdentifierRef<'_>) -> Result<Form, PemError> {
    let is = |known: &&Algorithm| known.oid == algorithm.oid && known.parameters.are(algorithm.parameters);
    let unknown = || PemError::Algorithm(algorithm.oid.to_string());
    ALGORITHMS.iter().find(is).map(|known| known.form).ok_or_else(unknown)
}

/// The algorithm that a key of this form is for.
fn meant(form: Form, wanted: Option<&str>) -> Result<&str, PemError> {
    let other = |found: &str, wanted: &str| {
        Err(PemError::OtherAlgorithm { found: found.to_owned(), wanted: wanted.to_owned() })
    };
    match (form.alg(), wanted) {
        (None, None) => Err(PemError::WhichRsa),
        (None, Some(wanted)) if wanted.starts_with("RS") || wanted.starts_with("PS") => Ok(wanted),
        (None, Some(wanted)) => other("RSA", wanted),
        (Some(found), Some(wanted)) if found != wanted => other(found, wanted),
        (Some(found), _) => Ok(found),
    }
}

/// If the public half stands beside the private one, it must be its own.
fn agrees(name: &'static str, beside: Option<BitStringRef<'_>>, public: &[u8]) -> Result<(), PemError> {
    let agrees = beside.is_none_or(|beside| beside.as_bytes() == Some(public));
    if agrees { Ok(()) } else { Err(PemError::Inconsistent(name)) }
}
