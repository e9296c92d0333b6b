//! `/token` with a refresh token (RFC 6749 section 6), and what a second use of one does (RFC 9700 section 4.14.2).

use serde_json::{Value, json};

use crate::http::{Answer, get, post};
use crate::server::{SECRET, Server, basic};

/// Servers of opaque tokens and of JWTs that live for 5 s and are refreshed for 10 minutes.
fn servers() -> [Server; 2] {
    let refreshing = ["--lifetime", "5s", "--refresh-tokens", "10m"];
    let signed = [&refreshing[..], &["--signature", "ES256"]].concat();
    [Server::authorization(&refreshing), Server::authorization(&signed)]
}

fn text<'a>(answer: &'a Value, member: &str) -> &'a str {
    answer[member].as_str().unwrap_or_else(|| panic!("no {member} in {answer}"))
}

fn issued(server: &Server) -> Value {
    server.post("/token", "grant_type=client_credentials").expect(200).json()
}

fn refresh(server: &Server, refresh_token: &str, more: &str) -> Answer {
    server.post("/token", &format!("grant_type=refresh_token&refresh_token={refresh_token}{more}"))
}

/// The next tokens in the place of these.
fn next(server: &Server, answer: &Value) -> Value {
    refresh(server, text(answer, "refresh_token"), "").expect(200).json()
}

#[test]
fn a_refresh_token_brings_an_answer_like_the_first_with_other_tokens() {
    for server in servers() {
        let first = issued(&server);
        let answer = refresh(&server, text(&first, "refresh_token"), "").expect(200);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("pragma"), Some("no-cache"));
        let second = answer.json();
        for member in ["token_type", "expires_in", "scope"] {
            assert_eq!(second[member], first[member]);
        }
        for member in ["access_token", "refresh_token"] {
            assert_ne!(text(&second, member), text(&first, member));
        }
        for answer in [&first, &second] {
            assert_eq!(server.introspect(text(answer, "access_token"))["active"], true);
        }
        let calls = get(server.address, "/bench/calls", &[]).expect(200).json();
        assert_eq!((&calls["/token"], &calls["/token refresh_token"]), (&json!(1), &json!(1)));
    }
}

#[test]
fn a_second_use_revokes_every_token_of_the_grant() {
    for server in servers() {
        let first = issued(&server);
        let second = next(&server, &first);
        let third = next(&server, &second);
        let why = refresh(&server, text(&first, "refresh_token"), "").refuses(400, "invalid_grant").json();
        assert!(text(&why, "error_description").contains("used before"), "{why}");
        for answer in [&first, &second, &third] {
            assert_eq!(server.introspect(text(answer, "access_token")), json!({ "active": false }));
            refresh(&server, text(answer, "refresh_token"), "").refuses(400, "invalid_grant");
        }
        assert_eq!(server.introspect(text(&issued(&server), "access_token"))["active"], true);
    }
}

#[test]
fn a_revoked_refresh_token_is_refused_at_once_and_its_access_tokens_with_it() {
    for server in servers() {
        let first = issued(&server);
        let second = next(&server, &first);
        server.revoke(text(&second, "refresh_token"));
        refresh(&server, text(&second, "refresh_token"), "").refuses(400, "invalid_grant");
        for answer in [&first, &second] {
            assert_eq!(server.introspect(text(answer, "access_token")), json!({ "active": false }));
        }
    }
}

#[test]
fn what_is_no_refresh_is_refused_in_the_words_of_the_standard_and_uses_nothing_up() {
    for server in servers() {
        let first = issued(&server);
        let token = text(&first, "refresh_token");
        server.post("/token", "grant_type=refresh_token").refuses(400, "invalid_request");
        refresh(&server, "", "").refuses(400, "invalid_request");
        refresh(&server, "rubbish", "").refuses(400, "invalid_grant");
        refresh(&server, text(&first, "access_token"), "").refuses(400, "invalid_grant");
        refresh(&server, token, "&scope=admin").refuses(400, "invalid_scope");
        let form = format!("grant_type=refresh_token&refresh_token={token}");
        post(server.address, "/token", &[], &form).refuses(401, "invalid_client");
        post(server.address, "/token", &[&basic("stranger", SECRET)], &form).refuses(401, "invalid_client");
        refresh(&server, token, "&scope=read").expect(200);
    }
}

#[test]
fn a_client_that_may_not_refresh_gets_no_refresh_token() {
    let server = Server::authorization(&[]);
    assert_eq!(issued(&server).get("refresh_token"), None);
}
