//! `/revoke` (RFC 7009), and when each architecture refuses what was revoked.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::http::post;
use crate::server::{Server, access_token, basic};

#[test]
fn a_revoked_token_is_inactive_at_once_and_no_other_is() {
    for kind in [&[][..], &["--signature", "ES256"]] {
        let server = Server::authorization(kind);
        let (kept, revoked) = (server.token(), server.token());
        server.revoke(&revoked);
        assert_eq!(server.introspect(&revoked), json!({ "active": false }));
        assert_eq!(server.introspect(&kept)["active"], true);
        server.revoke(&revoked);
    }
}

#[test]
fn an_unknown_token_is_as_good_as_revoked() {
    let server = Server::authorization(&[]);
    server.revoke("rubbish");
    server.revoke("");
    server.post("/revoke", "token=rubbish&token_type_hint=unheard_of").expect(200);
}

#[test]
fn only_a_client_that_proves_itself_may_revoke() {
    let server = Server::authorization(&[]);
    let token = server.token();
    let form = format!("token={token}");
    post(server.address, "/revoke", &[], &form).refuses(401, "invalid_client");
    post(server.address, "/revoke", &[&basic("bench", "a guess")], &form).refuses(401, "invalid_client");
    server.post("/revoke", "").refuses(400, "invalid_request");
    assert_eq!(server.introspect(&token)["active"], true);
}

#[test]
fn a_client_cannot_revoke_the_token_of_another() {
    let server = Server::with_clients(&["alice", "bob"]);
    let token = access_token(server.post_as("alice", "/token", "grant_type=client_credentials"));
    let form = format!("token={token}");
    let active = || server.post_as("bob", "/introspect", &form).expect(200).json()["active"] == true;
    server.post_as("bob", "/revoke", &form).refuses(400, "invalid_grant");
    assert!(active());
    server.post_as("alice", "/revoke", &form).expect(200);
    assert!(!active());
}

#[test]
fn introspection_refuses_a_revoked_token_at_once() {
    let authorization = Server::authorization(&[]);
    let resource = Server::resource("introspection", &authorization, &[]);
    let token = authorization.token();
    resource.resource_with(&token).expect(200);
    authorization.revoke(&token);
    let challenge = resource.resource_with(&token).expect(401);
    assert!(challenge.header("www-authenticate").unwrap().contains("error=\"invalid_token\""));
}

#[test]
fn a_cache_accepts_a_revoked_token_until_its_answer_is_too_old_and_not_longer() {
    let authorization = Server::authorization(&[]);
    let ttl = Duration::from_secs(2);
    let resource = Server::resource("{ kind = \"introspection-cached\", ttl = \"2s\" }", &authorization, &[]);
    let token = authorization.token();
    let asked = Instant::now();
    resource.resource_with(&token).expect(200);
    let cached = Instant::now();
    authorization.revoke(&token);
    loop {
        let sent = Instant::now();
        let status = resource.resource_with(&token).status;
        let answered = Instant::now();
        // Between question and answer the cache was filled; only outside of that the outcome is certain.
        if answered < asked + ttl {
            assert_eq!(status, 200, "refused although the answer was fresh");
        } else if sent > cached + ttl {
            assert_eq!(status, 401, "accepted although the answer was too old");
            break;
        }
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_jwt_that_nobody_asks_about_works_after_its_revocation() {
    let authorization = Server::authorization(&["--signature", "ES256"]);
    let resource = Server::resource("jwt", &authorization, &[]);
    let token = authorization.token();
    authorization.revoke(&token);
    resource.resource_with(&token).expect(200);
    assert_eq!(authorization.introspect(&token)["active"], false);
}
