//! Keys to PEM.

use pkcs8::der::asn1::{Any, BitStringRef, OctetStringRef, UintRef};
use pkcs8::der::{self, Encode as _};
use pkcs8::spki::{AlgorithmIdentifier, SubjectPublicKeyInfo};
use pkcs8::{Document, LineEnding, PrivateKeyInfo, SecretDocument};
use zeroize::Zeroizing;

use crate::auth::token::base64url::Secret;
use crate::auth::token::jwks::{Jwk, KeyMaterial, PrivateJwk};
use crate::auth::token::pem::PemError;
use crate::auth::token::pem::algorithm::{ALGORITHMS, Algorithm, Form};
use crate::auth::token::pem::asn1::{EcPrivateKey, MlDsaPrivateKey, RsaPrivateKey, RsaPublicKey};

/// A public key as SPKI.
pub fn public(key: &Jwk) -> Result<String, PemError> {
    let algorithm = algorithm_of(key)?;
    let incomplete = |_| PemError::Incomplete(key.alg.clone());
    let bits = match &key.material {
        KeyMaterial::Rsa { n, e } => {
            UintRef::new(n).and_then(|n| RsaPublicKey([n, UintRef::new(e)?]).to_der()).map_err(incomplete)?
        }
        KeyMaterial::EllipticCurve { x, y, .. } => [&[4], &**x, &**y].concat(),
        KeyMaterial::OctetKeyPair { x, .. } => x.to_vec(),
        KeyMaterial::AlgorithmKeyPair { public } => public.to_vec(),
        KeyMaterial::Octets { .. } | KeyMaterial::Nothing => return Err(PemError::NoPem(key.alg.clone())),
    };
    let info = BitStringRef::from_bytes(&bits)
        .map(|bits| SubjectPublicKeyInfo { algorithm: identifier(algorithm), subject_public_key: bits });
    let pem = info.and_then(|info| Document::encode_msg(&info)?.to_pem("PUBLIC KEY", LineEnding::LF));
    pem.map_err(incomplete)
}

/// A private key as PKCS#8, with the public half inside where its standard has room for it.
pub fn private(key: &PrivateJwk) -> Result<Zeroizing<String>, PemError> {
    let algorithm = algorithm_of(&key.public)?;
    let incomplete = || PemError::Incomplete(key.public.alg.clone());
    let inner = inner(key, algorithm.form).ok_or_else(incomplete)?;
    let pem = OctetStringRef::new(&inner).and_then(|inner| {
        let info =
            PrivateKeyInfo::<Any, &OctetStringRef, BitStringRef<'_>>::new(identifier(algorithm), inner);
        SecretDocument::encode_msg(&info)?.to_pem("PRIVATE KEY", LineEnding::LF)
    });
    pem.map_err(|_| incomplete())
}

/// What stands in the octet string of PKCS#8.
fn inner(key: &PrivateJwk, form: Form) -> Option<Zeroizing<Vec<u8>>> {
    let d = || key.private.d.as_ref().map(Secret::expose);
    let akp = || key.private.akp.as_ref().map(Secret::expose);
    let bytes: der::Result<Zeroizing<Vec<u8>>> = match (form, &key.public.material) {
        (Form::Rsa, KeyMaterial::Rsa { n, e }) => rsa(key, n, e)?,
        (Form::EllipticCurve(.., coordinate), KeyMaterial::EllipticCurve { x, y, .. }) => {
            let point = [&[4], &**x, &**y].concat();
            let d = d().filter(|d| d.len() == coordinate)?;
            BitStringRef::from_bytes(&point).and_then(|public| {
                let d = OctetStringRef::new(d)?;
                EcPrivateKey { d, curve: None, public: Some(public) }.to_der().map(Zeroizing::new)
            })
        }
        (Form::Ed25519, KeyMaterial::OctetKeyPair { .. }) => {
            let seed = d().filter(|seed| seed.len() == 32)?;
            OctetStringRef::new(seed).and_then(|seed| seed.to_der()).map(Zeroizing::new)
        }
        (Form::MlDsa(_), _) => MlDsaPrivateKey::seed_alone(akp().filter(|seed| seed.len() == 32)?),
        (Form::SlhDsa(_), _) => Ok(Zeroizing::new(akp().filter(|key| key.len() == 64)?.to_vec())),
        _ => return None,
    };
    bytes.ok()
}

fn rsa(key: &PrivateJwk, n: &[u8], e: &[u8]) -> Option<der::Result<Zeroizing<Vec<u8>>>> {
    let private = &key.private;
    let secrets = [&private.d, &private.p, &private.q, &private.dp, &private.dq, &private.qi];
    let mut integers = [UintRef::new(n).ok()?; 8];
    integers[1] = UintRef::new(e).ok()?;
    for (integer, secret) in integers[2..].iter_mut().zip(secrets) {
        *integer = UintRef::new(secret.as_ref()?.expose()).ok()?;
    }
    Some(RsaPrivateKey(integers).to_der().map(Zeroizing::new))
}

fn algorithm_of(key: &Jwk) -> Result<&'static Algorithm, PemError> {
    let is = |known: &&Algorithm| match (&key.material, known.form) {
        (KeyMaterial::Rsa { .. }, Form::Rsa) => true,
        (KeyMaterial::EllipticCurve { crv, .. }, Form::EllipticCurve(_, known, _)) => crv == known,
        (KeyMaterial::OctetKeyPair { crv, .. }, Form::Ed25519) => crv == "Ed25519",
        (KeyMaterial::AlgorithmKeyPair { .. }, form) => form.alg() == Some(&*key.alg),
        _ => false,
    };
    ALGORITHMS.iter().find(is).ok_or_else(|| PemError::NoPem(key.alg.clone()))
}

fn identifier(algorithm: &Algorithm) -> AlgorithmIdentifier<Any> {
    AlgorithmIdentifier { oid: algorithm.oid, parameters: algorithm.parameters.written() }
}
