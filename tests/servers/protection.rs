//! The protected resource (RFC 6750), whatever the architecture behind it.

use bearerbench::auth::architecture::{ARCHITECTURES, Tokens};
use bearerbench::auth::token::signature::SignatureScheme;
use bearerbench::design::Checks;
use bearerbench::registry::{Choice, Part};

use crate::http::{Answer, call, get};
use crate::server::{Server, bearer};

/// Every architecture that checks something, with an authorization server whose tokens it takes.
fn of_every_kind(more: &[&str]) -> Vec<(Server, Server)> {
    let mut servers = Vec::new();
    for choice in ARCHITECTURES.examples() {
        let architecture = ARCHITECTURES.resolve(choice.clone()).expect("an example");
        if architecture.design().checks == Checks::Nothing {
            continue;
        }
        let written = written(&choice);
        let signatures: &[&[&str]] = match architecture.tokens() {
            Tokens::Any => &[&[]],
            Tokens::Jwt | Tokens::Phantom | Tokens::Split | Tokens::SignedAnswers => {
                &[&["--signature", "ES256"], &["--signature", "ML-DSA-65"]]
            }
        };
        for signature in signatures {
            let scheme = signature.last().map(|alg| Part::<dyn SignatureScheme>::named(alg).expect("known"));
            if scheme.is_some_and(|scheme| architecture.accepts(&*scheme).is_err()) {
                continue;
            }
            let authorization = Server::authorization(&[*signature, &["--serves", &written]].concat());
            let hops: Vec<usize> =
                (0..architecture.hops().count()).map(|hop| architecture.at_hop(hop).len()).collect();
            let resource = Server::chain(&written, &hops, &authorization, more);
            servers.push((authorization, resource));
        }
    }
    servers
}

/// As on a command line.
fn written(choice: &Choice) -> String {
    if choice.settings.is_empty() {
        return choice.kind.clone();
    }
    toml::Value::try_from(choice).expect("settings are TOML").to_string()
}

#[track_caller]
fn challenge(answer: &Answer) -> &str {
    let challenge = answer.header("www-authenticate").expect("a refusal carries a challenge");
    assert!(challenge.starts_with("Bearer "), "{challenge}");
    challenge
}

#[test]
fn a_good_token_gets_the_resource() {
    for (authorization, resource) in of_every_kind(&[]) {
        let answer = resource.resource_with(&authorization.token()).expect(200);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.json()["resource"], "accepted");
        get(resource.address, "/resource", &[&format!("authorization: bEARER {}", authorization.token())])
            .expect(200);
    }
}

#[test]
fn a_request_without_a_token_is_challenged_without_an_error_code() {
    for (_authorization, resource) in of_every_kind(&[]) {
        for headers in [&[][..], &["Authorization: Basic YTpi"], &["Authorization: Bearer"]] {
            let answer = get(resource.address, "/resource", headers).expect(401);
            let challenge = challenge(&answer);
            assert!(!challenge.contains("error"), "RFC 6750 section 3.1: {challenge}");
        }
    }
}

#[test]
fn a_bad_token_is_refused_as_invalid() {
    for (authorization, resource) in of_every_kind(&[]) {
        let token = authorization.token();
        let middle = token.len() / 2;
        let other = if token.as_bytes()[middle] == b'A' { "B" } else { "A" };
        let tampered = format!("{}{other}{}", &token[..middle], &token[middle + 1..]);
        for bad in ["rubbish", "a.b.c", "..", &tampered, "two words"] {
            let answer = resource.resource_with(bad).expect(401);
            let challenge = challenge(&answer);
            assert!(challenge.contains("error=\"invalid_token\""), "{bad}: {challenge}");
        }
    }
}

#[test]
fn a_token_of_another_authorization_server_is_refused() {
    for (_authorization, resource) in of_every_kind(&[]) {
        let stranger = Server::authorization(&["--signature", "ES256"]);
        let answer = resource.resource_with(&stranger.token()).expect(401);
        assert!(challenge(&answer).contains("error=\"invalid_token\""));
    }
}

#[test]
fn a_token_for_another_audience_or_past_its_end_is_refused() {
    for refused in [["--audience", "https://other.example/"], ["--lifetime", "0s"]] {
        for (architecture, signature) in [("introspection", &[][..]), ("jwt", &["--signature", "ES256"])] {
            let authorization = Server::authorization(&[signature, &refused].concat());
            let resource = Server::resource(architecture, &authorization, &[]);
            let answer = resource.resource_with(&authorization.token()).expect(401);
            assert!(challenge(&answer).contains("error=\"invalid_token\""), "{architecture} {refused:?}");
        }
    }
}

#[test]
fn a_token_that_lacks_the_scope_is_forbidden() {
    for (authorization, resource) in of_every_kind(&["--scope", "write"]) {
        let answer = resource.resource_with(&authorization.token()).expect(403);
        assert!(challenge(&answer).contains("error=\"insufficient_scope\""));
    }
}

#[test]
fn two_tokens_in_one_request_are_a_bad_request() {
    for (authorization, resource) in of_every_kind(&[]) {
        let header = bearer(&authorization.token());
        let answer = get(resource.address, "/resource", &[&header, &header]).expect(400);
        assert!(challenge(&answer).contains("error=\"invalid_request\""));
    }
}

#[test]
fn the_control_checks_nothing() {
    let authorization = Server::authorization(&[]);
    let resource = Server::resource("none", &authorization, &[]);
    resource.resource_with("rubbish").expect(200);
    get(resource.address, "/resource", &[]).expect(401);
}

#[test]
fn there_is_one_resource_and_it_can_be_fetched_only() {
    let authorization = Server::authorization(&[]);
    let resource = Server::resource("none", &authorization, &[]);
    get(resource.address, "/", &[]).expect(404);
    let answer = call(resource.address, "DELETE /resource", &[], "").expect(405);
    assert_eq!(answer.header("allow"), Some("GET, HEAD"), "RFC 9110 section 15.5.6");
    call(resource.address, "HEAD /", &[], "").expect(404);
}

#[test]
fn head_gets_the_head_that_get_gets_and_no_content() {
    for (authorization, resource) in of_every_kind(&[]) {
        let (good, bad) = (bearer(&authorization.token()), bearer("rubbish"));
        let requests: [&[&str]; 4] = [&[], &[&good], &[&bad], &[&good, &good]];
        for (headers, status) in requests.into_iter().zip([401, 200, 401, 400]) {
            let [get, head] = ["GET", "HEAD"].map(|method| {
                call(resource.address, &format!("{method} /resource"), headers, "").expect(status)
            });
            for name in ["content-type", "content-length", "cache-control", "www-authenticate"] {
                assert_eq!(head.header(name), get.header(name), "{name}");
            }
            assert_eq!(head.body(), "", "RFC 9110 section 9.3.2");
        }
    }
    let authorization = Server::authorization(&[]);
    let resource = Server::resource("none", &authorization, &[]);
    for path in ["/bench/counts", "/bench/decisions", "/bench/heard"] {
        assert_eq!(call(resource.address, &format!("HEAD {path}"), &[], "").expect(200).body(), "");
    }
    for path in ["/jwks", "/.well-known/oauth-authorization-server"] {
        assert_eq!(call(authorization.address, &format!("HEAD {path}"), &[], "").expect(200).body(), "");
    }
}
