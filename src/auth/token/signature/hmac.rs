//! HMAC with SHA-2 (RFC 7518 section 3.2): whoever verifies can also sign.

use std::fmt::Debug;
use std::marker::PhantomData;

use ::hmac::{Hmac as RustCryptoHmac, KeyInit, Mac};
use ::jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};
use aws_lc_rs::{hmac, rand};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::auth::token::jwks::{Jwk, KeyMaterial, PrivateJwk, PrivateMembers};
use crate::auth::token::signature::jsonwebtoken::BackEnd;
use crate::auth::token::signature::library::Library;
use crate::auth::token::signature::rust_crypto::SharedKey;
use crate::auth::token::signature::{
    Conformance, Facts, KeyError, SignatureScheme, Signer, SigningError, Status, Verifier, must_be_for,
};

/// HS256, HS384 or HS512.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, bound = "")]
#[schemars(bound = "", rename = "hmac")]
pub(super) struct Hmac<H: Hash> {
    /// Who does the work.
    #[serde(default)]
    library: Library,
    #[serde(skip)]
    hash: PhantomData<H>,
}

/// What the three differ in.
pub(super) trait Hash: Debug + Send + Sync + 'static {
    const ALG: &'static str;
    /// Of the hash and of a signature. RFC 7518 section 3.2: a key is at least as long.
    const BYTES: u32;
    const AWS_LC: hmac::Algorithm;
    const JSONWEBTOKEN: Algorithm;
    type RustCrypto: Mac + KeyInit + Clone + Send + Sync + 'static;
}

#[derive(Debug)]
pub(super) enum Sha256 {}
#[derive(Debug)]
pub(super) enum Sha384 {}
#[derive(Debug)]
pub(super) enum Sha512 {}

impl Hash for Sha256 {
    const ALG: &'static str = "HS256";
    const BYTES: u32 = 32;
    const AWS_LC: hmac::Algorithm = hmac::HMAC_SHA256;
    const JSONWEBTOKEN: Algorithm = Algorithm::HS256;
    type RustCrypto = RustCryptoHmac<sha2::Sha256>;
}

impl Hash for Sha384 {
    const ALG: &'static str = "HS384";
    const BYTES: u32 = 48;
    const AWS_LC: hmac::Algorithm = hmac::HMAC_SHA384;
    const JSONWEBTOKEN: Algorithm = Algorithm::HS384;
    type RustCrypto = RustCryptoHmac<sha2::Sha384>;
}

impl Hash for Sha512 {
    const ALG: &'static str = "HS512";
    const BYTES: u32 = 64;
    const AWS_LC: hmac::Algorithm = hmac::HMAC_SHA512;
    const JSONWEBTOKEN: Algorithm = Algorithm::HS512;
    type RustCrypto = RustCryptoHmac<sha2::Sha512>;
}

impl<H: Hash> SignatureScheme for Hmac<H> {
    fn alg(&self) -> &'static str {
        H::ALG
    }

    fn facts(&self) -> Facts {
        Facts {
            status: Status::Standard("RFC 7518"),
            library: self.library.name("hmac"),
            post_quantum: true,
            public_key_bytes: 0,
            signature_bytes: H::BYTES,
            conformance: Conformance::Conforming { vectors: "Wycheproof" },
        }
    }

    fn variants(&self) -> Vec<toml::Table> {
        Library::settings()
    }

    fn makes_keys(&self) -> bool {
        self.library.makes_keys()
    }

    fn generate(&self) -> Result<PrivateJwk, KeyError> {
        let mut secret = vec![0; H::BYTES as usize];
        rand::fill(&mut secret).map_err(|_| KeyError::Generation(H::ALG))?;
        let public = Jwk::new(H::ALG, KeyMaterial::Octets { k: secret.into() });
        Ok(PrivateJwk { public, private: PrivateMembers::default() })
    }

    fn signer(&self, key: &PrivateJwk) -> Result<Box<dyn Signer>, KeyError> {
        let secret = self.secret(&key.public)?;
        let by = |backend: BackEnd| backend.signer(H::JSONWEBTOKEN, EncodingKey::from_secret(secret), H::ALG);
        match self.library {
            Library::AwsLcRs => Ok(Box::new(hmac::Key::new(H::AWS_LC, secret))),
            Library::RustCrypto => Ok(Box::new(SharedKey::<H::RustCrypto>::new(secret))),
            Library::JsonwebtokenAwsLcRs => by(BackEnd::AwsLcRs),
            Library::JsonwebtokenRustCrypto => by(BackEnd::RustCrypto),
        }
    }

    fn verifier(&self, key: &Jwk) -> Result<Box<dyn Verifier>, KeyError> {
        let secret = self.secret(key)?;
        let by =
            |backend: BackEnd| backend.verifier(H::JSONWEBTOKEN, DecodingKey::from_secret(secret), H::ALG);
        match self.library {
            Library::AwsLcRs => Ok(Box::new(hmac::Key::new(H::AWS_LC, secret))),
            Library::RustCrypto => Ok(Box::new(SharedKey::<H::RustCrypto>::new(secret))),
            Library::JsonwebtokenAwsLcRs => by(BackEnd::AwsLcRs),
            Library::JsonwebtokenRustCrypto => by(BackEnd::RustCrypto),
        }
    }
}

impl<H: Hash> Hmac<H> {
    fn secret<'a>(&self, key: &'a Jwk) -> Result<&'a [u8], KeyError> {
        must_be_for(self, key)?;
        let KeyMaterial::Octets { k } = &key.material else {
            return Err(KeyError::other_type(H::ALG, key, "oct"));
        };
        let (found, least) = (k.expose().len(), H::BYTES as usize);
        if found < least {
            let why =
                format!("its secret has {found} bytes, expected at least {least} (RFC 7518 section 3.2)");
            return Err(KeyError::unfit(H::ALG, why));
        }
        Ok(k.expose())
    }
}

impl Signer for hmac::Key {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningError> {
        Ok(hmac::sign(self, message).as_ref().to_vec())
    }
}

impl Verifier for hmac::Key {
    fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        hmac::verify(self, message, signature).is_ok()
    }
}
