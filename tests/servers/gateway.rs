//! A gateway, and the resource server behind it.

use bearerbench::auth::token::TokenId;
use bearerbench::plan::PROBE_HEADER;
use serde_json::json;

use crate::http::{Answer, get, post};
use crate::server::{SECRET, Server, basic, bearer};

const ARCHITECTURE: &str = "{ kind = \"phantom-token\", gateway = { ttl = \"1h\" } }";

/// An authorization server, and a gateway with a resource server behind it.
fn servers() -> (Server, Server) {
    let authorization = Server::authorization(&["--signature", "ES256", "--serves", ARCHITECTURE]);
    let gateway = Server::chain(ARCHITECTURE, &[1, 1], &authorization, &[]);
    (authorization, gateway)
}

/// Introspection that wants a JWT.
fn as_jwt(authorization: &Server, token: &str) -> Answer {
    let headers = ["Accept: application/jwt".to_owned(), basic("bench", SECRET)];
    let headers = headers.each_ref().map(String::as_str);
    post(authorization.address, "/introspect", &headers, &format!("token={token}"))
}

fn count(server: &Server, path: &str, name: &str) -> Option<u64> {
    get(server.address, path, &[]).expect(200).json()[name].as_u64()
}

#[test]
fn an_opaque_token_gets_the_resource_that_is_behind_and_there_a_jwt() {
    let (authorization, gateway) = servers();
    let inner = &gateway.behind[0];
    let token = authorization.token();
    assert!(!token.contains('.'), "a client holds {token}");
    assert_eq!(gateway.resource_with(&token).expect(200).json()["resource"], "accepted");
    inner.resource_with(&token).expect(401);
    get(inner.address, "/resource", &[]).expect(401);
    get(gateway.address, "/resource", &[]).expect(401);

    let answer = as_jwt(&authorization, &token).expect(200);
    assert_eq!(answer.header("content-type"), Some("application/jwt"));
    let jwt = answer.body();
    assert_eq!(jwt.split('.').count(), 3, "{jwt}");
    inner.resource_with(jwt).expect(200);
    gateway.resource_with(jwt).expect(401);
}

#[test]
fn bad_tokens_do_not_come_further_than_the_gateway() {
    let (authorization, gateway) = servers();
    let inner = &gateway.behind[0];
    let revoked = authorization.token();
    authorization.revoke(&revoked);
    for bad in ["rubbish", "a.b.c", &revoked] {
        gateway.resource_with(bad).expect(401);
        assert_eq!(as_jwt(&authorization, bad).expect(204).body(), "");
    }
    assert_eq!(count(inner, "/bench/counts", "requests"), Some(0));
}

#[test]
fn a_revoked_token_is_accepted_for_as_long_as_the_gateway_keeps_the_answer_about_it() {
    let (authorization, gateway) = servers();
    let (known, unknown) = (authorization.token(), authorization.token());
    gateway.resource_with(&known).expect(200);
    authorization.revoke(&known);
    authorization.revoke(&unknown);
    gateway.resource_with(&known).expect(200);
    gateway.resource_with(&unknown).expect(401);
    let asked = count(&authorization, "/bench/calls", "/introspect");
    assert_eq!(asked, Some(2), "once for each token");
}

#[test]
fn a_server_behind_that_is_gone_is_a_bad_gateway_and_counted() {
    let (authorization, mut gateway) = servers();
    let token = authorization.token();
    gateway.resource_with(&token).expect(200);
    gateway.behind.remove(0).stop();
    for _ in 0..3 {
        assert_eq!(gateway.resource_with(&token).expect(502).header("www-authenticate"), None);
    }
    assert_eq!(count(&gateway, "/bench/counts", "bad_gateway"), Some(3));
    assert_eq!(count(&gateway, "/bench/counts", "gateway_timeout"), Some(0));
    gateway.resource_with("rubbish").expect(401);
}

#[test]
fn a_server_that_is_no_gateway_counts_no_trouble_with_one() {
    let authorization = Server::authorization(&[]);
    let resource = Server::resource("none", &authorization, &[]);
    assert_eq!(count(&resource, "/bench/counts", "bad_gateway"), None);
}

#[test]
fn any_server_passes_requests_on_with_the_mark_of_a_probe_which_is_accepted_if_all_of_them_accept_it() {
    let authorization = Server::authorization(&[]);
    let behind = Server::resource("introspection", &authorization, &[]);
    let gateway = Server::resource("none", &authorization, &["--upstream", &behind.issuer()]);
    let probe = format!("{PROBE_HEADER}: 7");
    let ask = |token: &str| get(gateway.address, "/resource", &[&bearer(token), &probe]);
    ask(&authorization.token()).expect(200);
    let refused = ask("rubbish").expect(401);
    assert!(refused.header("www-authenticate").unwrap().contains("error=\"invalid_token\""));
    let decided = |server: &Server| {
        let decisions = get(server.address, "/bench/decisions", &[]).expect(200).json();
        let decisions = decisions.as_array().unwrap().iter();
        decisions
            .map(|decision| (decision["probe"].clone(), decision["accepted"].clone()))
            .collect::<Vec<_>>()
    };
    let both = [true, false].map(|accepted| (json!(7), json!(accepted)));
    assert_eq!(decided(&behind), both);
    assert_eq!(decided(&gateway), both);
    behind.stop();
    ask("rubbish").expect(502);
    assert_eq!(decided(&gateway)[2..], [(json!(7), json!(null))], "nobody knows");
}

#[test]
fn an_authorization_server_that_exchanges_nothing_for_a_gateway_says_nothing_of_its_tokens() {
    let architecture = "{ kind = \"token-exchange\", gateway = { ttl = \"1h\" } }";
    let authorization = Server::authorization(&["--signature", "ES256"]);
    let gateway = Server::chain(architecture, &[1, 1], &authorization, &[]);
    let token = authorization.token();
    gateway.resource_with(&token).expect(503);
    gateway.resource_with("rubbish").expect(401);
}

#[test]
fn behind_one_gateway_a_service_that_verifies_and_one_that_introspects_take_turns() {
    let architecture = "{ kind = \"hybrid\", gateway = { ttl = \"1h\" } }";
    let authorization = Server::authorization(&["--signature", "ES256", "--serves", architecture]);
    let gateway = Server::chain(architecture, &[1, 2], &authorization, &[]);
    let token = authorization.token();
    for _ in 0..6 {
        gateway.resource_with(&token).expect(200);
    }
    let counted = |server: &Server| count(server, "/bench/counts", "requests");
    assert_eq!(gateway.behind.iter().map(counted).collect::<Vec<_>>(), [Some(3), Some(3)]);
    let asked = || count(&authorization, "/bench/calls", "/introspect");
    assert_eq!(
        asked(),
        Some(1 + 3),
        "once by the gateway, and for every request by the service that introspects"
    );
    authorization.revoke(&token);
    let probe = format!("{PROBE_HEADER}: 7");
    let mut statuses: Vec<u16> =
        (0..2).map(|_| get(gateway.address, "/resource", &[&bearer(&token), &probe]).status).collect();
    statuses.sort_unstable();
    assert_eq!(
        statuses,
        [200, 401],
        "the gateway keeps its answer, and one of the two services does not care"
    );
    let decisions = get(gateway.address, "/bench/decisions", &[]).expect(200).json();
    let accepted = decisions.as_array().unwrap().iter().filter(|decision| decision["accepted"] == true);
    assert_eq!(accepted.count(), 1);
    gateway.behind[1].resource_with(&authorization.token()).expect(200);
    gateway.behind[0].resource_with(&authorization.token()).expect(401);
}

#[test]
fn header_and_claims_are_given_for_the_hash_of_an_active_signature_alone() {
    let architecture = "{ kind = \"split-token\", gateway = { ttl = \"1h\" } }";
    let authorization = Server::authorization(&["--signature", "ES256", "--serves", architecture]);
    let token = authorization.token();
    assert_eq!(token.len(), 86, "64 bytes in base64url: {token}");
    let ask = |hash: &str| authorization.post("/split-token", &format!("hash={hash}"));
    let of = |token: &str| TokenId::of(token).to_base64url();
    let answer = ask(&of(&token)).expect(200);
    assert_eq!(answer.body().split('.').count(), 2, "{answer:?}");
    let jwt = as_jwt(&authorization, &token).expect(200);
    assert_eq!(jwt.body(), format!("{}.{token}", answer.body()));
    ask(&of("rubbish")).expect(204);
    ask("rubbish").refuses(400, "invalid_request");
    post(authorization.address, "/split-token", &[], "hash=").refuses(401, "invalid_client");
    authorization.revoke(&token);
    ask(&of(&token)).expect(204);
}

#[test]
fn a_token_is_exchanged_for_one_of_another_audience_that_allows_no_more() {
    let architecture = "{ kind = \"token-exchange\", gateway = { ttl = \"1h\" }, audience = \"inside\" }";
    let arguments = ["--signature", "ES256", "--scope", "read write", "--serves", architecture];
    let authorization = Server::authorization(&arguments);
    let token = authorization.token();
    let grant_type = "grant_type=urn:ietf:params:oauth:grant-type:token-exchange";
    let token_type = "urn:ietf:params:oauth:token-type:access_token";
    let exchange = |token: &str, more: &str| {
        let asked = format!("subject_token={token}&subject_token_type={token_type}&audience=inside");
        authorization.post("/token-exchange", &format!("{grant_type}&{asked}{more}"))
    };
    for (more, scope) in [("", "read write"), ("&scope=read", "read")] {
        let answer = exchange(&token, more).expect(200).json();
        assert_eq!((&answer["issued_token_type"], &answer["scope"]), (&json!(token_type), &json!(scope)));
        let said = authorization.introspect(answer["access_token"].as_str().unwrap());
        assert_eq!((&said["aud"], &said["scope"]), (&json!("inside"), &json!(scope)));
        assert_eq!(said["exp"], authorization.introspect(&token)["exp"]);
    }
    exchange(&token, "&scope=delete").refuses(400, "invalid_scope");
    exchange("rubbish", "").refuses(400, "invalid_request");
    let elsewhere = format!("subject_token={token}&subject_token_type={token_type}&audience=elsewhere");
    authorization
        .post("/token-exchange", &format!("{grant_type}&{elsewhere}"))
        .refuses(400, "invalid_target");
    authorization.post("/token-exchange", grant_type).refuses(400, "invalid_request");
    authorization
        .post("/token-exchange", "grant_type=client_credentials")
        .refuses(400, "unsupported_grant_type");
    authorization.revoke(&token);
    exchange(&token, "").refuses(400, "invalid_request");
}
