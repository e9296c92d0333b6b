//! `/deny-list`, and a resource server that polls it.

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::http::{PATIENCE, get};
use crate::server::{SECRET, Server};

const POLL: Duration = Duration::from_secs(4);
const ARCHITECTURE: &str = "{ kind = \"jwt-deny-list\", poll = \"4s\" }";

fn authorization() -> Server {
    Server::authorization(&["--signature", "ES256", "--serves", ARCHITECTURE])
}

/// How often the list was fetched.
fn fetches(authorization: &Server) -> u64 {
    let calls = get(authorization.address, "/bench/calls", &[]).expect(200).json();
    calls["/deny-list"].as_u64().expect("it is counted")
}

#[test]
fn a_revoked_token_is_accepted_until_the_list_was_polled_and_not_longer() {
    let authorization = authorization();
    let started = Instant::now();
    let resource = Server::resource(ARCHITECTURE, &authorization, &[]);
    let (kept, revoked) = (authorization.token(), authorization.token());
    resource.resource_with(&revoked).expect(200);
    authorization.revoke(&revoked);
    let fetches_before = fetches(&authorization);
    loop {
        // When the second fetch after the revocation has begun, the first one has ended.
        let is_known = fetches(&authorization) >= fetches_before + 2;
        let answer = resource.resource_with(&revoked);
        if started.elapsed() < POLL {
            assert_eq!(answer.status, 200, "refused before the first poll");
        } else if is_known {
            assert_eq!(answer.status, 401, "accepted although the list was fetched");
            assert!(answer.header("www-authenticate").unwrap().contains("error=\"invalid_token\""));
            break;
        }
        thread::sleep(Duration::from_millis(20));
    }
    resource.resource_with(&kept).expect(200);
    authorization.stop();
    resource.resource_with(&kept).expect(200);
    resource.resource_with(&revoked).expect(401);
}

#[test]
fn polls_and_those_that_failed_are_counted() {
    let authorization = authorization();
    let resource = Server::resource("{ kind = \"jwt-deny-list\", poll = \"100ms\" }", &authorization, &[]);
    let counts = || {
        let counts = get(resource.address, "/bench/counts", &[]).expect(200).json();
        ["document_fetches", "failed_document_fetches"].map(|name| counts[name].as_u64().expect(name))
    };
    let wait_until = |what: &str, is_so: &dyn Fn([u64; 2]) -> bool| {
        let begun = Instant::now();
        while !is_so(counts()) {
            assert!(begun.elapsed() < PATIENCE, "waited in vain for {what}");
            thread::sleep(Duration::from_millis(10));
        }
    };
    wait_until("the keys, the list and a poll", &|[all, _]| all > 2);
    assert_eq!(counts()[1], 0);
    authorization.stop();
    wait_until("polls that fail", &|[_, failed]| failed > 1);
}

#[test]
fn the_list_names_what_was_revoked_and_is_not_sent_again_while_it_is_the_same() {
    let authorization = authorization();
    let metadata = get(authorization.address, "/.well-known/oauth-authorization-server", &[]).expect(200);
    assert_eq!(metadata.json()["deny_list_uri"], format!("{}/deny-list", authorization.issuer()));

    let list = |headers: &[&str]| get(authorization.address, "/deny-list", headers);
    let empty = list(&[]).expect(200);
    assert_eq!(empty.json(), json!({ "revoked": [] }));
    assert_eq!(empty.header("cache-control"), Some("no-cache"));
    let known = format!("If-None-Match: \"another\", W/{}", empty.header("etag").unwrap());
    assert_eq!(list(&[&known]).expect(304).body(), "");
    assert_eq!(list(&[&known]).header("etag"), empty.header("etag"), "RFC 9110 section 15.4.5");

    let token = authorization.token();
    let jti = authorization.introspect(&token)["jti"].clone();
    authorization.revoke(&token);
    let one = list(&[&known]).expect(200);
    assert_eq!(one.json(), json!({ "revoked": [jti] }));
    assert_ne!(one.header("etag"), empty.header("etag"));
}

#[test]
fn an_authorization_server_publishes_no_list_that_nobody_fetches() {
    let authorization = Server::authorization(&["--signature", "ES256"]);
    get(authorization.address, "/deny-list", &[]).expect(404);
    let metadata = get(authorization.address, "/.well-known/oauth-authorization-server", &[]).expect(200);
    assert_eq!(metadata.json()["deny_list_uri"], Value::Null);
}

#[test]
fn a_resource_server_that_finds_no_list_names_the_flag_that_publishes_it() {
    let authorization = Server::authorization(&["--signature", "ES256"]);
    let resource = Command::new(env!("CARGO_BIN_EXE_bearerbench"))
        .args(["serve", "resource-server", "--listen", "127.0.0.1:0", "--architecture", ARCHITECTURE])
        .args(["--authorization-server", &authorization.issuer()])
        .env("BEARERBENCH_CLIENT_SECRET", SECRET)
        .output()
        .expect("the program can be started");
    let said = String::from_utf8(resource.stderr).expect("it speaks UTF-8");
    assert!(!resource.status.success() && said.contains("/deny-list (404 Not Found)"), "{said}");
    assert!(said.contains("start `serve authorization-server` with `--serves`"), "{said}");
}
