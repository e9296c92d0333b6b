//! Who a client is in TLS: its certificate, made or given, and how it is presented.

use std::fmt;
use std::sync::Arc;

use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair, PKCS_ECDSA_P256_SHA256,
    PKCS_ECDSA_P384_SHA384, PKCS_ED25519, PKCS_RSA_SHA256, RsaKeySize,
};
use rustls::client::ResolvesClientCert;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SigningKey};
use rustls::{InconsistentKeys, SignatureScheme};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;
use zeroize::Zeroizing;

use crate::wire::foreign::CertificateRequests;
use crate::wire::{CertificateError, ConnectorError};

/// The certificate of a client and its key.
#[derive(Clone)]
pub struct ClientIdentity {
    /// Its own certificate, and those that lead to one that the server believes, as DER.
    pub chain: Vec<Vec<u8>>,
    /// The private key as DER: PKCS #8, PKCS #1 or SEC 1.
    pub key: Zeroizing<Vec<u8>>,
}

/// The key of a certificate, by the JOSE name of what it signs by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum CertificateKey {
    /// ECDSA with the curve P-256.
    #[default]
    ES256,
    /// ECDSA with the curve P-384.
    ES384,
    /// Ed25519.
    Ed25519,
    /// RSA of 2,048 bits, which signs handshakes by RSA-PSS as TLS 1.3 has it.
    RS256,
}

/// A fresh certificate that signs itself, for a client of this name (RFC 8705 section 2.2).
pub fn client_identity(name: &str, key: CertificateKey) -> Result<ClientIdentity, CertificateError> {
    let key = match key {
        CertificateKey::ES256 => KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?,
        CertificateKey::ES384 => KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384)?,
        CertificateKey::Ed25519 => KeyPair::generate_for(&PKCS_ED25519)?,
        CertificateKey::RS256 => KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)?,
    };
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = DistinguishedName::new();
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let certificate = parameters.self_signed(&key)?;
    Ok(ClientIdentity { chain: vec![certificate.der().to_vec()], key: Zeroizing::new(key.serialize_der()) })
}

impl ClientIdentity {
    /// The certificate of the client itself, as DER.
    ///
    /// # Panics
    /// If there is none.
    pub fn certificate(&self) -> &[u8] {
        self.chain.first().expect("an identity has a certificate")
    }

    fn certified(&self, provider: &CryptoProvider) -> Result<Arc<CertifiedKey>, ConnectorError> {
        let key = PrivateKeyDer::try_from(self.key.to_vec()).map_err(|_| {
            ConnectorError::ClientKey(rustls::Error::General("no key in a known form".to_owned()))
        })?;
        let key = provider.key_provider.load_private_key(key).map_err(ConnectorError::ClientKey)?;
        if !self.is_of(&*key) {
            return Err(ConnectorError::ClientKey(InconsistentKeys::KeyMismatch.into()));
        }
        let chain = self.chain.iter().cloned().map(CertificateDer::from).collect();
        Ok(Arc::new(CertifiedKey::new(chain, key)))
    }

    /// Whether the certificate is of this key. rustls would look at it as at that of a server, and refuse one of version 1, which is
    /// what `openssl x509 -req` makes; whether it is good enough, the server says.
    fn is_of(&self, key: &dyn SigningKey) -> bool {
        let own = self.chain.first().and_then(|own| X509Certificate::from_der(own).ok());
        let public = key.public_key();
        own.zip(public)
            .is_some_and(|((_, own), public)| own.tbs_certificate.subject_pki.raw == public.as_ref())
    }
}

impl fmt::Debug for ClientIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientIdentity").field("chain", &self.chain.len()).finish_non_exhaustive()
    }
}

/// Gives the one certificate that there is, and remembers that somebody asked.
#[derive(Debug)]
pub(super) struct Presented {
    own: Option<Arc<CertifiedKey>>,
    asked: CertificateRequests,
}

impl Presented {
    /// Those of a client with this identity, if it has one.
    pub(super) fn of(
        identity: Option<&ClientIdentity>,
        asked: CertificateRequests,
        provider: &CryptoProvider,
    ) -> Result<Self, ConnectorError> {
        let own = identity.map(|identity| identity.certified(provider)).transpose()?;
        Ok(Self { own, asked })
    }
}

impl ResolvesClientCert for Presented {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.asked.note();
        self.own.clone()
    }

    fn has_certs(&self) -> bool {
        self.own.is_some()
    }
}

#[cfg(test)]
mod tests {
    use rustls::crypto::aws_lc_rs;

    use super::*;
    use crate::wire;

    /// `openssl x509 -req` of OpenSSL 3.0: of X.509 version 1, until it is told to add extensions.
    const CERTIFICATE: &str = "\
        MIIBHjCBxAIUcKu945CKUabGBRMDm/qQyiPnYAcwCgYIKoZIzj0EAwIwEjEQMA4GA1UEAwwHVGVzdCBDQTAeFw0yNjEyMDExNjI3MzlaFw0zNjExMjgxNjI3\
        MzlaMBExDzANBgNVBAMMBmNsaWVudDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABJvHRCvwVZvxUB1SO2TFIY1nyCf/8ZbncH9qMdSllwIcW+Z3q9guZVqB\
        K0OkfKvC3bVD0YZ2SDeNRgWbDgyJZi4wCgYIKoZIzj0EAwIDSQAwRgIhANM+9s9ilZ/jWUcXFOcCg5XkgVJcLawZHiswTE+7LlHKAiEA67yFOI8GP5+SNXfi\
        CPP6A36GWiaPUwHVLpaokiK0tUQ=";
    const KEY: &str = "\
        MHcCAQEEICvk3Gtb2wPwooTLUmE9/7wX0QoSIF7stP9BEgiewL07oAoGCCqGSM49AwEHoUQDQgAEm8dEK/BVm/FQHVI7ZMUhjWfIJ//xludwf2ox1KWXAhxb\
        5ner2C5lWoErQ6R8q8LdtUPRhnZIN41GBZsODIlmLg==";

    fn bytes(base64: &str) -> Vec<u8> {
        base64_simd::STANDARD.decode_to_vec(base64).unwrap()
    }

    #[test]
    fn a_certificate_of_the_client_may_be_of_any_version_but_must_be_of_its_key() {
        let other = wire::certificate().unwrap();
        let certified = |chain: &[Vec<u8>], key: &[u8]| {
            let identity = ClientIdentity { chain: chain.to_vec(), key: key.to_vec().into() };
            identity.certified(&aws_lc_rs::default_provider()).map_err(|error| error.to_string())
        };
        assert!(certified(&[bytes(CERTIFICATE)], &bytes(KEY)).is_ok());
        assert!(certified(&[other.certificate.clone(), bytes(CERTIFICATE)], &other.key).is_ok());
        for (certificate, key) in
            [(bytes(CERTIFICATE), other.key.to_vec()), (other.certificate.clone(), bytes(KEY))]
        {
            let refused = certified(&[certificate], &key).unwrap_err();
            assert!(refused.contains("cannot be used together"), "{refused}");
        }
    }
}
