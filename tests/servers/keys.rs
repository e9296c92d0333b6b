//! `/jwks` (RFC 7517), read and used by other code than the program's own.

use std::collections::BTreeMap;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::Value;

use crate::http::get;
use crate::server::Server;

fn only_key(server: &Server) -> Value {
    let set = get(server.address, "/jwks", &[]).expect(200).json();
    let [key] = &set["keys"].as_array().expect("a key set")[..] else { panic!("{set}") };
    key.clone()
}

/// RFC 7638: SHA-256 over the required members in lexical order, without white space.
fn thumbprint(key: &Value, required: &[&str]) -> String {
    let members: BTreeMap<&str, &Value> = required.iter().map(|name| (*name, &key[*name])).collect();
    let canonical = serde_json::to_vec(&members).expect("plain data");
    URL_SAFE_NO_PAD.encode(digest(&SHA256, &canonical))
}

fn bytes(member: &Value) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(member.as_str().expect("a text")).expect("base64url without padding")
}

fn header(token: &str) -> Value {
    let encoded = token.split('.').next().expect("a header");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(encoded).expect("base64url")).expect("JSON")
}

/// No member of a private key (RFC 7518 section 6, RFC 9964 section 3).
fn assert_public(key: &Value) {
    for private in ["d", "p", "q", "k", "priv", "seed"] {
        assert!(key.get(private).is_none(), "{private} is published");
    }
}

#[test]
fn an_es256_key_is_a_p256_point_named_by_its_thumbprint() {
    let server = Server::authorization(&["--signature", "ES256"]);
    let key = only_key(&server);
    assert_eq!(key["kty"], "EC");
    assert_eq!(key["crv"], "P-256");
    assert_eq!(key["alg"], "ES256");
    assert_eq!(key["use"], "sig");
    assert_eq!((bytes(&key["x"]).len(), bytes(&key["y"]).len()), (32, 32));
    assert_eq!(key["kid"], thumbprint(&key, &["crv", "kty", "x", "y"]));
    assert_public(&key);
    let header = header(&server.token());
    assert_eq!(
        (&header["kid"], &header["alg"], &header["typ"]),
        (&key["kid"], &"ES256".into(), &"at+jwt".into())
    );
}

#[test]
fn an_ml_dsa_65_key_is_an_algorithm_key_pair_named_by_its_thumbprint() {
    let server = Server::authorization(&["--signature", "ML-DSA-65"]);
    let key = only_key(&server);
    assert_eq!(key["kty"], "AKP");
    assert_eq!(key["alg"], "ML-DSA-65");
    assert_eq!(key["use"], "sig");
    assert_eq!(bytes(&key["pub"]).len(), 1952, "FIPS 204, table 2");
    assert_eq!(key["kid"], thumbprint(&key, &["alg", "kty", "pub"]));
    assert_public(&key);

    let token = server.token();
    let header = header(&token);
    assert_eq!((&header["kid"], &header["alg"]), (&key["kid"], &"ML-DSA-65".into()));
    let signature = token.rsplit('.').next().unwrap();
    assert_eq!(URL_SAFE_NO_PAD.decode(signature).unwrap().len(), 3309, "FIPS 204, table 2");
}

#[test]
fn a_common_library_verifies_a_token_with_the_published_key() {
    let server = Server::authorization(&["--signature", "ES256"]);
    let key: Jwk = serde_json::from_value(only_key(&server)).unwrap();
    let mut rules = Validation::new(Algorithm::ES256);
    rules.set_audience(&["https://api.example/"]);
    rules.set_issuer(&[server.issuer()]);
    rules.set_required_spec_claims(&["iss", "exp", "aud", "sub"]);
    let key = DecodingKey::from_jwk(&key).unwrap();
    jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default().unwrap();
    let verified = jsonwebtoken::decode::<Value>(server.token(), &key, &rules).unwrap();
    assert_eq!(verified.claims["client_id"], "bench");
}

#[test]
fn every_start_makes_a_key_of_its_own() {
    let keys = [(); 2].map(|()| only_key(&Server::authorization(&["--signature", "ES256"])));
    assert_ne!(keys[0]["kid"], keys[1]["kid"]);
}

#[test]
fn a_server_of_opaque_tokens_publishes_no_key() {
    let set = get(Server::authorization(&[]).address, "/jwks", &[]);
    // The server has ended by now; its answer was complete.
    assert_eq!(set.expect(200).json()["keys"].as_array().unwrap().len(), 0);
}
