//! What both ends of a TLS connection agree on, or why they do not.

use std::error::Error;
use std::fmt;
use std::io;

use rustls::crypto::SupportedKxGroup;
use rustls::{AlertDescription, CertificateError, InvalidMessage, PeerIncompatible, ProtocolVersion};

use crate::wire::foreign::KeyExchangeGroup;

/// What both ends agreed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Negotiated {
    /// The version of TLS, like "TLS 1.3".
    pub version: &'static str,
    /// The group of the key exchange.
    pub group: String,
    /// The cipher suite, by its name in TLS.
    pub cipher_suite: String,
}

/// Why both ends did not agree.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HandshakeFault {
    /// No TLS came back.
    #[error("it does not speak TLS on this port")]
    NotTls,
    /// It ended the connection, and gave no reason.
    #[error("it closed the connection during the TLS handshake and gave no reason")]
    Closed,
    /// Only versions older than 1.2.
    #[error("it speaks neither TLS 1.3 nor TLS 1.2")]
    Version,
    /// No cipher suite, group or signature in common.
    #[error(
        "it accepts none of the key-exchange groups, cipher suites and signatures that are offered ({0})"
    )]
    NothingInCommon(String),
    /// Another version of HTTP.
    #[error("it refuses the version of HTTP that is offered in the handshake (ALPN)")]
    Protocol,
    /// The name of the host is none of its own.
    #[error("it serves no host of this name (SNI)")]
    UnknownName,
    /// Signed by an issuer that is not trusted.
    #[error("its certificate is not trusted: neither it nor its issuer is known here")]
    UnknownIssuer,
    /// The certificate of somebody else.
    #[error("its certificate is not for {expected:?} but for {presented}")]
    OtherName {
        /// Who it should be.
        expected: String,
        /// Who it says it is.
        presented: String,
    },
    /// Out of date.
    #[error("its certificate has expired")]
    Expired,
    /// The future.
    #[error("its certificate is not valid yet")]
    NotValidYet,
    /// Without extensions.
    #[error("its certificate is of X.509 version 1, which cannot name a host; version 3 is expected")]
    OldCertificate,
    /// Something else about it.
    #[error("its certificate is not accepted: {0}")]
    Certificate(String),
    /// Mutual TLS.
    #[error("it wants a certificate of the client (mutual TLS)")]
    ClientCertificateWanted,
    /// Mutual TLS with somebody else.
    #[error("it refuses the certificate of the client (TLS alert {0})")]
    ClientCertificateRefused(String),
    /// Anything else.
    #[error("the TLS handshake failed: {0}")]
    Other(String),
}

impl HandshakeFault {
    /// Finds it in an error or one of its causes. `asked` tells whether the server wanted to know who the client is, and
    /// `has_identity` whether that could be told.
    pub fn find(error: &(dyn Error + 'static), asked: bool, has_identity: bool) -> Option<Self> {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(fault) = error.downcast_ref::<rustls::Error>() {
                return Some(Self::of(fault, asked, has_identity));
            }
            // What an `io::Error` wraps is not its source: that is the source of what it wraps.
            let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
            next = match wrapped {
                Some(wrapped) => Some(wrapped),
                None => error.source(),
            };
        }
        None
    }

    fn of(error: &rustls::Error, asked: bool, has_identity: bool) -> Self {
        match error {
            rustls::Error::AlertReceived(alert) => Self::of_alert(*alert, asked, has_identity),
            rustls::Error::InvalidCertificate(error) => Self::of_certificate(error),
            rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => Self::NotTls,
            rustls::Error::PeerIncompatible(
                PeerIncompatible::ServerDoesNotSupportTls12Or13
                | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
            ) => Self::Version,
            rustls::Error::PeerIncompatible(_) => Self::NothingInCommon(error.to_string()),
            rustls::Error::NoApplicationProtocol => Self::Protocol,
            error => Self::Other(error.to_string()),
        }
    }

    fn of_alert(alert: AlertDescription, asked: bool, has_identity: bool) -> Self {
        let name = || format!("{alert:?}");
        match alert {
            AlertDescription::CertificateRequired => Self::ClientCertificateWanted,
            AlertDescription::ProtocolVersion => Self::Version,
            AlertDescription::NoApplicationProtocol => Self::Protocol,
            AlertDescription::UnrecognisedName => Self::UnknownName,
            // Before TLS 1.3 there was no alert of its own for a certificate that is missing.
            AlertDescription::HandshakeFailure
            | AlertDescription::BadCertificate
            | AlertDescription::CertificateUnknown
            | AlertDescription::NoCertificate
                if asked && !has_identity =>
            {
                Self::ClientCertificateWanted
            }
            AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied
            | AlertDescription::DecryptError
            | AlertDescription::HandshakeFailure
                if asked && has_identity =>
            {
                Self::ClientCertificateRefused(name())
            }
            AlertDescription::HandshakeFailure | AlertDescription::InsufficientSecurity => {
                Self::NothingInCommon(format!("TLS alert {}", name()))
            }
            _ => Self::Other(format!("it answered with the TLS alert {}", name())),
        }
    }

    fn of_certificate(error: &CertificateError) -> Self {
        match error {
            CertificateError::UnknownIssuer => Self::UnknownIssuer,
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => Self::NotValidYet,
            CertificateError::NotValidForNameContext { expected, presented } => Self::OtherName {
                expected: expected.to_str().into_owned(),
                presented: if presented.is_empty() {
                    "no name at all".to_owned()
                } else {
                    presented.join(", ")
                },
            },
            // webpki says the same of keys that it does not take.
            CertificateError::BadSignature => Self::Certificate(
                "its signature is wrong, or its key too small (RSA of less than 2,048 bits)".to_owned(),
            ),
            // webpki says so where rustls has no word for it.
            CertificateError::Other(error) if format!("{error:?}").contains("UnsupportedCertVersion") => {
                Self::OldCertificate
            }
            CertificateError::Other(error) if format!("{error:?}").contains("CaUsedAsEndEntity") => {
                Self::UnknownIssuer
            }
            error => Self::Certificate(error.to_string()),
        }
    }
}

impl Negotiated {
    pub(super) fn of(connection: &rustls::ClientConnection) -> Self {
        let version = match connection.protocol_version() {
            Some(ProtocolVersion::TLSv1_3) => "TLS 1.3",
            Some(ProtocolVersion::TLSv1_2) => "TLS 1.2",
            _ => "TLS",
        };
        let group = connection.negotiated_key_exchange_group().map(SupportedKxGroup::name);
        let group = group.map_or_else(
            || "resumed".to_owned(),
            |name| KeyExchangeGroup::of(name).map_or_else(|| format!("{name:?}"), |group| group.to_string()),
        );
        let suite = connection.negotiated_cipher_suite();
        let cipher_suite = suite.map_or_else(String::new, |suite| format!("{:?}", suite.suite()));
        Self { version, group, cipher_suite }
    }
}

impl fmt::Display for Negotiated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.version, self.group)
    }
}
