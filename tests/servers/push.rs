//! `/revocation-events`, and resource servers that follow them.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use bearerbench::auth::token::TokenId;
use bearerbench::auth::token::signature::SignatureScheme;
use bearerbench::registry::Part;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::http::{PATIENCE, get};
use crate::server::{SECRET, Server, basic};

/// Nothing but an event tells them of a revocation within an hour.
const DENY_LIST: &str = "{ kind = \"jwt-deny-list-pushed\", silence = \"1h\", stale_on_error = \"1h\" }";
const CACHE: &str = "{ kind = \"introspection-cached\", ttl = \"1h\", push = true, silence = \"1h\" }";

fn counts(resource: &Server) -> Value {
    get(resource.address, "/bench/counts", &[]).expect(200).json()
}

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "waited in vain for {what}");
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_revoked_token_is_refused_as_soon_as_its_event_has_come_and_the_event_is_counted() {
    for (architecture, opened) in [(DENY_LIST, "push_snapshots"), (CACHE, "push_flushes")] {
        let authorization = Server::authorization(&["--signature", "ES256", "--serves", architecture]);
        let resource = Server::resource(architecture, &authorization, &[]);
        wait_until("the stream", || counts(&resource)[opened] == 1);
        let (kept, revoked) = (authorization.token(), authorization.token());
        for token in [&kept, &revoked] {
            resource.resource_with(token).expect(200);
        }
        authorization.revoke(&revoked);
        wait_until("the event", || counts(&resource)["push_events"] == 1);
        let answer = resource.resource_with(&revoked).expect(401);
        assert!(answer.header("www-authenticate").unwrap().contains("error=\"invalid_token\""));
        resource.resource_with(&kept).expect(200);
        assert_eq!(counts(&resource)["push_reconnects"], 0);
        // Another event is asked for once the one before was counted.
        let heard = || get(resource.address, "/bench/heard", &[]).expect(200).json();
        wait_until("the next question", || heard().as_array().expect("a list").len() == 1);
        let hash = TokenId::of(&revoked).to_base64url();
        assert_eq!(heard()[0]["token"], hash);
    }
}

#[test]
fn an_authorization_server_that_was_started_again_is_followed_anew_and_nothing_is_forgotten() {
    let folder = TempDir::new().expect("a folder");
    let key = folder.path().join("key");
    let fresh = Part::<dyn SignatureScheme>::named("ES256").expect("registered").generate().expect("a key");
    std::fs::write(&key, serde_json::to_vec(&fresh).expect("plain data")).expect("a file");
    let arguments = ["--signing-key", key.to_str().expect("UTF-8"), "--serves", DENY_LIST];
    let first = Server::authorization(&arguments);
    let address = first.address.to_string();
    let resource = Server::resource(DENY_LIST, &first, &[]);
    let [kept, early, late] = [first.token(), first.token(), first.token()];
    first.revoke(&early);
    wait_until("the first event", || counts(&resource)["push_events"] == 1);
    first.stop();
    resource.resource_with(&kept).expect(200);
    let second = Server::authorization_on(&address, &arguments);
    // Its store is empty, and so is its snapshot.
    let snapshot = get(second.address, "/revocations", &[]).expect(200);
    assert_eq!(snapshot.json(), json!({ "revoked": {} }));
    wait_until("a second snapshot", || counts(&resource)["push_snapshots"] == 2);
    resource.resource_with(&early).expect(401);
    resource.resource_with(&late).expect(200);
    second.revoke(&late);
    wait_until("the second event", || counts(&resource)["push_events"] == 2);
    for revoked in [&early, &late] {
        resource.resource_with(revoked).expect(401);
    }
    resource.resource_with(&kept).expect(200);
    assert_eq!(counts(&resource)["push_reconnects"], 1);
}

#[test]
fn without_the_stream_tokens_are_refused_after_the_time_that_is_set() {
    let architecture = "{ kind = \"jwt-deny-list-pushed\", silence = \"200ms\", stale_on_error = \"200ms\" }";
    let authorization = Server::authorization(&["--signature", "ES256", "--serves", architecture]);
    let resource = Server::resource(architecture, &authorization, &[]);
    let token = authorization.token();
    wait_until("a heartbeat in time", || resource.resource_with(&token).status == 200);
    authorization.stop();
    wait_until("the end of the time", || resource.resource_with(&token).status == 503);
}

/// The lines of a stream of events, its head first.
fn stream(server: &Server, query: &str, more: &str) -> impl Iterator<Item = String> + use<> {
    let mut stream = TcpStream::connect(server.address).expect("it listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("time-outs can be set");
    let authorization = basic("bench", SECRET);
    let head = format!("GET /revocation-events{query} HTTP/1.1\r\nHost: {}\r\n", server.address);
    write!(stream, "{head}{authorization}\r\n{more}\r\n").expect("it reads");
    BufReader::new(stream).lines().map(|line| line.expect("UTF-8"))
}

#[test]
fn the_stream_is_one_of_server_sent_events_that_any_client_can_resume() {
    let server = Server::authorization(&["--signature", "ES256"]);
    let metadata = get(server.address, "/.well-known/oauth-authorization-server", &[]).expect(200).json();
    let published = format!("{}/revocation-events", server.issuer());
    assert_eq!(metadata["revocation_events_endpoint"], published);

    let mut lines = stream(&server, "?heartbeat=20", "");
    assert_eq!(lines.next().as_deref(), Some("HTTP/1.1 200 OK"));
    let head: Vec<String> = lines.by_ref().take_while(|line| !line.is_empty()).collect();
    for header in ["content-type: text/event-stream", "cache-control: no-cache"] {
        assert!(head.iter().any(|line| line == header), "{head:?}");
    }
    let mut line =
        |begin: &str| lines.find_map(|line| line.strip_prefix(begin).map(str::to_owned)).expect("it goes on");
    assert_eq!(line("event: "), "begun");
    let begin = line("id: ");
    assert_eq!(line("data: "), r#"{"resumed":false}"#);
    for _ in 0..3 {
        line(": up to date");
    }
    let token = server.token();
    let claims = server.introspect(&token);
    server.revoke(&token);
    assert_eq!(line("event: "), "revoked");
    let id = line("id: ");
    let event: Value = serde_json::from_str(&line("data: ")).expect("JSON");
    assert_eq!((&event["jti"], event["token"].as_str().map(str::len)), (&claims["jti"], Some(43)));
    assert!(event["exp"].as_u64() >= claims["exp"].as_u64());

    for (last, resumed, next) in
        [(&begin, true, Some(&id)), (&id, true, None), (&"0-0".to_owned(), false, None)]
    {
        let mut lines = stream(&server, "", &format!("Last-Event-ID: {last}\r\n"));
        let resumed = format!("data: {{\"resumed\":{resumed}}}");
        assert!(lines.any(|line| line == resumed), "{last}");
        let said = lines.find_map(|line| match line.split_once(' ') {
            Some(("id:", id)) => Some(Some(id.to_owned())),
            Some((":", _)) => Some(None),
            _ => None,
        });
        assert_eq!(said.expect("it goes on").as_ref(), next, "{last}");
    }
}

#[test]
fn only_a_client_that_proves_itself_may_follow() {
    let server = Server::authorization(&[]);
    let follow =
        |query: &str, headers: &[&str]| get(server.address, &format!("/revocation-events{query}"), headers);
    follow("", &[]).refuses(401, "invalid_client");
    follow("", &[&basic("bench", "a guess")]).refuses(401, "invalid_client");
    for query in ["?heartbeat=soon", "?heartbeat=0"] {
        follow(query, &[&basic("bench", SECRET)]).refuses(400, "invalid_request");
    }
}
