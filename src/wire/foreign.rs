//! What is offered in TLS to a server that is not of the test bed.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustls::client::Resumption;
use rustls::crypto::aws_lc_rs::{self, kx_group};
use rustls::crypto::{CryptoProvider, SupportedKxGroup};
use rustls::{ClientConfig, NamedGroup};

use crate::wire::client_certificate::Presented;
use crate::wire::{ClientIdentity, ConnectorError, Trust};

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

impl ForeignTls {
    /// The same for rustls, without protocols for ALPN; and what tells whether a server wanted to know who the client is.
    pub fn config(&self) -> Result<(ClientConfig, CertificateRequests), ConnectorError> {
        let groups = self.groups.iter().map(|group| group.supported()).collect();
        let provider = Arc::new(CryptoProvider { kx_groups: groups, ..aws_lc_rs::default_provider() });
        let verifier = self.trust.clone().verifier(&provider)?;
        let asked = CertificateRequests::default();
        let presented = Presented::of(self.identity.as_ref(), asked.clone(), &provider)?;
        let versions = [&rustls::version::TLS13, &rustls::version::TLS12];
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&versions)?
            // The verifiers are rustls's own but for `Trust::Nothing`, and for a certificate that was given.
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_client_cert_resolver(Arc::new(presented));
        if !self.resumption {
            config.resumption = Resumption::disabled();
        }
        Ok((config, asked))
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

    /// A server does.
    pub(super) fn note(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
