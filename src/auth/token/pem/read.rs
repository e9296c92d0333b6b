//! PEM to keys.

use aws_lc_rs::encoding::{AsBigEndian as _, Curve25519SeedBin, EcPrivateKeyBin};
use aws_lc_rs::signature::{EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, PqdsaKeyPair};
use pkcs8::der::Decode as _;
use pkcs8::der::asn1::BitStringRef;
use pkcs8::{PrivateKeyInfoRef, SubjectPublicKeyInfoRef};
use sec1::{EcParameters, EcPrivateKey};

use crate::auth::token::jwks::{Jwk, KeyMaterial, PrivateJwk, PrivateMembers};
use crate::auth::token::pem::PemError;
use crate::auth::token::pem::algorithm::{Algorithm, Form};
use crate::auth::token::pem::block::{PemBlock, blocks};

/// Reads the keys of a PEM text; of a public one the private half is empty. `alg` is what they are meant for, where they
/// leave that open or to make sure. A key whose public half stands there as well is one key.
pub fn read(text: &str, alg: Option<&str>) -> Result<Vec<PrivateJwk>, PemError> {
    let blocks = blocks(text)?;
    if blocks.is_empty() {
        return Err(PemError("not PEM: it has no line with -----BEGIN".to_owned()));
    }
    let several = blocks.len() > 1;
    let mut keys: Vec<PrivateJwk> = Vec::new();
    for (block, number) in blocks.iter().zip(1..) {
        // They stand beside keys, and are none.
        if several && ["CERTIFICATE", "EC PARAMETERS"].contains(&block.label) {
            continue;
        }
        let in_block =
            |PemError(why)| PemError(format!("block {number} of the file, {:?}: {why}", block.label));
        let read = key(block, alg).map_err(|error| if several { in_block(error) } else { error })?;
        match keys.iter_mut().find(|known| known.public == read.public) {
            Some(known) if known.private == PrivateMembers::default() => *known = read,
            Some(_) => {}
            None => keys.push(read),
        }
    }
    if keys.is_empty() {
        return Err(no_key(blocks[0].label));
    }
    Ok(keys)
}

fn key(block: &PemBlock<'_>, alg: Option<&str>) -> Result<PrivateJwk, PemError> {
    let public_half = |public| PrivateJwk { public, private: PrivateMembers::default() };
    let bytes = &block.decode()?;
    match block.label {
        "PUBLIC KEY" => public(bytes, alg).map(public_half),
        "RSA PUBLIC KEY" => Ok(public_half(Jwk::new(meant(None, alg)?, rsa_public(bytes)?))),
        "PRIVATE KEY" => pkcs8(bytes, alg),
        "EC PRIVATE KEY" => {
            let key = EcPrivateKey::try_from(bytes.as_slice());
            let curve = key.ok().and_then(|key| key.parameters).and_then(EcParameters::named_curve);
            elliptic(Algorithm::on(curve)?, bytes, alg)
        }
        "RSA PRIVATE KEY" => rsa(None, bytes, alg),
        other => Err(no_key(other)),
    }
}

fn no_key(label: &str) -> PemError {
    let advice = match label {
        "CERTIFICATE" => "; take the key out of it: openssl x509 -pubkey -noout -in FILE",
        "OPENSSH PRIVATE KEY" => {
            "; unless it is for Ed25519, convert a copy of it: ssh-keygen -p -N '' -m PKCS8 -f COPY"
        }
        _ => "",
    };
    PemError(format!("PEM of {label:?}, expected \"PRIVATE KEY\" or \"PUBLIC KEY\"{advice}"))
}

fn public(bytes: &[u8], alg: Option<&str>) -> Result<Jwk, PemError> {
    let malformed = || malformed("SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7)");
    let info = SubjectPublicKeyInfoRef::from_der(bytes).map_err(|_| malformed())?;
    let algorithm = Algorithm::named(info.algorithm)?;
    let key = info.subject_public_key.as_bytes().ok_or_else(malformed)?;
    let material = match algorithm.form {
        Form::Rsa => rsa_public(key)?,
        Form::EllipticCurve(crv, _) => uncompressed(crv, key)?,
        Form::Ed25519 => KeyMaterial::OctetKeyPair { crv: "Ed25519".to_owned(), x: key.into() },
        Form::MlDsa(_) | Form::SlhDsa => KeyMaterial::AlgorithmKeyPair { public: key.into() },
    };
    Ok(Jwk::new(meant(algorithm.alg, alg)?, material))
}

fn pkcs8(bytes: &[u8], alg: Option<&str>) -> Result<PrivateJwk, PemError> {
    let malformed = || malformed("PKCS#8 private key (RFC 5958)");
    let info = PrivateKeyInfoRef::from_der(bytes).map_err(|_| malformed())?;
    let algorithm = Algorithm::named(info.algorithm)?;
    let key = info.private_key.as_bytes();
    let name = algorithm.alg.unwrap_or("RSA");
    let unfit = || inconsistent(name);
    // If the public half stands beside the private one, it must be its own.
    let is_own = |public: &[u8]| {
        let is_own = |beside: BitStringRef<'_>| beside.as_bytes() == Some(public);
        info.public_key.is_none_or(is_own).then_some(()).ok_or_else(unfit)
    };
    match algorithm.form {
        Form::Rsa => rsa(algorithm.alg, key, alg),
        Form::EllipticCurve(..) => elliptic(algorithm, bytes, alg),
        Form::Ed25519 => {
            let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(bytes).map_err(|_| unfit())?;
            let (public, seed) = (pair.public_key().as_ref(), pair.seed().map_err(|_| unfit())?);
            let seed: Curve25519SeedBin<'_> = seed.as_be_bytes().map_err(|_| unfit())?;
            is_own(public)?;
            let material = KeyMaterial::OctetKeyPair { crv: "Ed25519".to_owned(), x: public.into() };
            Ok(PrivateJwk::with_d(meant(algorithm.alg, alg)?, material, seed.as_ref()))
        }
        Form::MlDsa(signing) => {
            // It takes all three forms of RFC 9881 section 6, and writes the one that ends in the seed.
            let pair = PqdsaKeyPair::from_pkcs8(signing, bytes).map_err(|_| unfit())?;
            let with_seed = pair.to_pkcs8v1().map_err(|_| no_seed(name))?;
            let seed = with_seed.as_ref().last_chunk::<32>().ok_or_else(|| no_seed(name))?;
            let public = pair.public_key().as_ref();
            is_own(public)?;
            Ok(PrivateJwk::akp(meant(algorithm.alg, alg)?, public, seed.as_slice()))
        }
        Form::SlhDsa => {
            // FIPS 205 section 9.1: SK.seed, SK.prf, PK.seed, PK.root, of 16 bytes each.
            let public = key.get(32..64).filter(|_| key.len() == 64).ok_or_else(unfit)?;
            is_own(public)?;
            Ok(PrivateJwk::akp(meant(algorithm.alg, alg)?, public, key))
        }
    }
}

/// A private key as PKCS#8 or SEC 1 has it.
fn elliptic(algorithm: &Algorithm, bytes: &[u8], alg: Option<&str>) -> Result<PrivateJwk, PemError> {
    let (Form::EllipticCurve(crv, signing), Some(name)) = (algorithm.form, algorithm.alg) else {
        unreachable!("callers look the curve up in the table");
    };
    let unfit = || inconsistent(name);
    let pair = EcdsaKeyPair::from_private_key_der(signing, bytes).map_err(|_| unfit())?;
    let d: EcPrivateKeyBin<'_> = pair.private_key().as_be_bytes().map_err(|_| unfit())?;
    let material = uncompressed(crv, pair.public_key().as_ref())?;
    Ok(PrivateJwk::with_d(meant(algorithm.alg, alg)?, material, d.as_ref()))
}

fn rsa(known: Option<&'static str>, pkcs1: &[u8], alg: Option<&str>) -> Result<PrivateJwk, PemError> {
    let malformed = || malformed("RSA private key of two primes (RFC 8017 appendix A.1.2)");
    PrivateJwk::rsa(meant(known, alg)?, pkcs1).ok_or_else(malformed)
}

fn rsa_public(pkcs1: &[u8]) -> Result<KeyMaterial, PemError> {
    let key = pkcs1::RsaPublicKey::try_from(pkcs1);
    let key = key.map_err(|_| malformed("RSA public key (RFC 8017 appendix A.1.1)"))?;
    Ok(KeyMaterial::Rsa { n: key.modulus.as_bytes().into(), e: key.public_exponent.as_bytes().into() })
}

const POINT: &str = "point in one of the forms of SEC 1 section 2.3.3; others are converted by \
                     openssl pkey -pubin -ec_conv_form uncompressed -in FILE";

/// The coordinates of a point in any form of SEC 1 section 2.3.3.
fn uncompressed(crv: &'static str, point: &[u8]) -> Result<KeyMaterial, PemError> {
    let point = match crv {
        "P-256" => {
            p256::ecdsa::VerifyingKey::from_sec1_bytes(point).map(|key| key.to_sec1_point(false).to_bytes())
        }
        _ => p384::ecdsa::VerifyingKey::from_sec1_bytes(point).map(|key| key.to_sec1_point(false).to_bytes()),
    };
    let point = point.map_err(|_| malformed(POINT))?;
    let (x, y) = point[1..].split_at(point.len() / 2);
    Ok(KeyMaterial::EllipticCurve { crv: crv.to_owned(), x: x.into(), y: y.into() })
}

/// The algorithm that a key is for: what it says, or what is asked for. RSA keys say nothing.
fn meant<'a>(found: Option<&'static str>, wanted: Option<&'a str>) -> Result<&'a str, PemError> {
    let is_for_rsa = |alg: &&str| alg.starts_with("RS") || alg.starts_with("PS");
    match (found, wanted) {
        (None, None) => Err(PemError(
            "PEM does not say what an RSA key is for; say so, like --alg RS256 or --alg PS256".to_owned(),
        )),
        (_, Some(wanted)) if found.map_or(is_for_rsa(&wanted), |found| found == wanted) => Ok(wanted),
        (found, Some(wanted)) => {
            Err(PemError(format!("the PEM key is for {}, not for {wanted}", found.unwrap_or("RSA"))))
        }
        (Some(found), None) => Ok(found),
    }
}

fn malformed(what: &str) -> PemError {
    PemError(format!("the PEM block is no {what}"))
}

fn inconsistent(alg: &str) -> PemError {
    PemError(format!("the {alg} key is damaged, or its halves do not belong together"))
}

/// JOSE keeps nothing else (RFC 9964 section 3).
fn no_seed(alg: &str) -> PemError {
    PemError(format!(
        "the {alg} key has no seed, only its expanded form, which JOSE does not know; export it with the seed"
    ))
}
