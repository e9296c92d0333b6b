//! Opens connections of one wire to one server.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use rustls::client::Resumption;
use rustls::pki_types::{InvalidDnsNameError, ServerName};
use rustls::{ClientConfig, ClientConnection};
use tokio::io::{AsyncRead as _, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::wire::client_certificate::Presented;
use crate::wire::endpoint::system_path;
use crate::wire::foreign::CertificateRequests;
use crate::wire::{
    ClientIdentity, Endpoint, ForeignTls, HandshakeFault, Http, Negotiated, Stream, Tls, Trust, Wire, tls,
};

/// Opens connections. Clones share the tickets by which sessions are resumed.
#[derive(Clone)]
pub struct Connector {
    endpoint: Endpoint,
    tls: Option<(TlsConnector, ServerName<'static>)>,
    http: Http,
    mutual: Mutual,
}

/// What a client shows of itself.
#[derive(Clone, Default)]
struct Mutual {
    asked: CertificateRequests,
    has_identity: bool,
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
    /// The certificate of the client, or its key.
    #[error("the certificate of the client and its key cannot be used together")]
    ClientKey(#[source] rustls::Error),
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
        Self::presenting(endpoint, wire, trust, server_name, None)
    }

    /// The same for a client that presents this certificate to servers that ask for one (mutual TLS).
    pub fn presenting(
        endpoint: Endpoint,
        wire: &Wire,
        trust: Option<Trust>,
        server_name: &str,
        identity: Option<&ClientIdentity>,
    ) -> Result<Self, ConnectorError> {
        let mut mutual = Mutual { has_identity: identity.is_some(), ..Mutual::default() };
        let config = |tls| {
            let (mut config, asked) = config(tls, trust.ok_or(ConnectorError::NoTrust)?, identity)?;
            config.alpn_protocols = vec![tls::protocol(wire.http).to_vec()];
            mutual.asked = asked;
            secured(config, server_name)
        };
        let tls = wire.tls.map(config).transpose()?;
        Ok(Self { endpoint, tls, http: wire.http, mutual })
    }

    /// For connections to a server that is not of the test bed, with TLS if `tls` says how.
    pub fn foreign(
        endpoint: Endpoint,
        http: Http,
        tls: Option<&ForeignTls>,
        server_name: &str,
    ) -> Result<Self, ConnectorError> {
        let Some(foreign) = tls else {
            return Ok(Self { endpoint, tls: None, http, mutual: Mutual::default() });
        };
        let (mut config, asked) = foreign.config()?;
        config.alpn_protocols = vec![tls::protocol(http).to_vec()];
        if foreign.resumption {
            config.resumption = Resumption::in_memory_sessions(TICKETS);
        }
        let mutual = Mutual { asked, has_identity: foreign.identity.is_some() };
        Ok(Self { endpoint, tls: Some(secured(config, server_name)?), http, mutual })
    }

    /// Where connections go.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// A connection of the socket alone.
    pub(super) async fn socket(&self) -> io::Result<Stream> {
        Ok(match &self.endpoint {
            Endpoint::Tcp(address) => {
                let stream = TcpStream::connect(address).await?;
                // A small request must not wait for the acknowledgement of the one before it.
                stream.set_nodelay(true)?;
                Stream::Tcp(stream)
            }
            Endpoint::Unix(path) => Stream::Unix(UnixStream::connect(system_path(path)).await?),
        })
    }

    /// A session of TLS before its first byte; `None` without TLS.
    pub(super) fn session(&self) -> Option<Result<ClientConnection, rustls::Error>> {
        let (connector, name) = self.tls.as_ref()?;
        Some(ClientConnection::new(Arc::clone(connector.config()), name.clone()))
    }

    /// Opens a connection, with TLS up to the end of the handshake.
    pub async fn connect(&self) -> io::Result<Stream> {
        let socket = self.socket().await?;
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

    /// Opens a connection and closes it again, to learn what both ends agree on; nothing without TLS.
    pub async fn negotiate(&self) -> Result<Option<Negotiated>, NegotiationError> {
        let mut stream = match self.connect().await {
            Ok(stream) => stream,
            Err(error) => return Err(self.why(error)),
        };
        let Some(negotiated) = stream.negotiated() else { return Ok(None) };
        if self.mutual.asked.was_asked() {
            self.hear_verdict(&mut stream).await?;
        }
        Ok(Some(negotiated))
    }

    /// Whether the server asked who the client is, in any handshake so far, and could not be told.
    pub fn left_unanswered(&self) -> bool {
        self.mutual.asked.was_asked() && !self.mutual.has_identity
    }

    /// In TLS 1.3 the handshake ends for the client before the server has seen its certificate.
    async fn hear_verdict(&self, stream: &mut Stream) -> Result<(), NegotiationError> {
        let heard = timeout(VERDICT, std::future::poll_fn(|context| poll_verdict(stream, context))).await;
        heard.unwrap_or(Ok(())).map_err(|error| self.why(error))
    }

    fn why(&self, error: io::Error) -> NegotiationError {
        let Mutual { asked, has_identity } = &self.mutual;
        match HandshakeFault::find(&error, asked.was_asked(), *has_identity) {
            Some(fault) => NegotiationError::Handshake(fault),
            None if error.kind() == io::ErrorKind::Unsupported => {
                NegotiationError::Handshake(HandshakeFault::Protocol)
            }
            None if self.tls.is_some() && error.kind() == io::ErrorKind::UnexpectedEof => {
                NegotiationError::Handshake(HandshakeFault::Closed)
            }
            None => NegotiationError::Connect(error),
        }
    }
}

/// No connection, or none that both ends agree on.
#[derive(Debug, thiserror::Error)]
pub enum NegotiationError {
    /// Nobody there.
    #[error("no connection")]
    Connect(#[source] io::Error),
    /// No agreement.
    #[error(transparent)]
    Handshake(HandshakeFault),
}

/// How long a server may take to say that it does not accept a client, which it does at once or, if it goes by the first
/// request, never.
const VERDICT: Duration = Duration::from_secs(1);

/// Ready with the first ticket, which a server sends to those whom it has accepted, with its first byte, or with its refusal.
fn poll_verdict(stream: &mut Stream, context: &mut Context<'_>) -> Poll<io::Result<()>> {
    let mut byte = [0];
    match Pin::new(&mut *stream).poll_read(context, &mut ReadBuf::new(&mut byte)) {
        Poll::Pending if stream.tickets() == 0 => Poll::Pending,
        Poll::Pending => Poll::Ready(Ok(())),
        Poll::Ready(read) => Poll::Ready(read),
    }
}

fn secured(
    config: ClientConfig,
    server_name: &str,
) -> Result<(TlsConnector, ServerName<'static>), ConnectorError> {
    let name = ServerName::try_from(server_name.to_owned())
        .map_err(|source| ConnectorError::Name { name: server_name.to_owned(), source })?;
    Ok((TlsConnector::from(Arc::new(config)), name))
}

/// For other clients than that of the load, which offer their protocols (ALPN) by themselves.
pub fn client_config(
    tls: Tls,
    trust: Trust,
    identity: Option<&ClientIdentity>,
) -> Result<ClientConfig, ConnectorError> {
    config(tls, trust, identity).map(|(config, _)| config)
}

fn config(
    tls: Tls,
    trust: Trust,
    identity: Option<&ClientIdentity>,
) -> Result<(ClientConfig, CertificateRequests), ConnectorError> {
    let provider = tls::provider(tls.key_exchange);
    let verifier = trust.verifier(&provider)?;
    let asked = CertificateRequests::default();
    let presented = Presented::of(identity, asked.clone(), &provider)?;
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        // The verifiers are rustls's own but for `Trust::Nothing`, and for a certificate that was given.
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_client_cert_resolver(Arc::new(presented));
    config.resumption =
        if tls.resumption { Resumption::in_memory_sessions(TICKETS) } else { Resumption::disabled() };
    Ok((config, asked))
}

/// The most that rustls keeps for one server, and a connector has one.
const TICKETS: usize = 8;
