//! What other authorization servers answer to an introspection: less than ours, other numbers, or nothing of use.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use bearerbench::auth::token::base64url;
use serde_json::{Value, json};

use crate::http::{get, post};
use crate::server::{SECRET, Server, basic, bearer};

/// An authorization server that answers every question alike: ours says too much, and nothing wrong.
struct Canned {
    address: SocketAddr,
    answer: Arc<Mutex<String>>,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Canned {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it listens");
        let (answer, is_over) = (Arc::<Mutex<String>>::default(), Arc::<AtomicBool>::default());
        let (says, ends) = (Arc::clone(&answer), Arc::clone(&is_over));
        let thread = thread::spawn(move || {
            for stream in listener.incoming() {
                if ends.load(Ordering::Acquire) {
                    return;
                }
                let answer = says.lock().expect("no holder panics").clone();
                let _ = reply(&stream.expect("a connection"), &answer);
            }
        });
        Self { address, answer, is_over, thread: Some(thread) }
    }

    fn says(&self, answer: &str) {
        answer.clone_into(&mut self.answer.lock().expect("no holder panics"));
    }
}

/// Reads one request and sends `answer`.
fn reply(stream: &TcpStream, answer: &str) -> std::io::Result<()> {
    let mut request = BufReader::new(stream.try_clone()?);
    let mut length = 0;
    loop {
        let mut line = String::new();
        request.read_line(&mut line)?;
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().expect("a number");
        }
        if line.trim().is_empty() {
            break;
        }
    }
    request.read_exact(&mut vec![0; length])?;
    let head = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json";
    write!(&*stream, "{head}\r\nContent-Length: {}\r\n\r\n{answer}", answer.len())
}

impl Drop for Canned {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Release);
        let _ = TcpStream::connect(self.address);
        let _ = self.thread.take().expect("it was started").join();
    }
}

/// A resource server whose standard error is heard.
struct Heard {
    child: Child,
    address: SocketAddr,
    stderr: BufReader<ChildStderr>,
}

impl Heard {
    fn start(architecture: &str, issuer: &str, secret: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_bearerbench"))
            .args(["serve", "resource-server", "--listen", "127.0.0.1:0", "--architecture", architecture])
            .args(["--authorization-server", issuer, "--client-secret", secret])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program can be started");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped"))
            .read_line(&mut line)
            .expect("it says where it is");
        let address =
            line.trim().strip_prefix("resource=http://").and_then(|url| url.strip_suffix("/resource"));
        let address = address.expect("the resource").parse().expect("an address");
        let stderr = BufReader::new(child.stderr.take().expect("piped"));
        Self { child, address, stderr }
    }

    fn status(&self) -> u16 {
        get(self.address, "/resource", &[&bearer("x")]).status
    }

    /// The next line on standard error, once it is there.
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stderr.read_line(&mut line).expect("it speaks UTF-8");
        line
    }
}

impl Drop for Heard {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const KINDS: [&str; 2] = ["introspection", "introspection-cached"];

fn architecture(kind: &str, require: &str) -> String {
    // So short that no answer is remembered for the next.
    let ttl = if kind == "introspection" { "" } else { ", ttl = \"1ns\"" };
    format!("{{ kind = \"{kind}\"{ttl}, require = [{require}] }}")
}

#[test]
fn an_answer_needs_active_alone_and_whatever_else_it_says_is_checked() {
    let server = Canned::start();
    let issuer = format!("http://{}", server.address);
    let cases: Vec<(Value, u16)> = vec![
        (json!({ "active": true }), 200),
        (json!({ "active": false }), 401),
        (json!({ "active": false, "exp": "never" }), 401),
        (json!({ "active": true, "token_type": "Bearer", "username": "x" }), 200),
        // Bound to something that nobody can show.
        (json!({ "active": true, "cnf": {} }), 401),
        (json!({ "active": true, "exp": 4_000_000_000.5 }), 200),
        (json!({ "active": true, "exp": 4e9 }), 200),
        (json!({ "active": true, "exp": 1.5 }), 401),
        (json!({ "active": true, "nbf": 4_000_000_000.5 }), 401),
        (json!({ "active": true, "iss": issuer }), 200),
        (json!({ "active": true, "iss": "https://other.example" }), 401),
        (json!({ "active": true, "aud": ["x", "https://api.example/"] }), 200),
        (json!({ "active": true, "aud": "https://other.example/" }), 401),
        (json!({ "active": true, "aud": [] }), 401),
        (json!({ "active": true, "scope": "write read" }), 200),
        (json!({ "active": true, "scope": "reading" }), 403),
        (json!({ "active": true, "scope": "" }), 403),
    ];
    for kind in KINDS {
        let resource = Heard::start(&architecture(kind, ""), &issuer, "x");
        for (answer, status) in &cases {
            server.says(&answer.to_string());
            assert_eq!(resource.status(), *status, "{kind}: {answer}");
        }
    }
}

#[test]
fn a_scenario_says_what_an_answer_must_say() {
    let server = Canned::start();
    let issuer = format!("http://{}", server.address);
    let all = json!({
        "active": true, "iss": issuer, "aud": "https://api.example/", "exp": 4_000_000_000_u64, "scope": "read",
    });
    for kind in KINDS {
        let resource = Heard::start(&architecture(kind, r#""iss", "aud", "exp", "scope""#), &issuer, "x");
        server.says(&all.to_string());
        assert_eq!(resource.status(), 200);
        for (member, status) in [("iss", 401), ("aud", 401), ("exp", 401), ("scope", 403)] {
            let mut less = all.clone();
            less.as_object_mut().unwrap().remove(member);
            server.says(&less.to_string());
            assert_eq!(resource.status(), status, "{kind} without {member}");
        }
    }
}

#[test]
fn an_answer_of_no_use_is_told_in_one_line() {
    let server = Canned::start();
    let issuer = format!("http://{}", server.address);
    for (answer, words) in [
        ("{}", "\"active\" is missing"),
        (r#"{"active":"yes"}"#, "active in the claims of the token has a wrong form"),
        (r#"{"active":true,"exp":"2026-07-01"}"#, "exp in the claims"),
        ("<html>\n\u{1b}[2J</html>", "cannot be read as a JSON object"),
    ] {
        for kind in KINDS {
            let mut resource = Heard::start(&architecture(kind, ""), &issuer, "x");
            server.says(answer);
            assert_eq!(resource.status(), 503, "{answer}");
            let line = resource.line();
            assert!(line.starts_with("the authorization server gave no usable answer: "), "{line}");
            assert!(line.contains(words) && !line.trim_end().contains(char::is_control), "{line}");
        }
    }
}

#[test]
fn a_resource_server_says_why_it_cannot_ask_and_does_not_repeat_it_for_every_request() {
    let authorization = Server::authorization(&[]);
    let issuer = authorization.issuer();
    let mut stranger = Heard::start("introspection", &issuer, "a guess");
    assert_eq!(stranger.status(), 503);
    let line = stranger.line();
    assert!(line.contains("401 Unauthorized") && line.contains(&issuer), "{line}");
    authorization.stop();
    let mut resource = Heard::start("introspection", &issuer, "x");
    let begun = Instant::now();
    for _ in 0..100 {
        assert_eq!(resource.status(), 503);
    }
    let seconds = begun.elapsed().as_secs();
    assert!(resource.line().contains("Connection refused"));
    let _ = resource.child.kill();
    let mut rest = String::new();
    resource.stderr.read_to_string(&mut rest).unwrap();
    assert!(rest.lines().count() as u64 <= seconds + 1, "in {seconds} s: {rest}");
}

/// What stands between the dots of a JWT.
fn part(jwt: &str, number: usize) -> Value {
    let part = jwt.split('.').nth(number).expect("three parts");
    serde_json::from_slice(&base64url::decode(part).expect("base64url")).expect("JSON")
}

#[test]
fn who_asks_for_a_signed_answer_gets_one_for_nobody_else() {
    let authorization = Server::authorization(&["--signature", "ES256", "--serves", "introspection-signed"]);
    let token = authorization.token();
    assert!(!token.contains('.'), "clients hold opaque tokens, not {token}");
    let accept = "Accept: application/token-introspection+jwt";
    let ask = || {
        let headers = [accept, &basic("bench", SECRET)];
        let answer =
            post(authorization.address, "/introspect", &headers, &format!("token={token}")).expect(200);
        assert_eq!(answer.header("content-type"), Some("application/token-introspection+jwt"));
        assert_eq!(part(answer.body(), 0)["typ"], "token-introspection+jwt");
        part(answer.body(), 1)
    };
    let mut said = ask();
    assert_eq!((&said["iss"], &said["aud"]), (&json!(authorization.issuer()), &json!("bench")));
    assert!(said["iat"].is_u64() && said["exp"].is_null() && said["sub"].is_null(), "{said}");
    let answer = said["token_introspection"].take();
    assert!(answer["active"] == true && answer["exp"].is_u64(), "{answer}");
    authorization.revoke(&token);
    assert_eq!(ask()["token_introspection"], json!({ "active": false }));
    let metadata =
        get(authorization.address, "/.well-known/oauth-authorization-server", &[]).expect(200).json();
    assert_eq!(metadata["introspection_signing_alg_values_supported"], json!(["ES256"]));
}

#[test]
fn an_answer_that_should_be_signed_and_is_not_is_told_and_decides_nothing() {
    let server = Canned::start();
    server.says(r#"{"keys":[]}"#);
    let mut resource = Heard::start("introspection-signed", &format!("http://{}", server.address), "x");
    for active in [true, false] {
        server.says(&json!({ "active": active }).to_string());
        assert_eq!(resource.status(), 503, "active: {active}");
    }
    let line = resource.line();
    assert!(line.contains("expected a JWT as signed introspection answer"), "{line}");
}
