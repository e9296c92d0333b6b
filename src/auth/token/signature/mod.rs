//! Signature schemes: one file per family. Keys are told apart by public key, since issuer and verifier are two processes.

mod akp;
mod composite;
mod dilithium;
mod ecdsa;
mod eddsa;
mod facts;
mod fn_dsa;
mod hmac;
mod jsonwebtoken;
mod library;
mod ml_dsa;
mod none;
mod pqclean;
mod randomness;
mod rsa;
mod rust_crypto;
mod slh_dsa;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors;

use std::fmt::Debug;

use crate::auth::token::jwks::{Jwk, PrivateJwk};
use crate::registry::{Choice, Part, Registry, Role, entry};

pub use self::jsonwebtoken::{AnotherBackEnd, BackEnd};
pub use facts::{Conformance, Facts, Status};

/// A way to sign tokens, known by its JOSE `alg`, done by one library.
pub trait SignatureScheme: Debug + Send + Sync {
    /// The JOSE name (RFC 7518, RFC 9864, RFC 9964, or a draft).
    fn alg(&self) -> &'static str;

    /// Whether a token that calls its algorithm `alg` may be meant: by its name, or by an older one for the same.
    fn answers_to(&self, alg: &str) -> bool {
        alg == self.alg()
    }

    /// What is known of it before anything is measured.
    fn facts(&self) -> Facts;

    /// The settings of each form of it that is worth comparing: key sizes, libraries. The default comes first.
    fn variants(&self) -> Vec<toml::Table> {
        vec![toml::Table::new()]
    }

    /// Whether its library makes its keys: some have another one do it, whose time is not theirs.
    fn makes_keys(&self) -> bool {
        true
    }

    /// A fresh key.
    fn generate(&self) -> Result<PrivateJwk, KeyError>;

    /// Prepares a key for signing.
    fn signer(&self, key: &PrivateJwk) -> Result<Box<dyn Signer>, KeyError>;

    /// Prepares a key for verification.
    fn verifier(&self, key: &Jwk) -> Result<Box<dyn Verifier>, KeyError>;
}

/// A private key, ready to sign.
pub trait Signer: Send + Sync {
    /// The signature of `message` in the form that JWS asks for.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningError>;
}

/// A key, ready to verify.
pub trait Verifier: Send + Sync {
    /// Whether `signature` is one of `message` by this key.
    fn verifies(&self, message: &[u8], signature: &[u8]) -> bool;
}

/// A key that cannot be made or used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The library made none.
    #[error("no {0} key could be generated")]
    Generation(&'static str),
    /// Of another type, curve or size, or of parts that do not belong together. Tells no secret.
    #[error("not a key for {alg}: {why}")]
    NotForScheme {
        /// The scheme.
        alg: &'static str,
        /// What was found, and what is expected.
        why: String,
    },
    /// A public key, or half of a private one, where a whole private one is needed.
    #[error("the key for {alg} lacks its private {members}")]
    NotPrivate {
        /// The scheme.
        alg: &'static str,
        /// What is missing.
        members: String,
    },
}

impl KeyError {
    fn unfit(alg: &'static str, why: impl Into<String>) -> Self {
        Self::NotForScheme { alg, why: why.into() }
    }

    fn unfit_halves(alg: &'static str) -> Self {
        Self::unfit(alg, "its private half does not belong to its public one")
    }

    fn lacks(alg: &'static str, member: &str) -> Self {
        Self::NotPrivate { alg, members: format!("member {member:?}") }
    }

    fn other_type(alg: &'static str, key: &Jwk, expected: &str) -> Self {
        Self::unfit(alg, format!("its type is {:?}, expected {expected:?}", key.material.kty()))
    }
}

/// The library did not sign.
#[derive(Debug, thiserror::Error)]
#[error("signing with {0} failed")]
pub struct SigningError(&'static str);

/// Every signature scheme.
pub static SIGNATURE_SCHEMES: Registry<dyn SignatureScheme> = Registry {
    role: "signature scheme",
    entries: &[
        entry!(
            "HS256",
            hmac::Hmac<hmac::Sha256>,
            "HMAC with SHA-256 (RFC 7518); whoever verifies can also sign"
        ),
        entry!(
            "HS384",
            hmac::Hmac<hmac::Sha384>,
            "HMAC with SHA-384 (RFC 7518); whoever verifies can also sign"
        ),
        entry!(
            "HS512",
            hmac::Hmac<hmac::Sha512>,
            "HMAC with SHA-512 (RFC 7518); whoever verifies can also sign"
        ),
        entry!("RS256", rsa::Rsa<rsa::Pkcs1>, "RSA with PKCS #1 v1.5 padding and SHA-256 (RFC 7518)"),
        entry!("PS256", rsa::Rsa<rsa::Pss>, "RSA with PSS padding and SHA-256 (RFC 7518)"),
        entry!("ES256", ecdsa::Ecdsa<ecdsa::P256>, "ECDSA on P-256 with SHA-256 (RFC 7518)"),
        entry!("ES384", ecdsa::Ecdsa<ecdsa::P384>, "ECDSA on P-384 with SHA-384 (RFC 7518)"),
        entry!("Ed25519", eddsa::Ed25519, "Ed25519 (RFC 8037, RFC 9864); also known as EdDSA"),
        entry!("ML-DSA-44", ml_dsa::MlDsa<ml_dsa::MlDsa44>, "post-quantum: ML-DSA-44 of FIPS 204 (RFC 9964)"),
        entry!("ML-DSA-65", ml_dsa::MlDsa<ml_dsa::MlDsa65>, "post-quantum: ML-DSA-65 of FIPS 204 (RFC 9964)"),
        entry!("ML-DSA-87", ml_dsa::MlDsa<ml_dsa::MlDsa87>, "post-quantum: ML-DSA-87 of FIPS 204 (RFC 9964)"),
        entry!(
            "SLH-DSA-SHA2-128s",
            slh_dsa::SlhDsa<slh_dsa::Sha2Small>,
            "post-quantum: SLH-DSA of FIPS 205, slow signing, smaller signatures (draft)"
        ),
        entry!(
            "SLH-DSA-SHA2-128f",
            slh_dsa::SlhDsa<slh_dsa::Sha2Fast>,
            "post-quantum: SLH-DSA of FIPS 205, faster signing, huge signatures (draft)"
        ),
        entry!("FN-DSA-512", fn_dsa::FnDsa<fn_dsa::Degree512>, "post-quantum: Falcon of degree 512 (draft)"),
        entry!(
            "FN-DSA-1024",
            fn_dsa::FnDsa<fn_dsa::Degree1024>,
            "post-quantum: Falcon of degree 1024 (draft)"
        ),
        entry!(
            "ML-DSA-44-ES256",
            composite::Composite<composite::MlDsa44Es256>,
            "post-quantum and classical at once: ML-DSA-44 and ECDSA on P-256 (draft)"
        ),
        entry!(
            "ML-DSA-65-ES256",
            composite::Composite<composite::MlDsa65Es256>,
            "post-quantum and classical at once: ML-DSA-65 and ECDSA on P-256 (draft)"
        ),
        entry!(
            "ML-DSA-87-ES384",
            composite::Composite<composite::MlDsa87Es384>,
            "post-quantum and classical at once: ML-DSA-87 and ECDSA on P-384 (draft)"
        ),
        entry!(
            "X-PQClean-Dilithium2",
            dilithium::Dilithium<dilithium::Level2>,
            "superseded: Dilithium2 before it became ML-DSA-44, not interoperable with it"
        ),
        entry!(
            "X-PQClean-Dilithium3",
            dilithium::Dilithium<dilithium::Level3>,
            "superseded: Dilithium3 before it became ML-DSA-65, not interoperable with it"
        ),
        entry!(
            "X-PQClean-Dilithium5",
            dilithium::Dilithium<dilithium::Level5>,
            "superseded: Dilithium5 before it became ML-DSA-87, not interoperable with it"
        ),
        entry!("none", none::Unsecured, "no signature (RFC 7515): a control of the bench, never for use"),
    ],
};

impl Role for dyn SignatureScheme {
    fn registry() -> &'static Registry<Self> {
        &SIGNATURE_SCHEMES
    }

    /// RFC 7518 section 3.1, RFC 8812, RFC 9864 and the drafts of the schemes above.
    const ELSEWHERE: &'static [&'static str] = &[
        "RS384",
        "RS512",
        "PS384",
        "PS512",
        "ES512",
        "ES256K",
        "Ed448",
        "SLH-DSA-SHAKE-128s",
        "ML-DSA-44-Ed25519",
        "ML-DSA-65-Ed25519",
        "ML-DSA-87-Ed448",
    ];
}

/// Every form of every scheme.
pub fn every_variant() -> impl Iterator<Item = Part<dyn SignatureScheme>> {
    SIGNATURE_SCHEMES.entries.iter().flat_map(|entry| {
        let scheme = resolve(entry.name, toml::Table::new());
        scheme.variants().into_iter().map(|settings| resolve(entry.name, settings))
    })
}

fn resolve(name: &str, settings: toml::Table) -> Part<dyn SignatureScheme> {
    let choice = Choice { kind: name.to_owned(), settings };
    SIGNATURE_SCHEMES.resolve(choice).expect("a row of the registry, with settings it names itself")
}

/// The scheme that a key is for, by its default library.
pub fn scheme_of(key: &Jwk) -> Option<Part<dyn SignatureScheme>> {
    let schemes = SIGNATURE_SCHEMES.entries.iter().map(|entry| resolve(entry.name, toml::Table::new()));
    schemes.into_iter().find(|scheme| scheme.answers_to(&key.alg))
}

/// A key that says itself that it is for `scheme`. Checked first: what the key is made of comes next.
fn must_be_for(scheme: &dyn SignatureScheme, key: &Jwk) -> Result<(), KeyError> {
    if scheme.answers_to(&key.alg) {
        return Ok(());
    }
    Err(KeyError::unfit(scheme.alg(), format!("its \"alg\" is {:?}", key.alg)))
}

/// A member that has as many bytes as its standard says.
fn must_have(alg: &'static str, member: &str, bytes: &[u8], expected: usize) -> Result<(), KeyError> {
    if bytes.len() == expected {
        return Ok(());
    }
    Err(KeyError::unfit(alg, format!("its member {member:?} has {} bytes, expected {expected}", bytes.len())))
}
