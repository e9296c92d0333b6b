//! Keys to PEM.

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeyPairComponents, PublicKeyComponents};
use aws_lc_rs::signature::{EcdsaKeyPair, Ed25519KeyPair, PqdsaKeyPair};
use pkcs1::der::Encode as _;
use pkcs8::der::asn1::{Any, BitStringRef, OctetStringRef};
use pkcs8::spki::SubjectPublicKeyInfo;
use pkcs8::{Document, LineEnding, PrivateKeyInfo, SecretDocument};
use zeroize::Zeroizing;

use crate::auth::token::base64url::Secret;
use crate::auth::token::jwks::{Jwk, KeyMaterial, PrivateJwk, PrivateMembers};
use crate::auth::token::pem::PemError;
use crate::auth::token::pem::algorithm::{Algorithm, Form};

/// SEC 1 section 2.3.3: an uncompressed point begins with this byte.
const UNCOMPRESSED: u8 = 4;

/// A public key as SPKI.
pub fn public(key: &Jwk) -> Result<String, PemError> {
    let algorithm = Algorithm::of(key)?;
    spki(key, algorithm).ok_or_else(|| incomplete(key))
}

/// A private key as PKCS#8, with the public half inside where its standard has room for it.
pub fn private(key: &PrivateJwk) -> Result<Zeroizing<String>, PemError> {
    let algorithm = Algorithm::of(&key.public)?;
    let pem = pkcs8(key, algorithm).and_then(|der| der.to_pem("PRIVATE KEY", LineEnding::LF).ok());
    pem.ok_or_else(|| incomplete(&key.public))
}

fn spki(key: &Jwk, algorithm: &Algorithm) -> Option<String> {
    let bits = match &key.material {
        KeyMaterial::Rsa { n, e } => {
            let (modulus, public_exponent) = (pkcs1::UintRef::new(n).ok()?, pkcs1::UintRef::new(e).ok()?);
            pkcs1::RsaPublicKey { modulus, public_exponent }.to_der().ok()?
        }
        KeyMaterial::EllipticCurve { x, y, .. } => [&[UNCOMPRESSED], &**x, &**y].concat(),
        KeyMaterial::OctetKeyPair { x, .. } => x.to_vec(),
        KeyMaterial::AlgorithmKeyPair { public } => public.to_vec(),
        KeyMaterial::Octets { .. } | KeyMaterial::Nothing => return None,
    };
    let subject_public_key = BitStringRef::from_bytes(&bits).ok()?;
    let info = SubjectPublicKeyInfo { algorithm: algorithm.identifier(), subject_public_key };
    Document::encode_msg(&info).ok()?.to_pem("PUBLIC KEY", LineEnding::LF).ok()
}

fn pkcs8(key: &PrivateJwk, algorithm: &Algorithm) -> Option<SecretDocument> {
    let PrivateMembers { d, p, q, dp, dq, qi, akp } = &key.private;
    let der = match (algorithm.form, &key.public.material) {
        (Form::Rsa, KeyMaterial::Rsa { n, e }) => {
            let public_key = PublicKeyComponents { n: &**n, e: &**e };
            let (d, p, q, qi) =
                (secret(d.as_ref())?, secret(p.as_ref())?, secret(q.as_ref())?, secret(qi.as_ref())?);
            let components = KeyPairComponents {
                public_key,
                d,
                p,
                q,
                dP: secret(dp.as_ref())?,
                dQ: secret(dq.as_ref())?,
                qInv: qi,
            };
            let der: Pkcs8V1Der<'_> = KeyPair::from_components(&components).ok()?.as_der().ok()?;
            SecretDocument::try_from(der.as_ref())
        }
        (Form::EllipticCurve(_, signing), KeyMaterial::EllipticCurve { x, y, .. }) => {
            let point = [&[UNCOMPRESSED], &**x, &**y].concat();
            let pair =
                EcdsaKeyPair::from_private_key_and_public_key(signing, secret(d.as_ref())?, &point).ok()?;
            SecretDocument::try_from(pair.to_pkcs8v1().ok()?.as_ref())
        }
        (Form::Ed25519, KeyMaterial::OctetKeyPair { x, .. }) => {
            let pair = Ed25519KeyPair::from_seed_and_public_key(secret(d.as_ref())?, x).ok()?;
            let der: Pkcs8V1Der<'_> = pair.as_der().ok()?;
            SecretDocument::try_from(der.as_ref())
        }
        (Form::MlDsa(signing), _) => {
            // The form that holds the seed alone, which RFC 9881 section 6 recommends.
            let pair = PqdsaKeyPair::from_seed(signing, secret(akp.as_ref())?).ok()?;
            SecretDocument::try_from(pair.to_pkcs8v1().ok()?.as_ref())
        }
        (Form::SlhDsa, _) => {
            let inner = OctetStringRef::new(secret(akp.as_ref())?).ok()?;
            let info =
                PrivateKeyInfo::<Any, &OctetStringRef, BitStringRef<'_>>::new(algorithm.identifier(), inner);
            SecretDocument::encode_msg(&info)
        }
        _ => return None,
    };
    der.ok()
}

fn secret(member: Option<&Secret>) -> Option<&[u8]> {
    member.map(Secret::expose)
}

fn incomplete(key: &Jwk) -> PemError {
    PemError(format!("the key for {} lacks members that PEM needs", key.alg))
}
