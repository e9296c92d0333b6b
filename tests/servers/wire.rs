//! The resource server over every wire: HTTP/1.1 and HTTP/2, in the clear and by TLS, over TCP and Unix sockets.

use std::path::{Path, PathBuf};

use bearerbench::plan::Plan;
use bearerbench::scenario::ScenarioFile;
use bearerbench::testbed::Testbed;
use bearerbench::wire::{Connector, Endpoint, Http, KeyExchange, Socket, Tls, Trust, Wire};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Bytes;
use hyper::client::conn::{http1, http2};
use hyper::header::{AUTHORIZATION, CONTENT_LENGTH, HOST};
use hyper::{Request, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use tokio::task::JoinSet;

use crate::server::Server;

/// Every one but the default.
fn wires() -> Vec<Wire> {
    let groups = [KeyExchange::X25519, KeyExchange::X25519MlKem768];
    let tls = groups.map(|key_exchange| Some(Tls { key_exchange, resumption: true }));
    let mut wires = Vec::new();
    for http in [Http::Http1, Http::Http2] {
        for tls in [None, tls[0], tls[1]] {
            wires.extend([Socket::Tcp, Socket::Unix].map(|socket| Wire { http, tls, socket }));
        }
    }
    wires.retain(|wire| *wire != Wire::default());
    wires
}

/// A resource server over `wire`, and what connects to it.
fn start(wire: Wire, authorization: &Server, folder: &Path, more: &[&str]) -> (Server, Connector) {
    let certificate = folder.join("certificate.pem");
    let mut arguments = vec!["--http", if wire.http == Http::Http2 { "2" } else { "1.1" }];
    let group = wire.tls.map(|tls| tls.key_exchange.to_string());
    if let Some(group) = &group {
        arguments.extend(["--tls", group, "--write-certificate", certificate.to_str().expect("UTF-8")]);
    }
    let name = format!("@bearerbench tests {} {}", std::process::id(), folder.display());
    if wire.socket == Socket::Unix {
        arguments.extend(["--unix", &name]);
    }
    arguments.extend(more);
    let (server, endpoint) = Server::resource_over(wire, authorization, &arguments);
    let trust = wire.tls.map(|_| {
        let certificate = CertificateDer::from_pem_file(&certificate).expect("it was written");
        Trust::Certificates(vec![certificate.to_vec()])
    });
    (server, Connector::new(endpoint, &wire, trust, "localhost").expect("the wire fits its trust"))
}

const OPEN: &str = "the server answers and stays";

/// The status of the answers to requests with these tokens, all open at once if one connection can have several.
async fn statuses(connector: &Connector, http: Http, tokens: &[String]) -> Vec<StatusCode> {
    let stream = TokioIo::new(connector.connect().await.expect("the server listens"));
    let request = |uri, token| {
        let request = Request::get(uri).header(AUTHORIZATION, format!("Bearer {token}"));
        if http == Http::Http1 { request.header(HOST, "localhost") } else { request }
            .body(Empty::<Bytes>::new())
            .expect("a token makes a header")
    };
    let mut statuses = Vec::new();
    match http {
        Http::Http1 => {
            let (mut sender, connection) = http1::handshake(stream).await.expect(OPEN);
            tokio::spawn(connection);
            for token in tokens {
                sender.ready().await.expect(OPEN);
                statuses.push(sender.send_request(request("/resource", token)).await.expect(OPEN).status());
            }
        }
        Http::Http2 => {
            let (mut sender, connection) = http2::handshake(TokioExecutor::new(), stream).await.expect(OPEN);
            tokio::spawn(connection);
            let mut answers = JoinSet::new();
            for token in tokens {
                sender.ready().await.expect(OPEN);
                let answer = sender.send_request(request("http://localhost/resource", token));
                answers.spawn(async { answer.await.expect(OPEN).status() });
            }
            statuses = answers.join_all().await;
        }
    }
    statuses
}

#[tokio::test]
async fn the_resource_is_protected_over_every_wire_and_plain_http_stays_beside_it() {
    let authorization = Server::authorization(&[]);
    let (good, bad) = (authorization.token(), "bad".to_owned());
    for wire in wires() {
        let folder = tempfile::tempdir().unwrap();
        let (server, connector) =
            start(wire, &authorization, folder.path(), &["--architecture", "introspection"]);
        for (token, status) in [(&good, StatusCode::OK), (&bad, StatusCode::UNAUTHORIZED)] {
            let seen = statuses(&connector, wire.http, std::slice::from_ref(token)).await;
            assert_eq!(seen, [status], "{wire}");
        }
        server.resource_with(&good).expect(200);
        server.resource_with(&bad).expect(401);
    }
}

#[tokio::test]
async fn a_token_of_30_kilobytes_passes_over_every_wire() {
    let audience = format!("https://api.example/{}", "x".repeat(23_000));
    let shared = ["--audience", &audience];
    let authorization = Server::authorization(&[&["--signature", "ES256"], &shared[..]].concat());
    let token = authorization.token();
    assert!(token.len() > 30_000, "{}", token.len());
    for wire in wires() {
        let folder = tempfile::tempdir().unwrap();
        let more = [&["--architecture", "jwt"], &shared[..]].concat();
        let (_server, connector) = start(wire, &authorization, folder.path(), &more);
        assert_eq!(
            statuses(&connector, wire.http, std::slice::from_ref(&token)).await,
            [StatusCode::OK],
            "{wire}"
        );
    }
}

#[tokio::test]
async fn one_connection_of_http_2_has_a_thousand_requests_open() {
    let authorization = Server::authorization(&[]);
    let wire = Wire { http: Http::Http2, ..Wire::default() };
    let folder = tempfile::tempdir().unwrap();
    let (_server, connector) = start(wire, &authorization, folder.path(), &["--architecture", "none"]);
    let tokens: Vec<_> = (0..1_000).map(|number| format!("token-{number}")).collect();
    assert_eq!(statuses(&connector, wire.http, &tokens).await, [StatusCode::OK; 1_000]);
}

#[tokio::test]
async fn head_over_http_2_gets_a_head_and_no_content() {
    let authorization = Server::authorization(&[]);
    let wire = Wire { http: Http::Http2, ..Wire::default() };
    let folder = tempfile::tempdir().unwrap();
    let (_server, connector) = start(wire, &authorization, folder.path(), &["--architecture", "none"]);
    let stream = TokioIo::new(connector.connect().await.expect("the server listens"));
    let (mut sender, connection) = http2::handshake(TokioExecutor::new(), stream).await.expect(OPEN);
    tokio::spawn(connection);
    let request = Request::head("http://localhost/resource").header(AUTHORIZATION, "Bearer x");
    let answer = sender.send_request(request.body(Empty::<Bytes>::new()).unwrap()).await.expect(OPEN);
    assert_eq!(
        (answer.status(), &answer.headers()[CONTENT_LENGTH]),
        (StatusCode::OK, &"23".parse().unwrap())
    );
    // A frame with content would break the stream: the client knows what it asked for.
    assert!(answer.into_body().collect().await.expect("no content").to_bytes().is_empty());
}

#[tokio::test]
async fn the_test_bed_tells_where_each_subject_is_reached_over_its_wire_and_whom_to_trust() {
    let scenario = r#"
question = "?"
[load]
rate = 1
duration = "1s"
resource_servers = 2
wire = { http = "2", tls = { key_exchange = "X25519MLKEM768" }, socket = "unix" }
[[subject]]
architecture = "introspection"
[[subject]]
architecture = "none"
wire = {}
"#;
    let file = ScenarioFile::parse("case.toml".to_owned(), scenario, &[]).unwrap();
    let plan = Plan::decide(&file, &[], &[0]).unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_bearerbench"));
    for trial in &plan.trials {
        let wire = trial.subject.wire;
        let testbed = Testbed::start(program, trial, None, plan.lifetime, &plan.placement).await.unwrap();
        let (endpoints, trust) = (testbed.endpoints(), testbed.trust());
        assert_eq!((endpoints.len(), trust.is_some()), (2, wire.tls.is_some()));
        if wire == Wire::default() {
            let addresses = testbed.addresses().into_iter().map(Endpoint::Tcp);
            assert_eq!(endpoints, addresses.collect::<Vec<_>>());
        }
        for endpoint in endpoints {
            let connector = Connector::new(endpoint, &wire, trust.clone(), "localhost").unwrap();
            let status = if trial.subject.is_control() { StatusCode::OK } else { StatusCode::UNAUTHORIZED };
            assert_eq!(statuses(&connector, wire.http, &["bad".to_owned()]).await, [status], "{wire}");
        }
        testbed.stop().await;
    }
}

#[test]
fn the_file_of_a_socket_goes_away_with_a_server_that_is_asked_to_end() {
    let authorization = Server::authorization(&[]);
    let folder = tempfile::tempdir().unwrap();
    let path: PathBuf = folder.path().join("socket");
    let wire = Wire { socket: Socket::Unix, ..Wire::default() };
    let arguments = ["--architecture", "none", "--unix", path.to_str().unwrap()];
    let (server, endpoint) = Server::resource_over(wire, &authorization, &arguments);
    assert_eq!(endpoint, Endpoint::Unix(path.clone()));
    assert!(path.exists());
    server.signal(rustix::process::Signal::TERM);
    assert_eq!(server.exit_code(), Some(0));
    assert!(!path.exists());
}
