//! `/token`: the client credentials grant (RFC 6749 sections 4.4 and 5).

use crate::http::{call, post};
use crate::server::{SECRET, Server, basic};

const GRANT: &str = "grant_type=client_credentials";

#[test]
fn a_client_gets_a_bearer_token_that_no_cache_keeps() {
    let server = Server::authorization(&["--lifetime", "5m", "--scope", "read write"]);
    let answer = server.post("/token", GRANT).expect(200);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("pragma"), Some("no-cache"));
    let body = answer.json();
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(body["expires_in"], 300);
    assert_eq!(body["scope"], "read write");
    assert!(body["access_token"].as_str().unwrap().len() >= 22, "128 bits at least");
    assert_ne!(server.token(), server.token());
}

#[test]
fn a_client_that_does_not_prove_itself_is_challenged() {
    let server = Server::authorization(&[]);
    let wrong = [
        basic("bench", "a guess"),
        basic("stranger", SECRET),
        basic("bench", ""),
        "Authorization: Basic ***".to_owned(),
        "Authorization: Bearer abc".to_owned(),
        "X-Nothing: at-all".to_owned(),
    ];
    for header in wrong {
        let answer = post(server.address, "/token", &[&header], GRANT).refuses(401, "invalid_client");
        let challenge = answer.header("www-authenticate").unwrap();
        assert!(challenge.starts_with("Basic realm="), "{challenge}");
    }
}

#[test]
fn requests_that_are_not_understood_are_refused_in_the_words_of_the_standard() {
    let server = Server::authorization(&[]);
    for (form, error) in [
        ("scope=read", "invalid_request"),
        ("grant_type=", "invalid_request"),
        ("grant_type=password", "unsupported_grant_type"),
        ("grant_type=client_credentials&scope=admin", "invalid_scope"),
        ("grant_type=client_credentials&scope=read+admin", "invalid_scope"),
        ("grant_type=client_credentials&grant_type=client_credentials", "invalid_request"),
        ("", "invalid_request"),
    ] {
        let answer = server.post("/token", form).refuses(400, error);
        assert!(answer.json()["error_description"].is_string(), "{form}");
    }
    for form in ["scope=read&unknown=1", "scope="] {
        server.post("/token", &format!("grant_type=client_credentials&{form}")).expect(200);
    }
}

#[test]
fn what_is_no_form_is_refused_after_who_asks_is_known() {
    let server = Server::authorization(&[]);
    for path in ["/token", "/introspect", "/revoke"] {
        let (request, kind) = (format!("POST {path}"), "Content-Type: application/json");
        let known = basic("bench", SECRET);
        call(server.address, &request, &[kind, &known], "{}").refuses(400, "invalid_request");
        call(server.address, &request, &[kind], "{}").refuses(401, "invalid_client");
        call(server.address, &request, &[], "").refuses(401, "invalid_client");
        call(server.address, &format!("GET {path}"), &[&known], "").expect(405);
    }
}

#[test]
fn a_client_may_have_any_characters_in_its_secret() {
    let secret = "with:colon 100%+ünïcode";
    // Form-encoded before it is Basic-encoded (RFC 6749 section 2.3.1).
    let encoded: String = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let server = Server::authorization(&["--client-secret", secret]);
    post(server.address, "/token", &[&basic("bench", &encoded)], GRANT).expect(200);
}
