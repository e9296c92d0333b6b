//! How bytes travel between the load generator and the resource servers: HTTP version, TLS, socket.

mod certificate;
mod client_certificate;
mod connector;
mod endpoint;
mod foreign;
mod handshake;
mod handshake_size;
mod server;
mod stream;
#[cfg(test)]
mod tests;
mod tls;
mod trust;

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use certificate::{CertificateError, Identity, certificate};
pub use client_certificate::{CertificateKey, ClientIdentity, client_identity};
pub use connector::{Connector, ConnectorError, NegotiationError, client_config};
pub use endpoint::{Endpoint, ensure_listening};
pub use foreign::{CertificateRequests, ForeignTls, KeyExchangeGroup};
pub use handshake::{HandshakeFault, Negotiated};
pub use handshake_size::HandshakeSize;
pub use server::{AcceptorError, ClientCertificates, acceptor};
pub use stream::Stream;
pub use trust::Trust;

/// How a request travels. The default is what most measurements use: HTTP/1.1 over TCP, nothing encrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a table")]
pub struct Wire {
    /// The version of HTTP.
    pub http: Http,
    /// TLS 1.3; without it bytes travel as they are.
    pub tls: Option<Tls>,
    /// What connects the processes.
    pub socket: Socket,
}

/// A version of HTTP. Without TLS the client knows beforehand that the server speaks it (RFC 9113 section 3.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Http {
    /// HTTP/1.1: a request at a time on each connection.
    #[default]
    #[serde(rename = "1.1")]
    Http1,
    /// HTTP/2: many at a time.
    #[serde(rename = "2")]
    Http2,
}

/// TLS 1.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub struct Tls {
    /// The only group that is offered, and accepted.
    pub key_exchange: KeyExchange,
    /// Whether a connection may take up an earlier session by its ticket: no certificate, but a key exchange all the same.
    #[serde(default = "yes")]
    pub resumption: bool,
}

/// How both ends agree on a key, by its name among the groups of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum KeyExchange {
    /// The usual elliptic curve.
    X25519,
    /// The same together with ML-KEM-768: what was recorded today stays secret from quantum computers.
    #[serde(rename = "X25519MLKEM768")]
    X25519MlKem768,
}

/// What connects two processes of a machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Socket {
    /// TCP over loopback.
    #[default]
    Tcp,
    /// A Unix socket.
    Unix,
}

fn yes() -> bool {
    true
}

impl fmt::Display for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.http)?;
        if let Some(tls) = &self.tls {
            write!(f, " over {tls}")?;
        }
        write!(f, ", {}", self.socket)
    }
}

impl fmt::Display for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Http1 => "HTTP/1.1",
            Self::Http2 => "HTTP/2",
        })
    }
}

impl fmt::Display for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let resumption = if self.resumption { "" } else { ", no resumption" };
        write!(f, "TLS 1.3 ({}{resumption})", self.key_exchange)
    }
}

impl fmt::Display for KeyExchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::X25519 => "X25519",
            Self::X25519MlKem768 => "X25519MLKEM768",
        })
    }
}

impl fmt::Display for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "TCP",
            Self::Unix => "Unix socket",
        })
    }
}
