//! What is offered in TLS to a server that is not of the test bed.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustls::client::{ResolvesClientCert, Resumption};
use rustls::crypto::aws_lc_rs::{self, kx_group};
use rustls::crypto::{CryptoProvider, SupportedKxGroup};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SigningKey};
use rustls::{ClientConfig, InconsistentKeys, NamedGroup, SignatureScheme};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;
use zeroize::Zeroizing;

use crate::wire::{ConnectorError, Trust};

/// How TLS is spoken with a server that is not of the test bed: by version 1.3 or 1.2, whichever it has.
#[derive(Clone, Debug)]
pub struct ForeignTls {
    /// The groups that are offered for the key exchange, best first.
    pub groups: Vec<KeyExchangeGroup>,
    /// Whether a connection may take up an earlier session.
    pub resumption: bool,
    /// Whom to believe.
    pub trust: Trust,
    /// Who the client is, for servers that ask (mutual TLS).
    pub identity: Option<ClientIdentity>,
}

/// A group for the key exchange of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyExchangeGroup {
    /// The usual elliptic curve.
    X25519,
    /// NIST P-256, which older servers and those under FIPS 140 insist on.
    P256,
    /// NIST P-384.
    P384,
    /// X25519 together with ML-KEM-768; TLS 1.3 only.
    X25519MlKem768,
}

/// The certificate of a client and its key.
#[derive(Clone)]
pub struct ClientIdentity {
    /// Its own certificate, and those that lead to one that the server believes, as DER.
    pub chain: Vec<Vec<u8>>,
    /// The private key as DER: PKCS #8, PKCS #1 or SEC 1.
    pub key: Zeroizing<Vec<u8>>,
}

impl KeyExchangeGroup {
    /// Every group.
    pub const ALL: [Self; 4] = [Self::X25519, Self::P256, Self::P384, Self::X25519MlKem768];
    /// What is offered unless somebody wants one alone. Without the hybrid: who does not ask for it would measure it by
    /// surprise where a server prefers it.
    pub const USUAL: [Self; 3] = [Self::X25519, Self::P256, Self::P384];

    fn supported(self) -> &'static dyn SupportedKxGroup {
        match self {
            Self::X25519 => kx_group::X25519,
            Self::P256 => kx_group::SECP256R1,
            Self::P384 => kx_group::SECP384R1,
            Self::X25519MlKem768 => kx_group::X25519MLKEM768,
        }
    }

    /// The group with this number in TLS, if it is one of these.
    pub(super) fn of(name: NamedGroup) -> Option<Self> {
        Self::ALL.into_iter().find(|group| group.supported().name() == name)
    }
}

impl fmt::Display for KeyExchangeGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::X25519 => "X25519",
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::X25519MlKem768 => "X25519MLKEM768",
        })
    }
}

impl FromStr for KeyExchangeGroup {
    type Err = String;

    /// Reads a name of this program or of OpenSSL.
    fn from_str(text: &str) -> Result<Self, String> {
        let name = match text.to_ascii_lowercase().as_str() {
            "secp256r1" | "prime256v1" | "p256" => "P-256",
            "secp384r1" | "p384" => "P-384",
            _ => text,
        };
        let known = Self::ALL.into_iter().find(|group| group.to_string().eq_ignore_ascii_case(name));
        known.ok_or_else(|| "expected X25519, P-256, P-384 or X25519MLKEM768".to_owned())
    }
}

impl fmt::Debug for ClientIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientIdentity").field("chain", &self.chain.len()).finish_non_exhaustive()
    }
}

impl ForeignTls {
    /// The same for rustls, without protocols for ALPN; and what tells whether a server wanted to know who the client is.
    pub fn config(&self) -> Result<(ClientConfig, CertificateRequests), ConnectorError> {
        let groups = self.groups.iter().map(|group| group.supported()).collect();
        let provider = Arc::new(CryptoProvider { kx_groups: groups, ..aws_lc_rs::default_provider() });
        let verifier = self.trust.clone().verifier(&provider)?;
        let own = self.identity.as_ref().map(|identity| identity.certified(&provider)).transpose()?;
        let asked = CertificateRequests::default();
        let versions = [&rustls::version::TLS13, &rustls::version::TLS12];
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&versions)?
            // The verifiers are rustls's own but for `Trust::Nothing`, and for a certificate that was given.
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_client_cert_resolver(Arc::new(Credentials { own, asked: asked.clone() }));
        if !self.resumption {
            config.resumption = Resumption::disabled();
        }
        Ok((config, asked))
    }
}

impl ClientIdentity {
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

/// Whether a server wanted to know who the client is.
#[derive(Clone, Debug, Default)]
pub struct CertificateRequests(Arc<AtomicBool>);

impl CertificateRequests {
    /// Whether any server did so far.
    pub fn was_asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Gives the one certificate that there is, and remembers that somebody asked.
#[derive(Debug)]
struct Credentials {
    own: Option<Arc<CertifiedKey>>,
    asked: CertificateRequests,
}

impl ResolvesClientCert for Credentials {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.asked.0.store(true, Ordering::Relaxed);
        self.own.clone()
    }

    fn has_certs(&self) -> bool {
        self.own.is_some()
    }
}

#[cfg(test)]
mod tests {
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
