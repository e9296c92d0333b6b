//! Keys in the forms in which standards and strangers write them.

use serde_json::{Value, json};

use super::*;

fn key(json: Value) -> Result<Jwk, String> {
    serde_json::from_value(json).map_err(|error| error.to_string())
}

/// Coordinates of some point; whether it lies on the curve is for the scheme to say.
fn ec(crv: &str) -> Value {
    json!({ "kty": "EC", "crv": crv, "x": "AQ", "y": "Ag" })
}

fn with(mut key: Value, name: &str, value: impl Into<Value>) -> Value {
    key[name] = value.into();
    key
}

const RFC_7638_MODULUS: &str = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZ\
     CiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZ\
     gnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniI\
     qbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";

#[test]
fn thumbprints_are_those_of_the_standards() {
    let rsa =
        json!({ "kty": "RSA", "n": RFC_7638_MODULUS, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29" });
    let key = key(rsa).unwrap();
    assert_eq!(key.kid, "2011-04-29", "a key keeps the name it has");
    let thumbprint = Jwk::new(&key.alg, key.material).kid;
    assert_eq!(thumbprint, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs", "RFC 7638 section 3.1");

    let okp = json!({ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" });
    let key = self::key(okp).unwrap();
    assert_eq!(key.kid, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k", "RFC 8037 appendix A.3");
    assert_eq!(key.alg, "Ed25519");
}

/// The canonical text written by hand for each key type, members in the order of RFC 7638 section 3.2 (RFC 9964
/// section 6 for `AKP`).
#[test]
fn the_thumbprint_of_every_key_type_is_the_digest_of_its_canonical_text() {
    let cases = [
        (ec("P-256"), r#"{"crv":"P-256","kty":"EC","x":"AQ","y":"Ag"}"#),
        (json!({"kty":"OKP","crv":"Ed25519","x":"AQ"}), r#"{"crv":"Ed25519","kty":"OKP","x":"AQ"}"#),
        (json!({"kty":"RSA","n":"AQ","e":"AQAB"}), r#"{"e":"AQAB","kty":"RSA","n":"AQ"}"#),
        (json!({"kty":"AKP","alg":"ML-DSA-44","pub":"AQ"}), r#"{"alg":"ML-DSA-44","kty":"AKP","pub":"AQ"}"#),
        (json!({"kty":"oct","alg":"HS256","k":"AQ"}), r#"{"k":"AQ","kty":"oct"}"#),
    ];
    let mut named: Vec<_> = cases.into_iter().map(|(json, text)| (key(json).unwrap().kid, text)).collect();
    let stranger = KeyMaterial::OctetKeyPair { crv: "a\"b".to_owned(), x: vec![1].into() };
    named.push((Jwk::new("x", stranger).kid, r#"{"crv":"a\"b","kty":"OKP","x":"AQ"}"#));
    for (kid, canonical) in named {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, canonical.as_bytes());
        assert_eq!(kid, crate::auth::token::base64url::encode(digest), "{canonical}");
    }
}

#[test]
fn a_key_without_an_algorithm_is_bound_to_the_one_its_form_allows() {
    let rsa = json!({ "kty": "RSA", "n": "AQ", "e": "AQAB" });
    let cases = [
        (ec("P-256"), Some("ES256")),
        (ec("P-384"), Some("ES384")),
        (json!({ "kty": "OKP", "crv": "Ed25519", "x": "AQ" }), Some("Ed25519")),
        (with(json!({ "kty": "OKP", "crv": "Ed25519", "x": "AQ" }), "alg", "EdDSA"), Some("EdDSA")),
        (rsa.clone(), Some("RS256")),
        (with(rsa, "alg", "PS256"), Some("PS256")),
        (ec("secp256k1"), None),
        (json!({ "kty": "OKP", "crv": "X25519", "x": "AQ" }), None),
        (json!({ "kty": "AKP", "pub": "AQ" }), None),
        (json!({ "kty": "oct", "k": "AQ" }), None),
    ];
    for (json, alg) in cases {
        let found = key(json.clone());
        assert_eq!(found.as_ref().ok().map(|key| &*key.alg), alg, "{json}: {found:?}");
    }
}

#[test]
fn keys_for_other_uses_and_keys_without_their_members_say_what_is_wrong_with_them() {
    let cases = [
        (with(ec("P-256"), "use", "enc"), "another use"),
        (with(ec("P-256"), "key_ops", vec!["deriveKey"]), "\"key_ops\" [\"deriveKey\"], expected \"verify\""),
        (with(ec("P-256"), "key_ops", vec!["sign"]), "other operations"),
        (with(ec("P-256"), "key_ops", Value::Array(vec![])), "other operations"),
        (ec("P-521"), "the curve \"P-521\", which is not supported; supported: P-256, P-384"),
        (ec("secp256k1"), "\"secp256k1\""),
        (
            json!({ "kty": "OKP", "crv": "X25519", "x": "AQ" }),
            "\"X25519\", which is not supported; supported: Ed25519",
        ),
        (json!({ "kty": "EC", "crv": "P-256", "x": "AQ" }), "lacks \"y\""),
        (json!({ "kty": "RSA", "n": "AQ" }), "lacks \"e\""),
        (json!({ "kty": "AKP", "alg": "ML-DSA-65" }), "lacks \"pub\""),
        (json!({ "kty": "LMS", "pub": "AQ" }), "unknown key type \"LMS\""),
        (json!({ "crv": "P-256" }), "kty"),
        (with(ec("P-256"), "x", "A=="), "base64url"),
    ];
    for (json, words) in cases {
        let error = key(json.clone()).unwrap_err();
        assert!(error.contains(words), "{json}: {error}");
    }
    for good in [
        with(ec("P-256"), "use", "sig"),
        with(ec("P-256"), "key_ops", vec!["verify"]),
        // A key pair, whose public half is published.
        with(with(ec("P-256"), "key_ops", vec!["sign"]), "d", "AQ"),
    ] {
        assert!(key(good.clone()).is_ok(), "{good}");
    }
}

#[test]
fn a_private_key_is_used_for_its_operations_and_has_two_primes() {
    let ec = with(ec("P-256"), "d", "AQ");
    let oct = json!({ "kty": "oct", "alg": "HS256", "k": "AQ" });
    let rsa = with(json!({ "kty": "RSA", "n": "AQ", "e": "AQAB" }), "d", "AQ");
    for (key, ops, operation, is_good) in [
        (&ec, "sign", Operation::Sign, true),
        (&ec, "sign", Operation::Verify, true),
        (&ec, "verify", Operation::Sign, false),
        (&ec, "verify", Operation::Verify, true),
        (&oct, "sign", Operation::Sign, true),
        (&oct, "sign", Operation::Verify, false),
        (&oct, "verify", Operation::Sign, false),
    ] {
        let key = with(key.clone(), "key_ops", vec![ops]);
        let written: WrittenJwk = serde_json::from_value(key.clone()).unwrap();
        let read = written.into_key(operation, None);
        assert_eq!(read.is_ok(), is_good, "{operation:?} {key}: {read:?}");
    }
    let many = with(rsa, "oth", json!([{ "r": "AQ", "d": "AQ", "t": "AQ" }]));
    let error = serde_json::from_value::<PrivateJwk>(many).unwrap_err().to_string();
    assert!(error.contains("more than two primes"), "{error}");
}

#[test]
fn private_and_unknown_members_of_a_published_key_are_ignored_whatever_is_in_them() {
    let published = with(with(with(ec("P-256"), "d", 5), "priv", "=="), "x5c", json!([{}]));
    assert_eq!(key(published), key(ec("P-256")));
    let text = serde_json::to_string(&key(with(ec("P-256"), "d", "AQ")).unwrap()).unwrap();
    assert!(!text.contains("\"d\""), "{text}");
}

#[test]
fn a_private_key_comes_back_from_its_text_and_never_prints_its_secrets() {
    let written = with(with(ec("P-256"), "d", "c2VjcmV0"), "kid", "mine");
    let key: PrivateJwk = serde_json::from_value(written.clone()).unwrap();
    assert!(!format!("{key:?}").contains("c2VjcmV0"));
    let again: Value = serde_json::from_str(&serde_json::to_string(&key).unwrap()).unwrap();
    assert_eq!(again, with(with(written, "alg", "ES256"), "use", "sig"));
}

#[test]
fn a_fallback_names_the_algorithm_only_where_the_key_and_its_curve_say_nothing() {
    let rsa = json!({ "kty": "RSA", "n": "AQ", "e": "AQAB" });
    let akp = json!({ "kty": "AKP", "pub": "AQ" });
    let cases = [
        (rsa.clone(), Some("PS256"), Some("PS256")),
        (rsa.clone(), None, Some("RS256")),
        (with(rsa, "alg", "RS512"), Some("PS256"), Some("RS512")),
        (ec("P-256"), Some("ES384"), Some("ES256")),
        (akp.clone(), Some("ML-DSA-65"), Some("ML-DSA-65")),
        (akp, None, None),
    ];
    for (json, fallback, alg) in cases {
        let written: WrittenJwk = serde_json::from_value(json.clone()).unwrap();
        assert_eq!(written.kid(), None);
        let key = written.into_key(Operation::Verify, fallback);
        assert_eq!(key.as_ref().ok().map(|key| &*key.public.alg), alg, "{json}: {key:?}");
    }
}
