//! How TLS is spoken with servers under load and with whoever issues their tokens.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;

use crate::cli::load::certificates;
use crate::wire::{ForeignTls, HandshakeFault, KeyExchangeGroup, Trust};

#[derive(Debug, Args)]
pub(super) struct TlsArgs {
    /// Trust the certificates in this file (PEM, or one as DER) and those they signed, instead of the system's; for the target
    /// and the token endpoint
    #[arg(long, value_name = "FILE", conflicts_with = "insecure")]
    ca: Option<PathBuf>,
    /// Accept any certificate
    #[arg(long)]
    insecure: bool,
    /// Client certificate for mutual TLS (PEM, followed by the certificates of its issuers)
    #[arg(long, value_name = "FILE")]
    client_cert: Option<PathBuf>,
    /// Private key of the client certificate [default: in the same file]
    #[arg(long, value_name = "FILE", requires = "client_cert")]
    client_key: Option<PathBuf>,
    /// The only TLS key exchange to offer: X25519, P-256, P-384 or X25519MLKEM768 [default: the first three]
    #[arg(long, value_name = "GROUP")]
    key_exchange: Option<KeyExchangeGroup>,
    /// Do not resume TLS sessions
    #[arg(long)]
    no_resumption: bool,
}

impl TlsArgs {
    /// What they come to, with every file read.
    pub(super) fn read(&self) -> anyhow::Result<ForeignTls> {
        let trust = match &self.ca {
            _ if self.insecure => Trust::Nothing,
            None => Trust::System,
            Some(file) => Trust::Certificates(certificates::chain("--ca", file)?),
        };
        let identity = self.client_cert.as_ref().map(|certificate| {
            let key = self.client_key.as_ref();
            certificates::identity(certificate, key.map(PathBuf::as_path))
        });
        let offer = ForeignTls {
            groups: self.key_exchange.map_or_else(|| KeyExchangeGroup::USUAL.to_vec(), |group| vec![group]),
            resumption: !self.no_resumption,
            trust,
            identity: identity.transpose()?,
        };
        if offer.identity.is_some() {
            // Whether the two belong together is told before anybody is spoken to.
            offer.config().context("--client-cert, --client-key")?;
        }
        Ok(offer)
    }

    /// Whether the client has a certificate of its own.
    pub(super) fn has_client_certificate(&self) -> bool {
        self.client_cert.is_some()
    }
}

/// What to do about it.
pub(super) fn remedy(fault: &HandshakeFault) -> &'static str {
    match fault {
        HandshakeFault::NotTls => "write http:// instead of https://, or give the port that has TLS",
        HandshakeFault::Closed => {
            "look into the server's log; it may expect another port or host name, or to be reached through a proxy"
        }
        HandshakeFault::Version => "TLS 1.1 and older are not spoken here (RFC 8996): allow 1.2 or 1.3 there",
        HandshakeFault::NothingInCommon(_) => {
            "X25519, P-256 and P-384 are offered without --key-exchange, with AES-GCM and ChaCha20-Poly1305, in TLS 1.2 with \
             ECDHE; allow one of each there"
        }
        HandshakeFault::Protocol => "give the other one: --http 1.1 or --http 2",
        HandshakeFault::UnknownName => "write the URL with a name that the server serves",
        HandshakeFault::UnknownIssuer => {
            "trust its certificate, or that of its issuer: --ca FILE; or accept any: --insecure"
        }
        HandshakeFault::OtherName { .. } => "write the URL with a name of the certificate; or --insecure",
        HandshakeFault::Expired | HandshakeFault::NotValidYet => {
            "renew it, or set the clock of this machine; or --insecure"
        }
        HandshakeFault::OldCertificate => {
            "make one of version 3: openssl req -x509 -addext subjectAltName=DNS:localhost"
        }
        HandshakeFault::Certificate(_) => "replace it",
        HandshakeFault::ClientCertificateWanted => {
            "give one that the server trusts: --client-cert FILE --client-key FILE"
        }
        HandshakeFault::ClientCertificateRefused(_) => {
            "give --client-cert one that the server trusts, followed by the certificates of its issuers"
        }
        HandshakeFault::Other(_) => "look into the server's log",
    }
}
