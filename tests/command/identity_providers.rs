//! What identity providers issue and answer, in their forms: tokens for `token verify`, and answers of token endpoints for `load`.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;

use serde_json::{Value, json};

use crate::sandbox::Sandbox;
use crate::scripted::{OK, Reply, Scripted};
use crate::token::{checks, keygen, signed, verified};

/// Whose form it is, its `typ`, its claims beside the dates, and the first of those that RFC 9068 requires and it lacks.
type Form = (&'static str, Option<&'static str>, &'static str, &'static str);

const FORMS: [Form; 7] = [
    (
        "Auth0",
        Some("JWT"),
        r#""iss":"https://tenant.auth0.example/","sub":"auth0|1","aud":["https://api.example/","https://tenant.auth0.example/userinfo"],"azp":"app","scope":"openid read""#,
        "client_id",
    ),
    (
        "Microsoft Entra ID, version 1",
        Some("JWT"),
        r#""aud":"api://1","iss":"https://sts.windows.example/2/","sub":"s","appid":"3","scp":"read","tid":"2","ver":"1.0""#,
        "client_id",
    ),
    (
        "Microsoft Entra ID, version 2",
        Some("JWT"),
        r#""aud":"1","iss":"https://login.microsoftonline.example/2/v2.0","sub":"s","azp":"3","scp":"read write","tid":"2","ver":"2.0""#,
        "client_id",
    ),
    (
        "Okta",
        None,
        r#""ver":1,"jti":"AT.1","iss":"https://okta.example/oauth2/default","aud":"api://default","cid":"0oa","uid":"00u","scp":["openid","read"],"sub":"s""#,
        "client_id",
    ),
    (
        "Keycloak",
        Some("JWT"),
        r#""jti":"1","iss":"https://sso.example/realms/test","aud":["realm-management","account"],"sub":"s","typ":"Bearer","azp":"app","scope":"openid read""#,
        "client_id",
    ),
    (
        "Google, an ID token",
        Some("JWT"),
        r#""iss":"https://accounts.google.example","azp":"1","aud":"1","sub":"107","at_hash":"HK6E""#,
        "client_id",
    ),
    (
        "Amazon Cognito",
        None,
        r#""sub":"s","iss":"https://cognito-idp.example/1","client_id":"c","token_use":"access","scope":"openid read","jti":"1""#,
        "aud",
    ),
];

/// A set as they publish it: some keys without `alg`, with certificates beside them, and one for encryption.
fn published(key: &str) -> (Value, String) {
    let key: Value = serde_json::from_str(key).expect("a key is JSON");
    let public = json!({
        "kty": "RSA", "use": "sig", "kid": key["kid"], "x5t": key["kid"], "n": key["n"], "e": key["e"], "x5c": ["MIIC"],
    });
    let encrypts =
        json!({ "kty": "RSA", "use": "enc", "alg": "RSA-OAEP", "kid": "enc", "n": key["n"], "e": key["e"] });
    (key["kid"].clone(), json!({ "keys": [encrypts, public] }).to_string())
}

#[test]
fn a_token_in_the_form_of_a_provider_is_refused_as_rfc_9068_has_it_and_accepted_by_the_option_that_is_named()
{
    let sandbox = Sandbox::with("");
    let key = keygen("RS256", &[]);
    let (kid, set) = published(&key);
    fs::write(sandbox.path().join("key"), set).expect("the folder can be written");
    for (provider, typ, claims, lacking) in FORMS {
        let mut header = json!({ "alg": "RS256", "kid": kid });
        if let Some(typ) = typ {
            header["typ"] = typ.into();
        }
        let token = signed(&key, &header, &format!(r#"{{{claims},"iat":1,"exp":4000000000}}"#));
        let verdict = verified(&sandbox, 1, &[&token]);
        assert_eq!(checks(&verdict, "failed"), "typ claims", "{provider}: {verdict:#}");
        assert!(verdict.to_string().contains(&format!("{lacking} is missing")), "{provider}: {verdict:#}");
        let option = typ.unwrap_or("\"\"");
        let hint = verdict["hint"].as_str().unwrap_or_default();
        assert!(hint.contains(&format!("--typ {option} checks")), "{provider}: {verdict:#}");
        let typed = ["--typ", typ.unwrap_or_default()];
        assert_eq!(
            checks(&verified(&sandbox, 0, &[&typed[..], &[&token]].concat()), "failed"),
            "",
            "{provider}"
        );
        let scoped = [&typed[..], &["--scope", "read", &token]].concat();
        if claims.contains("\"scope\"") {
            verified(&sandbox, 0, &scoped);
        } else {
            let verdict = verified(&sandbox, 1, &scoped);
            assert_eq!(checks(&verdict, "failed"), "scope", "{provider}: {verdict:#}");
            let hint = verdict["hint"].as_str().unwrap_or_default();
            assert_eq!(hint.contains("\"scp\""), claims.contains("\"scp\""), "{provider}: {verdict:#}");
        }
    }
    let stranger = signed(&key, &json!({ "alg": "RS256", "kid": "other", "typ": "JWT" }), "{}");
    let verdict = verified(&sandbox, 1, &["--typ", "JWT", &stranger]).to_string().replace("\\\"", "\"");
    assert!(verdict.contains(&format!("\"other\", where {kid} is the only key")), "{verdict}");
}

#[test]
fn what_cannot_be_verified_here_is_told_with_what_to_do_instead() {
    let sandbox = Sandbox::with("");
    fs::write(sandbox.path().join("key"), keygen("ES256", &[])).expect("the folder can be written");
    for opaque in ["ya29.a0AfB_byC-1234567890", "00D-made-up", "a.b.c.d.e.f"] {
        let verdict = verified(&sandbox, 1, &[opaque]);
        assert!(verdict["hint"].as_str().is_some_and(|hint| hint.contains("introspection")), "{verdict:#}");
    }
    let url = "https://idp.example/jwks";
    let refused = sandbox.refused(&["token", "verify", "--key", url, "x"]).exits(2);
    refused.says(&["cannot use https://idp.example/jwks", "a URL", "curl -fsS https://idp.example/jwks"]);
}

/// `load` with one token from an endpoint that always gives this answer.
fn arguments<'a>(target: &'a str, endpoint: [&'a str; 2], more: &[&'a str]) -> Vec<&'a str> {
    let load =
        ["load", "--target", target, "--client-secret", "s", "--closed", "--requests", "5", "--warmup", "0s"];
    [&load[..], &["--connections", "1"], &endpoint, more].concat()
}

fn ok() -> Scripted {
    Scripted::start(|_| Reply::Keep(OK.to_owned()))
}

#[test]
fn a_token_endpoint_that_gives_no_token_is_quoted_on_one_line_with_what_to_do() {
    let (sandbox, server) = (Sandbox::with(""), ok());
    let target = format!("http://{}/", server.address);
    for (status, body, words) in [
        (
            "302 Found\r\nLocation: https://idp.example/token",
            "<html>",
            &["302", "it moved", "https://idp.example/token"][..],
        ),
        (
            "200 OK",
            r#"{"error":"invalid_client"}"#,
            &["200 OK, but it refused with invalid_client", "--client-id"],
        ),
        ("200 OK", "<!DOCTYPE html>\n<title>Log in</title>", &["a page of HTML"]),
        ("503 Service Unavailable", "busy\r\nnow", &["answered 503", "look into its log: busy now"]),
        ("429 Too Many Requests", r#"{"error":"slow_down"}"#, &["slow_down", "--token-parallel"]),
    ] {
        let length = body.len();
        let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n{body}");
        let endpoint = Scripted::start_with(answer.leak(), |_| Reply::Keep(String::new()));
        let url = format!("http://{}/token", endpoint.address);
        let refused = sandbox.refused(&arguments(&target, ["--token-endpoint", &url], &[])).exits(2);
        assert_eq!(refused.stderr.trim().lines().count(), 1, "{refused:#?}");
        refused.says(words);
    }
    let answer = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
    let nothing = Scripted::start_with(answer, |_| Reply::Keep(String::new()));
    let url = format!("http://{}/realm/.well-known/openid-configuration", nothing.address);
    let issuer = format!("give the issuer that they are of, like http://{}/realm", nothing.address);
    sandbox.refused(&arguments(&target, ["--issuer", &url], &[])).exits(2).says(&[&issuer]);
}

/// Of a token endpoint that answers nobody before so many ask at once.
struct Crowd {
    is_there: Barrier,
    issued: AtomicUsize,
}

impl Crowd {
    fn of(size: usize) -> (Arc<Self>, SocketAddr) {
        let crowd = Arc::new(Self { is_there: Barrier::new(size), issued: AtomicUsize::new(0) });
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        let serving = Arc::clone(&crowd);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let serving = Arc::clone(&serving);
                // It ends with its client.
                thread::spawn(move || serving.serve(&stream));
            }
        });
        (crowd, address)
    }

    fn serve(&self, mut stream: &TcpStream) -> Option<()> {
        let mut reader = BufReader::new(stream);
        loop {
            let (mut line, mut length) = (String::new(), 0);
            while line != "\r\n" {
                line.clear();
                reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
                let field = line.to_ascii_lowercase();
                length = field
                    .strip_prefix("content-length:")
                    .map_or(length, |value| value.trim().parse().expect("a number"));
            }
            reader.read_exact(&mut vec![0; length]).ok()?;
            self.is_there.wait();
            let number = self.issued.fetch_add(1, Ordering::Relaxed);
            let body = format!(r#"{{"access_token":"token-{number}","token_type":"Bearer"}}"#);
            write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()).ok()?;
        }
    }
}

#[test]
fn as_many_tokens_are_asked_for_at_once_as_is_said() {
    let (sandbox, server) = (Sandbox::with(""), ok());
    let target = format!("http://{}/", server.address);
    let (crowd, address) = Crowd::of(7);
    let url = format!("http://{address}/token");
    let more = ["--token-count", "21", "--token-parallel", "7"];
    let ended = sandbox.ended(&arguments(&target, ["--token-endpoint", &url], &more));
    ended.says(&["21 tokens issued in", "with 21 different tokens"]);
    assert_eq!(crowd.issued.load(Ordering::Relaxed), 21);
}

/// A port for TLS that is spoken to without, as many servers do: they end the connection.
#[test]
fn a_provider_that_ends_the_connection_without_tls_may_want_tls() {
    let (sandbox, server) = (Sandbox::with(""), ok());
    let target = format!("http://{}/", server.address);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    thread::spawn(move || listener.incoming().for_each(drop));
    for (option, path) in [("--issuer", ""), ("--token-endpoint", "/token")] {
        let url = format!("http://{address}{path}");
        let refused = sandbox.refused(&arguments(&target, [option, &url], &[])).exits(2);
        refused.says(&[&url, "if it speaks TLS there, write https://"]);
    }
}

#[test]
fn tokens_that_allow_less_than_was_asked_for_or_repeat_are_told() {
    let (sandbox, server) = (Sandbox::with(""), ok());
    let target = format!("http://{}/", server.address);
    let body = r#"{"access_token":"token-1","token_type":"Bearer","expires_in":3600,"scope":"read"}"#;
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let endpoint = Scripted::start_with(answer.leak(), |_| Reply::Keep(String::new()));
    let url = format!("http://{}/token", endpoint.address);
    let place = ["--token-endpoint", &url];
    let ended = sandbox.ended(&arguments(&target, place, &["--token-count", "3", "--scope", "read write"]));
    ended.says(&[
        "does not grant the scope \"write\"",
        "but \"read\"",
        "only 1 of the 3 tokens differ",
        "with 1 different tokens",
    ]);
    let ended = sandbox.ended(&arguments(&target, place, &["--token-count", "1", "--scope", "read"]));
    assert!(!ended.stderr.contains("note: "), "{ended:#?}");
    fs::write(sandbox.path().join("tokens"), "token-1\n").expect("the folder can be written");
    for option in [["--scope", "read"], ["--client-id", "me"]] {
        let file = [&["load", "--target", &target, "--tokens", "tokens", "--closed"][..], &option].concat();
        sandbox.refused(&file).exits(2).says(&["--token-endpoint"]);
    }
}
