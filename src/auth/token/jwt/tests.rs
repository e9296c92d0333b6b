//! Tokens that must be refused, and peers that must agree.

use std::time::Duration;

use serde_json::json;

use super::*;
use crate::auth::token::jwks::{Jwk, JwkSet, PrivateJwk};
use crate::auth::token::signature::{SIGNATURE_SCHEMES, SignatureScheme};
use crate::auth::token::{Audience, Claims, Policy, Rejection, Section, UnixTime, base64url};
use crate::registry::Part;

const NOW: UnixTime = UnixTime::from_secs(1_000_000);

fn claims() -> Claims {
    Claims {
        iss: "https://as.example".into(),
        sub: "client".into(),
        aud: Audience::one("https://api.example/"),
        client_id: "client".into(),
        scope: "read write".into(),
        iat: NOW,
        nbf: None,
        exp: NOW + Duration::from_mins(1),
        jti: "1".into(),
    }
}

fn policy() -> Policy {
    Policy {
        issuer: "https://as.example".into(),
        audience: "https://api.example/".into(),
        scope: "read".into(),
    }
}

fn key(alg: &str) -> (PrivateJwk, SigningKey) {
    let scheme = Part::<dyn SignatureScheme>::named(alg).unwrap();
    let key = scheme.generate().unwrap();
    (key.clone(), SigningKey::new(&*scheme, key).unwrap())
}

fn verify(key: &Jwk, token: &str) -> Result<Claims, Rejection> {
    let trust = Trust { shared_key: Some(key.clone()), scheme: None };
    KeyRing::new(&JwkSet::default(), &trust).verify(token, &policy(), NOW, Duration::ZERO)
}

/// A token with this header and payload, rightly signed.
fn forged(key: &PrivateJwk, header: &serde_json::Value, payload: &[u8]) -> String {
    let message = format!("{}.{}", base64url::encode(header.to_string()), base64url::encode(payload));
    let scheme = Part::<dyn SignatureScheme>::named(&key.public.alg).unwrap();
    let signature = scheme.signer(key).unwrap().sign(message.as_bytes()).unwrap();
    format!("{message}.{}", base64url::encode(signature))
}

#[test]
fn a_header_seen_before_is_no_pass_for_what_follows_it() {
    for entry in SIGNATURE_SCHEMES.entries.iter().filter(|entry| entry.name != "SLH-DSA-SHA2-128s") {
        let scheme = Part::<dyn SignatureScheme>::named(entry.name).unwrap();
        if scheme.facts().status == crate::auth::token::signature::Status::Control {
            continue;
        }
        let [ours, stranger] = [(); 2].map(|()| SigningKey::generate(&*scheme).unwrap());
        let trust = Trust { shared_key: Some(ours.public().clone()), scheme: None };
        let ring = KeyRing::new(&JwkSet::default(), &trust);
        let token = ours.sign(&claims()).unwrap();
        for _ in 0..2 {
            assert_eq!(ring.authenticate(&token), Ok(claims()), "{scheme}");
        }
        let (header, _) = token.split_once('.').unwrap();
        let forged = stranger.sign(&claims()).unwrap();
        let (_, behind) = forged.split_once('.').unwrap();
        assert_eq!(
            ring.authenticate(&format!("{header}.{behind}")),
            Err(Rejection::BadSignature),
            "{scheme}"
        );
        assert!(ring.authenticate(&forged).is_err(), "{scheme}");
    }
}

#[test]
fn a_token_says_after_verification_what_was_signed() {
    for entry in SIGNATURE_SCHEMES.entries {
        let (_, signing) = key(entry.name);
        let token = signing.sign(&claims()).unwrap();
        assert_eq!(verify(signing.public(), &token), Ok(claims()), "{}", entry.name);
    }
}

#[test]
fn headers_that_lie_are_refused_although_the_signature_fits() {
    let (key, _) = key("ES256");
    let kid = &key.public.kid;
    let payload = serde_json::to_vec(&claims()).unwrap();
    let cases = [
        (json!({"alg": "none", "kid": kid, "typ": "at+jwt"}), Rejection::WrongAlgorithm),
        (json!({"alg": "None", "kid": kid, "typ": "at+jwt"}), Rejection::WrongAlgorithm),
        (json!({"alg": "HS256", "kid": kid, "typ": "at+jwt"}), Rejection::WrongAlgorithm),
        (json!({"alg": "ML-DSA-65", "kid": kid, "typ": "at+jwt"}), Rejection::WrongAlgorithm),
        (json!({"alg": "ES256", "kid": "another", "typ": "at+jwt"}), Rejection::UnknownKey),
        (json!({"alg": "ES256", "kid": kid, "typ": "JWT"}), Rejection::WrongType),
        (json!({"alg": "ES256", "kid": kid}), Rejection::WrongType),
        (json!({"alg": "ES256", "kid": kid, "typ": "at+jwt", "crit": ["exp"]}), Rejection::Critical),
        (json!({"kid": kid, "typ": "at+jwt"}), Rejection::Lacks(Section::Header, "alg")),
        (json!([1]), Rejection::NotJson(Section::Header)),
    ];
    for (header, rejection) in cases {
        assert_eq!(verify(&key.public, &forged(&key, &header, &payload)), Err(rejection), "{header}");
    }
    let header =
        json!({"alg": "ES256", "kid": kid, "typ": "application/AT+JWT", "jku": "https://evil.example"});
    assert!(verify(&key.public, &forged(&key, &header, &payload)).is_ok(), "unused members are ignored");
}

#[test]
fn claims_that_do_not_fit_are_refused() {
    let (_, signing) = key("ES256");
    let cases = [
        (Claims { iss: "https://other.example".into(), ..claims() }, Rejection::WrongIssuer),
        (Claims { aud: Audience::one("https://other.example/"), ..claims() }, Rejection::WrongAudience),
        (Claims { exp: NOW, ..claims() }, Rejection::Expired),
        (Claims { scope: "write reading".into(), ..claims() }, Rejection::InsufficientScope),
    ];
    for (claims, rejection) in cases {
        let token = signing.sign(&claims).unwrap();
        assert_eq!(verify(signing.public(), &token), Err(rejection));
    }
}

#[test]
fn texts_that_are_no_tokens_are_refused() {
    let (_, signing) = key("ES256");
    let token = signing.sign(&claims()).unwrap();
    let parts: Vec<&str> = token.split('.').collect();
    let cases = [
        String::new(),
        "..".to_owned(),
        parts[0].to_owned(),
        format!("{}.{}", parts[0], parts[1]),
        format!("{token}."),
        format!("{token}=="),
        format!(".{token}"),
        format!("{}..{}", parts[0], parts[2]),
        format!("{}.{}.", parts[0], parts[1]),
        token.replace('.', ":"),
        "\u{fc}".repeat(10),
    ];
    for text in cases {
        assert!(verify(signing.public(), &text).is_err(), "{text}");
    }
    assert_eq!(verify(signing.public(), &"a.".repeat(1 << 20)), Err(Rejection::TooLarge));
}
