//! `/introspect` (RFC 7662), for opaque tokens and JWTs alike.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;

use crate::http::post;
use crate::server::{Server, basic};

/// An authorization server of every kind of token.
fn of_every_kind(more: &[&str]) -> [Server; 3] {
    [&[][..], &["--signature", "ES256"], &["--signature", "ML-DSA-65"]]
        .map(|kind| Server::authorization(&[kind, more].concat()))
}

#[test]
fn an_active_token_is_told_with_what_it_says() {
    for server in of_every_kind(&["--audience", "https://files.example/", "--lifetime", "10m"]) {
        let said = server.introspect(&server.token());
        assert_eq!(said["active"], true);
        assert_eq!(said["iss"], server.issuer());
        assert_eq!(said["aud"], "https://files.example/");
        assert_eq!(said["sub"], "bench");
        assert_eq!(said["client_id"], "bench");
        assert_eq!(said["scope"], "read");
        assert!(said["jti"].as_str().unwrap().len() >= 22);
        let (issued, expires) = (said["iat"].as_u64().unwrap(), said["exp"].as_u64().unwrap());
        assert_eq!(expires - issued, 600);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        assert!(now.abs_diff(issued) < 60, "{issued} is not now");
    }
}

#[test]
fn groups_are_in_the_answer_whoever_keeps_the_claims_and_in_the_token_where_clients_hold_them() {
    let lengths = |more: &[&str]| {
        of_every_kind(more).map(|server| {
            let token = server.token();
            let mut said = server.introspect(&token);
            let groups = said.as_object_mut().unwrap().remove("groups").unwrap_or_default();
            assert_eq!(groups.as_array().map_or(0, Vec::len), if more.is_empty() { 0 } else { 204 });
            // With the comma and the name of the member.
            (token.len(), if more.is_empty() { 0 } else { format!(",\"groups\":{groups}").len() })
        })
    };
    let (bare, full) = (lengths(&[]), lengths(&["--extra-claims", "8KB"]));
    assert_eq!(full.map(|(_, answered)| answered), [8_000; 3]);
    assert_eq!(full[0].0, bare[0].0, "an opaque token says nothing");
    for (full, bare) in full[1..].iter().zip(&bare[1..]) {
        // Base64url makes four characters of three bytes.
        assert!((full.0 - bare.0).abs_diff(10_667) <= 1, "{full:?} beside {bare:?}");
    }
}

#[test]
fn of_a_token_that_is_not_active_nothing_else_is_said() {
    for server in of_every_kind(&[]) {
        let token = server.token();
        let tampered = format!("{}x", &token[..token.len() - 1]);
        let revoked = server.token();
        server.revoke(&revoked);
        for token in ["rubbish", "a.b.c", "", "%FF", &tampered, &revoked] {
            assert_eq!(server.introspect(token), json!({ "active": false }), "{token}");
        }
        assert_eq!(server.introspect(&token)["active"], true);
    }
}

#[test]
fn a_token_that_has_expired_is_not_active() {
    for server in of_every_kind(&["--lifetime", "0s"]) {
        assert_eq!(server.introspect(&server.token()), json!({ "active": false }));
    }
}

#[test]
fn a_token_of_another_server_is_not_active() {
    let [first, second] = [(); 2].map(|()| Server::authorization(&["--signature", "ES256"]));
    assert_eq!(second.introspect(&first.token()), json!({ "active": false }));
}

#[test]
fn only_a_client_that_proves_itself_may_ask() {
    let server = Server::authorization(&[]);
    let form = format!("token={}", server.token());
    post(server.address, "/introspect", &[], &form).refuses(401, "invalid_client");
    post(server.address, "/introspect", &[&basic("bench", "a guess")], &form).refuses(401, "invalid_client");
}

#[test]
fn a_question_about_no_token_or_two_is_refused() {
    let server = Server::authorization(&[]);
    for form in ["", "token_type_hint=access_token", "token=a&token=b"] {
        server.post("/introspect", form).refuses(400, "invalid_request");
    }
    server.post("/introspect", "token=a&token_type_hint=refresh_token").expect(200);
}

#[test]
fn no_cache_keeps_an_answer() {
    let server = Server::authorization(&[]);
    let answer = server.post("/introspect", "token=rubbish").expect(200);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}
