//! Both ends of a wire against each other, over real sockets.

mod mutual;

use std::io;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::Duration;

use rustls::NamedGroup;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tokio_rustls::TlsAcceptor;

use super::*;

const GROUPS: [(KeyExchange, NamedGroup); 2] =
    [(KeyExchange::X25519, NamedGroup::X25519), (KeyExchange::X25519MlKem768, NamedGroup::X25519MLKEM768)];

fn over(key_exchange: KeyExchange) -> Wire {
    Wire { tls: Some(Tls { key_exchange, resumption: true }), ..Wire::default() }
}

/// What a server saw of a connection.
struct Seen {
    group: NamedGroup,
    protocol: Option<Vec<u8>>,
    /// What the client presented.
    chain: Option<Vec<Vec<u8>>>,
    bytes: Vec<u8>,
}

/// A server of `wire` for a number of connections, one after the other, and what it saw of them.
struct Server {
    endpoint: Endpoint,
    certificate: Vec<u8>,
    serving: JoinHandle<Vec<io::Result<Seen>>>,
}

impl Server {
    async fn start(wire: Wire, connections: usize) -> Self {
        Self::asking(wire, connections, ClientCertificates::NotAsked).await
    }

    async fn asking(wire: Wire, connections: usize, clients: ClientCertificates) -> Self {
        let identity = certificate().unwrap();
        let acceptor = acceptor(&wire.tls.unwrap(), wire.http, &identity, clients).unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let endpoint = Endpoint::Tcp(listener.local_addr().unwrap());
        let serving = tokio::spawn(async move {
            let mut seen = Vec::new();
            for _ in 0..connections {
                let (stream, _) = listener.accept().await.unwrap();
                seen.push(see(&acceptor, stream).await);
            }
            seen
        });
        Self { endpoint, certificate: identity.certificate, serving }
    }

    fn connector(&self, wire: Wire) -> Connector {
        self.trusting(wire, Trust::Certificates(vec![self.certificate.clone()]), "localhost")
    }

    fn trusting(&self, wire: Wire, trust: Trust, name: &str) -> Connector {
        Connector::new(self.endpoint.clone(), &wire, Some(trust), name).unwrap()
    }
}

/// Greets with a byte, pauses so that the socket of a hasty client fills, and reads to the end.
async fn see(acceptor: &TlsAcceptor, stream: TcpStream) -> io::Result<Seen> {
    let mut stream = acceptor.accept(stream).await?;
    stream.write_all(b"!").await?;
    stream.flush().await?;
    sleep(Duration::from_millis(20)).await;
    let mut bytes = Vec::new();
    // A client that goes without a farewell has said all it had to say.
    let _ = stream.read_to_end(&mut bytes).await;
    let session = stream.get_ref().1;
    Ok(Seen {
        group: session.negotiated_key_exchange_group().unwrap().name(),
        protocol: session.alpn_protocol().map(<[u8]>::to_vec),
        chain: session.peer_certificates().map(|chain| chain.iter().map(|one| one.to_vec()).collect()),
        bytes,
    })
}

/// Connects, and reads the greeting: tickets come with it.
async fn greeted(connector: &Connector) -> Stream {
    let mut stream = connector.connect().await.unwrap();
    assert_eq!(stream.read_u8().await.unwrap(), b'!');
    stream
}

#[tokio::test]
async fn the_key_exchange_named_is_the_one_negotiated_at_both_ends() {
    for ((key_exchange, group), http) in GROUPS.into_iter().zip([Http::Http1, Http::Http2]) {
        let wire = Wire { http, ..over(key_exchange) };
        let server = Server::start(wire, 1).await;
        let stream = greeted(&server.connector(wire)).await;
        let Stream::Tls(tls) = &stream else { panic!("{stream:?}") };
        assert_eq!(tls.get_ref().1.negotiated_key_exchange_group().unwrap().name(), group);
        drop(stream);
        let seen = server.serving.await.unwrap().pop().unwrap().unwrap();
        assert_eq!((seen.group, seen.protocol.as_deref()), (group, Some(tls::protocol(http))));
    }
}

#[tokio::test]
async fn a_client_that_offers_only_the_other_group_is_refused() {
    for (served, offered) in [(GROUPS[0].0, GROUPS[1].0), (GROUPS[1].0, GROUPS[0].0)] {
        let server = Server::start(over(served), 1).await;
        let error = server.connector(over(offered)).connect().await.unwrap_err();
        assert!(error.to_string().contains("HandshakeFailure"), "{error}");
        assert!(server.serving.await.unwrap().pop().unwrap().is_err());
    }
}

#[tokio::test]
async fn a_client_of_another_version_of_http_is_refused() {
    let wire = over(KeyExchange::X25519);
    let server = Server::start(wire, 1).await;
    let error = server.connector(Wire { http: Http::Http2, ..wire }).connect().await.unwrap_err();
    assert!(error.to_string().contains("NoApplicationProtocol"), "{error}");
}

#[tokio::test]
async fn a_session_is_taken_up_where_both_ends_want_it_and_nowhere_else() {
    for (key_exchange, _) in GROUPS {
        let with = |resumption| Wire { tls: Some(Tls { key_exchange, resumption }), ..Wire::default() };
        for (served, wanted) in [(true, true), (true, false), (false, true), (false, false)] {
            let server = Server::start(with(served), 3).await;
            let connector = server.connector(with(wanted));
            assert_eq!(greeted(&connector).await.is_resumed(), Some(false));
            for _ in 0..2 {
                let stream = greeted(&connector.clone()).await;
                assert_eq!(stream.is_resumed(), Some(served && wanted), "{served} {wanted}");
            }
        }
    }
}

#[tokio::test]
async fn a_certificate_of_somebody_else_or_for_another_name_is_refused_unless_nothing_is_trusted_anyway() {
    let wire = over(KeyExchange::X25519);
    let stranger = Trust::Certificates(vec![certificate().unwrap().certificate]);
    let server = Server::start(wire, 4).await;
    let own = Trust::Certificates(vec![server.certificate.clone()]);
    for (trust, name, good) in [
        (stranger, "localhost", false),
        (own.clone(), "api.example", false),
        (own, "127.0.0.1", true),
        (Trust::Nothing, "api.example", true),
    ] {
        let connected = server.trusting(wire, trust.clone(), name).connect().await;
        assert_eq!(connected.is_ok(), good, "{trust:?} {name}");
    }
}

#[test]
fn a_connector_over_tls_wants_to_know_whom_to_trust_and_by_what_name() {
    let endpoint = Endpoint::Tcp((Ipv4Addr::LOCALHOST, 1).into());
    let wire = over(KeyExchange::X25519);
    let made = |trust, name| Connector::new(endpoint.clone(), &wire, trust, name).map(|_| ());
    assert!(matches!(made(None, "localhost"), Err(ConnectorError::NoTrust)));
    assert!(matches!(made(Some(Trust::Nothing), "no name"), Err(ConnectorError::Name { .. })));
    let broken = Trust::Certificates(vec![b"broken".to_vec()]);
    assert!(matches!(made(Some(broken), "localhost"), Err(ConnectorError::Certificate(_))));
}

/// More than socket and session hold together.
fn large() -> Vec<u8> {
    (0..8_000_000_u32).map(|number| number.to_le_bytes()[number as usize % 3]).collect()
}

/// Writes without waiting as long as something is taken, and returns how much that was; flushes then.
async fn write_at_once(stream: &mut Stream, bytes: &[u8]) -> usize {
    let mut written = 0;
    while written < bytes.len() {
        match stream.try_write(&bytes[written..]) {
            Ok(count) => written += count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) => panic!("{error}"),
        }
    }
    stream.flush().await.unwrap();
    assert!(stream.is_flushed());
    written
}

#[tokio::test]
async fn what_is_written_at_once_through_tls_arrives_whole_though_the_socket_takes_only_a_part() {
    let wire = over(KeyExchange::X25519);
    let server = Server::start(wire, 1).await;
    let mut stream = greeted(&server.connector(wire)).await;
    let bytes = large();
    let mut written = write_at_once(&mut stream, &bytes).await;
    assert!((60_000..bytes.len()).contains(&written), "{written}");
    while written < bytes.len() {
        written += write_at_once(&mut stream, &bytes[written..]).await;
    }
    stream.shutdown().await.unwrap();
    drop(stream);
    assert!(server.serving.await.unwrap().pop().unwrap().unwrap().bytes == bytes);
}

#[tokio::test]
async fn a_full_session_takes_nothing_more_until_it_is_flushed() {
    let wire = over(KeyExchange::X25519);
    let server = Server::start(wire, 1).await;
    let mut stream = greeted(&server.connector(wire)).await;
    let bytes = large();
    let refused = loop {
        match stream.try_write(&bytes) {
            Ok(count) => assert!((1..bytes.len()).contains(&count)),
            Err(error) => break error,
        }
    };
    assert_eq!(refused.kind(), io::ErrorKind::WouldBlock);
    assert!(!stream.is_flushed());
    stream.flush().await.unwrap();
    assert!(stream.is_flushed());
}

#[tokio::test]
async fn unix_sockets_carry_bytes_by_a_name_of_the_system_one_of_ones_own_and_a_path() {
    let folder = tempfile::tempdir().unwrap();
    let own = PathBuf::from(format!("@bearerbench test {}", std::process::id()));
    for name in [None, Some(own), Some(folder.path().join("socket"))] {
        let (listener, endpoint) = Endpoint::listen_unix(name.as_deref()).unwrap();
        assert!(endpoint.to_string().starts_with(if name.is_none() { "unix:@" } else { "unix:" }));
        let connector = Connector::new(endpoint, &Wire::default(), None, "localhost").unwrap();
        let mut client = connector.connect().await.unwrap();
        assert_eq!((client.try_write(b"hello").unwrap(), client.is_resumed()), (5, None));
        let (mut server, _) = listener.accept().await.unwrap();
        server.write_all(b"you").await.unwrap();
        drop(client.shutdown().await);
        let mut both = (String::new(), String::new());
        server.read_to_string(&mut both.0).await.unwrap();
        drop(server);
        client.read_to_string(&mut both.1).await.unwrap();
        assert_eq!(both, ("hello".to_owned(), "you".to_owned()));
    }
}

#[tokio::test]
async fn tls_runs_over_unix_sockets_too() {
    let wire = Wire { socket: Socket::Unix, ..over(KeyExchange::X25519MlKem768) };
    let identity = certificate().unwrap();
    let acceptor = acceptor(&wire.tls.unwrap(), wire.http, &identity, ClientCertificates::NotAsked).unwrap();
    let (listener, endpoint) = Endpoint::listen_unix(None).unwrap();
    let serving = tokio::spawn(async move {
        let mut stream = acceptor.accept(listener.accept().await.unwrap().0).await.unwrap();
        stream.read_u32().await.unwrap()
    });
    let trust = Trust::Certificates(vec![identity.certificate]);
    let connector = Connector::new(endpoint, &wire, Some(trust), "localhost").unwrap();
    let mut stream = connector.connect().await.unwrap();
    stream.write_u32(7).await.unwrap();
    stream.flush().await.unwrap();
    assert_eq!(serving.await.unwrap(), 7);
}

#[test]
fn a_wire_is_written_as_in_a_scenario_and_read_as_words() {
    let read = |text: &str| toml::from_str::<Wire>(text).unwrap();
    for (text, words) in [
        ("", "HTTP/1.1, TCP"),
        ("http = \"2\"\nsocket = \"unix\"", "HTTP/2, Unix socket"),
        (
            "tls = { key_exchange = \"X25519\", resumption = false }",
            "HTTP/1.1 over TLS 1.3 (X25519, no resumption), TCP",
        ),
        (
            "http = \"2\"\ntls = { key_exchange = \"X25519MLKEM768\" }",
            "HTTP/2 over TLS 1.3 (X25519MLKEM768), TCP",
        ),
    ] {
        let wire = read(text);
        assert_eq!(wire.to_string(), words);
        assert_eq!(read(&toml::to_string(&wire).unwrap()), wire);
    }
    assert!(toml::from_str::<Wire>("htpp = \"2\"").is_err());
}

#[test]
fn an_identity_comes_back_from_json_and_shows_no_key() {
    let identity = certificate().unwrap();
    let back: Identity = serde_json::from_str(&serde_json::to_string(&identity).unwrap()).unwrap();
    assert_eq!((&back.certificate, &back.key), (&identity.certificate, &identity.key));
    assert!(!format!("{identity:?}").contains("key"));
    let pem = identity.certificate_pem();
    let lines = pem.lines().collect::<Vec<_>>();
    assert!(
        lines.iter().all(|line| line.len() <= 64) && pem.ends_with("-----END CERTIFICATE-----\n"),
        "{pem}"
    );
}
