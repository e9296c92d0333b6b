//! Resource servers whose authorization server is gone.

use std::process::{Command, Stdio};

use serde_json::Value;

use crate::http::get;
use crate::server::Server;

#[test]
fn introspection_answers_503_when_nobody_can_be_asked_and_says_when_to_try_again() {
    let authorization = Server::authorization(&[]);
    let resource = Server::resource("introspection", &authorization, &[]);
    let token = authorization.token();
    resource.resource_with(&token).expect(200);
    authorization.stop();
    let answer = resource.resource_with(&token).expect(503);
    assert_eq!(answer.header("retry-after"), Some("1"));
    assert_eq!(answer.header("www-authenticate"), None, "nothing is known of the token");
}

#[test]
fn a_cache_answers_for_known_tokens_and_503_for_the_others() {
    let authorization = Server::authorization(&[]);
    let resource = Server::resource("{ kind = \"introspection-cached\", ttl = \"1h\" }", &authorization, &[]);
    let (known, unknown) = (authorization.token(), authorization.token());
    resource.resource_with(&known).expect(200);
    authorization.stop();
    resource.resource_with(&known).expect(200);
    resource.resource_with(&unknown).expect(503);
}

#[test]
fn an_old_answer_is_used_while_nobody_can_be_asked_and_counted_and_other_tokens_get_503() {
    let authorization = Server::authorization(&[]);
    let cached =
        "{ kind = \"introspection-cached\", ttl = \"50ms\", stale_if_error = \"1h\", coalesce = true }";
    let resource = Server::resource(cached, &authorization, &[]);
    let (known, unknown) = (authorization.token(), authorization.token());
    resource.resource_with(&known).expect(200);
    let stale = || {
        let counts = get(resource.address, "/bench/counts", &[]).expect(200).json();
        counts.get("cache_stale_answers").and_then(Value::as_u64)
    };
    assert_eq!(stale(), None, "what is zero is not told");
    authorization.stop();
    // Until its answer has ended.
    while stale().is_none() {
        resource.resource_with(&known).expect(200);
    }
    resource.resource_with(&unknown).expect(503);
}

#[test]
fn jwts_are_accepted_and_refused_as_before() {
    let authorization = Server::authorization(&["--signature", "ES256"]);
    let resource = Server::resource("jwt", &authorization, &[]);
    let (seen, new) = (authorization.token(), authorization.token());
    resource.resource_with(&seen).expect(200);
    authorization.stop();
    resource.resource_with(&seen).expect(200);
    resource.resource_with(&new).expect(200);
    resource.resource_with(&format!("{new}x")).expect(401);
}

#[test]
fn a_resource_server_that_needs_keys_does_not_start_without_and_says_why() {
    let authorization = Server::authorization(&[]);
    let issuer = authorization.issuer();
    authorization.stop();
    let ended = Command::new(env!("CARGO_BIN_EXE_bearerbench"))
        .args(["serve", "resource-server", "--listen", "127.0.0.1:0", "--architecture", "jwt"])
        .args(["--authorization-server", &issuer])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(ended.status.code(), Some(1));
    let said = String::from_utf8(ended.stderr).unwrap();
    for words in ["the resource server cannot start", &issuer, "Connection refused"] {
        assert!(said.contains(words), "no {words:?} in {said}");
    }
}
