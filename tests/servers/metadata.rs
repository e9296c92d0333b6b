//! `/.well-known/oauth-authorization-server` (RFC 8414).

use serde_json::Value;

use crate::http::{get, post};
use crate::server::{SECRET, Server, basic};

fn metadata(server: &Server) -> Value {
    get(server.address, "/.well-known/oauth-authorization-server", &[]).expect(200).json()
}

#[test]
fn the_issuer_is_the_address_under_which_the_metadata_is_found() {
    let server = Server::authorization(&[]);
    assert_eq!(metadata(&server)["issuer"], server.issuer());
}

#[test]
fn every_endpoint_is_where_the_metadata_says() {
    let server = Server::authorization(&["--signature", "ES256"]);
    let metadata = metadata(&server);
    let path = |member: &str| {
        let url = metadata[member].as_str().unwrap_or_else(|| panic!("no {member}"));
        url.strip_prefix(&server.issuer()).expect("at the issuer").to_owned()
    };
    let known = basic("bench", SECRET);
    let call = |member: &str, form: &str| post(server.address, &path(member), &[&known], form).expect(200);
    let token = call("token_endpoint", "grant_type=client_credentials").json()["access_token"].clone();
    let form = format!("token={}", token.as_str().unwrap());
    assert_eq!(call("introspection_endpoint", &form).json()["active"], true);
    call("revocation_endpoint", &form);
    assert_eq!(call("introspection_endpoint", &form).json()["active"], false);
    get(server.address, &path("jwks_uri"), &[]).expect(200);
}

#[test]
fn what_must_be_said_is_said() {
    let metadata = metadata(&Server::authorization(&[]));
    assert!(metadata["response_types_supported"].is_array(), "required by RFC 8414 section 2");
    assert_eq!(metadata["grant_types_supported"], serde_json::json!(["client_credentials", "refresh_token"]));
    for endpoint in ["token", "introspection", "revocation"] {
        let member = format!("{endpoint}_endpoint_auth_methods_supported");
        assert_eq!(metadata[&member], serde_json::json!(["client_secret_basic"]), "{member}");
    }
}
