//! Opens connections of one wire to one server.

use std::io;
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, InvalidDnsNameError, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;

use crate::wire::certificate::AcceptAny;
use crate::wire::endpoint::system_path;
use crate::wire::{Endpoint, Http, Stream, Tls, Wire, tls};

/// Opens connections. Clones share the tickets by which sessions are resumed.
#[derive(Clone)]
pub struct Connector {
    endpoint: Endpoint,
    tls: Option<(TlsConnector, ServerName<'static>)>,
    http: Http,
}

/// Which certificates of a server are believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trust {
    /// This one, as DER, and those that it signed.
    Certificate(Vec<u8>),
    /// Those that the system believes.
    System,
    /// Any, whoever it belongs to: nobody is authenticated.
    Nothing,
}

/// Why no connections can be made.
#[derive(Debug, thiserror::Error)]
pub enum ConnectorError {
    /// TLS, but nobody to believe.
    #[error("TLS needs a certificate to trust; none was given")]
    NoTrust,
    /// What a certificate cannot be for.
    #[error("{name:?} is no name of a server; expected a DNS name or an IP address")]
    Name {
        /// What was given.
        name: String,
        /// Why it is none.
        source: InvalidDnsNameError,
    },
    /// A certificate that is none.
    #[error("the certificate to trust cannot be used; expected X.509 as DER")]
    Certificate(#[source] rustls::Error),
    /// No certificate of the system.
    #[error(
        "the system has no certificates to trust ({problems}); install ca-certificates, or name the certificate to trust"
    )]
    System {
        /// What went wrong.
        problems: String,
    },
    /// Something else is not to the liking of rustls.
    #[error("TLS cannot be set up")]
    Tls(#[from] rustls::Error),
}

impl Connector {
    /// For connections to `endpoint`, whose certificate must be for `server_name` if `wire` has TLS. Without it `trust` is not
    /// looked at.
    pub fn new(
        endpoint: Endpoint,
        wire: &Wire,
        trust: Option<Trust>,
        server_name: &str,
    ) -> Result<Self, ConnectorError> {
        let tls = match &wire.tls {
            Some(tls) => {
                let config = config(tls, wire.http, trust.ok_or(ConnectorError::NoTrust)?)?;
                let name = ServerName::try_from(server_name.to_owned())
                    .map_err(|source| ConnectorError::Name { name: server_name.to_owned(), source })?;
                Some((TlsConnector::from(Arc::new(config)), name))
            }
            None => None,
        };
        Ok(Self { endpoint, tls, http: wire.http })
    }

    /// Where connections go.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Opens a connection, with TLS up to the end of the handshake.
    pub async fn connect(&self) -> io::Result<Stream> {
        let socket = match &self.endpoint {
            Endpoint::Tcp(address) => {
                let stream = TcpStream::connect(address).await?;
                // A small request must not wait for the acknowledgement of the one before it.
                stream.set_nodelay(true)?;
                Stream::Tcp(stream)
            }
            Endpoint::Unix(path) => Stream::Unix(UnixStream::connect(system_path(path)).await?),
        };
        let Some((connector, name)) = &self.tls else { return Ok(socket) };
        let stream = connector.connect(name.clone(), socket).await?;
        // Servers that know nothing of ALPN speak HTTP/1.1.
        if self.http == Http::Http2 && stream.get_ref().1.alpn_protocol() != Some(tls::protocol(self.http)) {
            return Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "the server did not agree to HTTP/2; expected \"h2\" in its handshake (ALPN)",
            ));
        }
        Ok(Stream::Tls(Box::new(stream)))
    }
}

fn config(tls: &Tls, http: Http, trust: Trust) -> Result<ClientConfig, ConnectorError> {
    let provider = tls::provider(tls.key_exchange);
    let verifier = verifier(trust, &provider)?;
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        // The verifiers are rustls's own but for `Trust::Nothing`.
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    config.alpn_protocols = vec![tls::protocol(http).to_vec()];
    config.resumption =
        if tls.resumption { Resumption::in_memory_sessions(TICKETS) } else { Resumption::disabled() };
    Ok(config)
}

/// The most that rustls keeps for one server, and a connector has one.
const TICKETS: usize = 8;

fn verifier(
    trust: Trust,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, ConnectorError> {
    let mut roots = RootCertStore::empty();
    match trust {
        Trust::Certificate(der) => {
            roots.add(CertificateDer::from(der)).map_err(ConnectorError::Certificate)?;
        }
        Trust::System => {
            let found = rustls_native_certs::load_native_certs();
            roots.add_parsable_certificates(found.certs);
            if roots.is_empty() {
                let problems: Vec<_> = found.errors.iter().map(ToString::to_string).collect();
                let problems =
                    if problems.is_empty() { "it names none".to_owned() } else { problems.join("; ") };
                return Err(ConnectorError::System { problems });
            }
        }
        Trust::Nothing => return Ok(Arc::new(AcceptAny(Arc::clone(provider)))),
    }
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider)).build();
    Ok(verifier.expect("it has a root, and no list of revoked certificates that could be broken"))
}
