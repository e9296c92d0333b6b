//! Tokens that are bound to the certificate of a client (RFC 8705): stolen without its key, they are worth nothing.

use bearerbench::auth::token::Confirmation;
use bearerbench::auth::token::jwt::stated_claims;
use bearerbench::testbed::TokenOwner;
use bearerbench::wire::{
    CertificateKey, ClientIdentity, Connector, Http, KeyExchange, Tls, Trust, Wire, client_identity,
};
use http_body_util::Empty;
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::{http1, http2};
use hyper::header::{AUTHORIZATION, HOST, WWW_AUTHENTICATE};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::json;

use crate::http::{get, post};
use crate::senders::{Bound, Case, cases};
use crate::server::{Server, basic, bearer};

const TLS: &str = "{ tls = { key_exchange = \"X25519\" } }";

/// The same with this version of HTTP.
fn written(http: Http) -> &'static str {
    match http {
        Http::Http1 => TLS,
        Http::Http2 => "{ http = \"2\", tls = { key_exchange = \"X25519\" } }",
    }
}

fn over(http: Http, resumption: bool) -> Wire {
    let tls = Some(Tls { key_exchange: KeyExchange::X25519, resumption });
    Wire { http, tls, ..Wire::default() }
}

/// What connects with the server that clients reach, and presents this certificate.
fn connector(bound: &Bound, wire: Wire, identity: Option<&ClientIdentity>) -> Connector {
    let (endpoint, trust) = (bound.edge().endpoint.clone(), bound.testbed.trust());
    Connector::presenting(endpoint, &wire, trust, "localhost", identity).expect("the wire fits")
}

fn own(bound: &Bound) -> &ClientIdentity {
    bound.testbed.owner().identity().expect("its tokens are bound to a certificate")
}

const OPEN: &str = "the server answers and stays";

/// Status and challenge of the answers to requests with these tokens by one connection, and whether that took up an earlier session.
async fn asked(connector: &Connector, http: Http, tokens: &[&str]) -> (Vec<(u16, String)>, bool) {
    let stream = connector.connect().await.expect("the server listens");
    let is_resumed = stream.is_resumed().expect("it speaks TLS");
    let mut answers = Vec::new();
    let request = |uri: &str, token: &str| {
        let request = Request::get(uri).header(AUTHORIZATION, format!("Bearer {token}"));
        let request = if http == Http::Http1 { request.header(HOST, "localhost") } else { request };
        request.body(Empty::<Bytes>::new()).expect("a token makes a header")
    };
    let seen = |answer: hyper::Response<hyper::body::Incoming>| {
        let challenge = answer.headers().get(WWW_AUTHENTICATE).map(|value| value.to_str().expect("ASCII"));
        (answer.status().as_u16(), challenge.unwrap_or_default().to_owned())
    };
    match http {
        Http::Http1 => {
            let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.expect(OPEN);
            tokio::spawn(connection);
            for token in tokens {
                sender.ready().await.expect(OPEN);
                answers.push(seen(sender.send_request(request("/resource", token)).await.expect(OPEN)));
            }
        }
        Http::Http2 => {
            let handshake = http2::handshake(TokioExecutor::new(), TokioIo::new(stream));
            let (mut sender, connection) = handshake.await.expect(OPEN);
            tokio::spawn(connection);
            for token in tokens {
                sender.ready().await.expect(OPEN);
                let answer = sender.send_request(request("https://localhost/resource", token));
                answers.push(seen(answer.await.expect(OPEN)));
            }
        }
    }
    (answers, is_resumed)
}

/// Fails unless a token is refused because of the certificate, with these words.
#[track_caller]
fn refused(answers: &[(u16, String)], words: &str) {
    let [(status, challenge)] = answers else { panic!("{answers:?}") };
    assert_eq!(*status, 401, "{challenge}");
    let expected = "Bearer realm=\"bearerbench\", error=\"invalid_token\", error_description=\"";
    assert!(challenge.starts_with(expected) && challenge.contains(words), "{challenge}");
}

#[tokio::test]
async fn under_every_architecture_a_token_counts_with_the_certificate_that_it_is_bound_to_and_with_no_other()
{
    for Case { subject, checks_tokens, .. } in cases() {
        let bound = Bound::over(TLS, "\"mtls\"", &subject).await;
        let [token, another, ..] = &*bound.tokens else { panic!("{:?}", bound.tokens) };
        let wire = over(Http::Http1, true);
        let right = connector(&bound, wire, Some(own(&bound)));
        let (answers, _) = asked(&right, Http::Http1, &[token, another, token]).await;
        assert!(answers.iter().all(|(status, _)| *status == 200), "{subject}: {answers:?}");
        // Once for the connection, not for each request.
        assert_eq!(bound.count("presented_certificates"), 1, "{subject}");
        let stolen = [token.as_str()];
        let (answers, _) = asked(&connector(&bound, wire, None), Http::Http1, &stolen).await;
        refused(&answers, "presented no certificate");
        // By a key of one's own, in the name of the owner.
        let forged = client_identity("load", CertificateKey::ES256).expect("a certificate");
        let (answers, _) = asked(&connector(&bound, wire, Some(&forged)), Http::Http1, &stolen).await;
        if checks_tokens {
            refused(&answers, "something else than the certificate of this connection");
        } else {
            assert_eq!(answers[0].0, 200, "{subject}");
        }
        // In the clear there is no certificate.
        let challenge = get(bound.edge().address, "/resource", &[&bearer(token)]).expect(401);
        let challenge = challenge.header("www-authenticate").expect("a challenge").to_owned();
        refused(&[(401, challenge)], "presented no certificate");
        assert_eq!(bound.count("requests_without_certificate"), 2, "{subject}");
        if checks_tokens {
            let (answers, _) = asked(&right, Http::Http1, &["rubbish"]).await;
            assert_eq!(answers[0].0, 401, "{subject}");
        }
    }
}

#[tokio::test]
async fn a_certificate_with_any_key_over_any_version_of_http_shows_whose_the_token_is() {
    let versions = [Http::Http1, Http::Http2].into_iter().cycle();
    for (algorithm, http) in ["ES256", "ES384", "Ed25519", "RS256"].into_iter().zip(versions) {
        let sender = format!("{{ kind = \"mtls\", algorithm = \"{algorithm}\" }}");
        let bound = Bound::over(written(http), &sender, "architecture = \"introspection\"").await;
        let [token, another, ..] = &*bound.tokens else { panic!("{:?}", bound.tokens) };
        let wire = over(http, true);
        let right = connector(&bound, wire, Some(own(&bound)));
        let (answers, _) = asked(&right, http, &[token, another]).await;
        assert!(answers.iter().all(|(status, _)| *status == 200), "{algorithm}: {answers:?}");
        let (answers, _) = asked(&connector(&bound, wire, None), http, &[token]).await;
        refused(&answers, "presented no certificate");
    }
}

#[tokio::test]
async fn a_resumed_session_still_knows_the_certificate_and_that_there_was_none() {
    for http in [Http::Http1, Http::Http2] {
        let bound =
            Bound::over(written(http), "\"mtls\"", "architecture = \"jwt\"\nsignature = \"ES256\"").await;
        let tokens = [bound.tokens[0].as_str()];
        let wire = over(http, true);
        let (right, none) = (connector(&bound, wire, Some(own(&bound))), connector(&bound, wire, None));
        for expected in [false, true, true] {
            let (answers, is_resumed) = asked(&right, http, &tokens).await;
            assert_eq!((answers[0].0, is_resumed), (200, expected), "{answers:?}");
            let (answers, is_resumed) = asked(&none, http, &tokens).await;
            refused(&answers, "presented no certificate");
            assert_eq!(is_resumed, expected);
        }
        assert_eq!(bound.count("presented_certificates"), 3);
    }
}

#[tokio::test]
async fn a_token_is_issued_to_the_certificate_of_its_connection_and_says_so_wherever_it_is_looked_at() {
    for subject in ["architecture = \"introspection\"", "architecture = \"jwt\"\nsignature = \"ES256\""] {
        let bound = Bound::over(TLS, "\"mtls\"", subject).await;
        let TokenOwner::Certificate(certificate) = bound.testbed.owner() else { panic!("{subject}") };
        let expected = Confirmation::of_certificate(own(&bound).certificate());
        assert_eq!(certificate.confirmation(), expected);
        let authorization = bound.node("authorization server");
        let client = basic("load", "secret%20of%20load");
        let token = &bound.tokens[0];
        let said = post(authorization.address, "/introspect", &[&client], &format!("token={token}"))
            .expect(200)
            .json();
        assert_eq!(said["cnf"], json!({ "x5t#S256": expected.x5t_s256 }), "{said}");
        if subject.contains("jwt") {
            assert_eq!(stated_claims(token).expect("a JWT").cnf.as_ref(), Some(&expected));
        }
        // In the clear nothing shows who the client is.
        let form = "grant_type=client_credentials";
        post(authorization.address, "/token", &[&client], form).refuses(400, "invalid_request");
        let path = "/.well-known/oauth-authorization-server";
        let metadata = get(authorization.address, path, &[]).expect(200).json();
        assert_eq!(metadata["tls_client_certificate_bound_access_tokens"], true);
        let place = format!("https://{}/token", authorization.endpoint);
        assert_eq!(metadata["mtls_endpoint_aliases"]["token_endpoint"], place);
        assert_ne!(authorization.endpoint.to_string(), authorization.address.to_string());
        let issued = bound.testbed.token_client().issue().await.expect("a token");
        let right = connector(&bound, over(Http::Http1, true), Some(own(&bound)));
        assert_eq!(asked(&right, Http::Http1, &[&issued]).await.0[0].0, 200);
    }
}

#[tokio::test]
async fn a_token_that_is_not_bound_is_refused_with_the_best_of_certificates() {
    let folder = tempfile::tempdir().expect("a folder");
    let certificate = folder.path().join("certificate.pem");
    let arguments =
        ["--architecture", "introspection", "--sender", "mtls", "--tls", "X25519", "--write-certificate"];
    let arguments = [&arguments[..], &[certificate.to_str().expect("UTF-8")]].concat();
    let own = client_identity("bench", CertificateKey::ES256).expect("a certificate");
    let authorization = Server::authorization(&[]);
    let wire = over(Http::Http1, true);
    let (_server, endpoint) = Server::resource_over(wire, &authorization, &arguments);
    let trusted = CertificateDer::from_pem_file(&certificate).expect("it was written").to_vec();
    let trust = Some(Trust::Certificates(vec![trusted]));
    let connector = Connector::presenting(endpoint, &wire, trust, "localhost", Some(&own));
    let connector = connector.expect("the wire fits its trust");
    let (answers, _) = asked(&connector, Http::Http1, &[&authorization.token()]).await;
    refused(&answers, "not bound to a certificate");
}

#[tokio::test]
async fn what_a_handshake_takes_on_the_wire_is_told_and_a_session_that_is_resumed_is_without_certificates() {
    let handshake = async |sender: &str, wire: &str, version: Wire| {
        let bound = Bound::over(wire, sender, "architecture = \"introspection\"").await;
        let bytes = bound.testbed.handshake_bytes(&version).await.expect("a handshake");
        (bytes.expect("it has TLS"), bound)
    };
    // Whose handshakes are those of anybody.
    let (without_certificate, _) = handshake("\"dpop\"", TLS, over(Http::Http1, true)).await;
    let (with, bound) = handshake("\"mtls\"", TLS, over(Http::Http1, true)).await;
    let certificate = own(&bound).certificate().len() as u64;
    assert_eq!(without_certificate.client_certificates, None);
    assert_eq!(with.client_certificates, Some(certificate));
    // The certificate goes once from the client, and twice comes back within a ticket; a signature and the request for both come with it.
    let more = with.full - without_certificate.full;
    assert!((3 * certificate + 64..3 * certificate + 400).contains(&more), "{more} of {certificate}");
    let resumed = [with, without_certificate].map(|bytes| bytes.resumed.expect("it may be resumed"));
    // As a part of tickets alone: of the one that is used, and of the two that come.
    let more = resumed[0] - resumed[1];
    assert!((3 * certificate..3 * certificate + 64).contains(&more), "{more} of {certificate}");
    let wire = "{ tls = { key_exchange = \"X25519\", resumption = false } }";
    let (without_tickets, _) = handshake("\"mtls\"", wire, over(Http::Http1, false)).await;
    assert_eq!(without_tickets.resumed, None);
    assert!(with.full - without_tickets.full > 2 * certificate, "{without_tickets:?}");
    // A server of HTTP/2 speaks first: that is no part of the handshake.
    let (http2, _) = handshake("\"mtls\"", written(Http::Http2), over(Http::Http2, true)).await;
    assert!(http2.full.abs_diff(with.full) < 40, "{http2:?} {with:?}");
}
