//! Tokens that must be refused, and peers that must agree.

use std::time::Duration;

use serde_json::json;

use super::*;
use crate::auth::token::jwks::{Jwk, JwkSet, PrivateJwk};
use crate::auth::token::signature::{BackEnd, SIGNATURE_SCHEMES, SignatureScheme};
use crate::auth::token::{Audience, Claims, Groups, Policy, Rejection, Section, UnixTime, base64url};
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
        status: None,
        groups: Groups::default(),
        cnf: None,
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
fn keys_of_one_name_and_one_algorithm_are_all_tried() {
    let [mut first, mut second, mut stranger] = [(); 3].map(|()| key("ES256").0);
    for twin in [&mut first, &mut second, &mut stranger] {
        twin.public.kid = "twin".to_owned();
    }
    let scheme = Part::<dyn SignatureScheme>::named("ES256").unwrap();
    // Every back end does, and another test may have chosen one. The crate's clock is that of the system.
    drop(BackEnd::AwsLcRs.install());
    let claims = || Claims { exp: UnixTime::from_secs(4_000_000_000), ..claims() };
    let signed = |key: &PrivateJwk| SigningKey::new(&*scheme, key.clone()).unwrap().sign(&claims()).unwrap();
    let tokens = [&first, &second].map(signed);
    for keys in [[&first, &second], [&second, &first]] {
        let published = JwkSet::of(&keys.map(|key| key.public.clone()));
        let ring = KeyRing::new(&published, &Trust::default());
        let library = LibraryRing::new(&published, &Trust::default(), &policy(), Duration::ZERO);
        // Twice, since a header that was seen before is not read again.
        for token in tokens.iter().chain(&tokens) {
            assert_eq!(ring.authenticate(token), Ok(claims()));
            assert_eq!(library.verify(token, NOW), Ok(claims()));
        }
        assert_eq!(ring.authenticate(&signed(&stranger)), Err(Rejection::BadSignature));
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

/// The names of the checks that ended like this, apart by spaces.
fn names(examination: &Examination, ended: impl Fn(CheckOutcome) -> bool) -> String {
    let checks = examination.checks.iter().filter(|report| ended(report.outcome));
    checks.map(|report| report.check).collect::<Vec<_>>().join(" ")
}

#[test]
fn every_check_that_can_be_made_is_made_whatever_became_of_the_others() {
    let (key, _) = key("ES256");
    let trust = Trust { shared_key: Some(key.public.clone()), scheme: None };
    let ring = KeyRing::new(&JwkSet::default(), &trust);
    let policy = policy();
    let asked = Asked {
        typ: None,
        issuer: Some(&policy.issuer),
        audience: Some(&policy.audience),
        scope: Some(&policy.scope),
        now: NOW,
        leeway: Duration::ZERO,
    };
    let header = json!({ "alg": "ES256", "kid": key.public.kid, "typ": "at+jwt" });
    let claims = serde_json::to_value(claims()).unwrap();
    let with = |object: &serde_json::Value, changes: serde_json::Value| {
        let mut object = object.clone();
        object.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        object
    };
    let token = |header: &serde_json::Value, claims: &serde_json::Value| {
        forged(&key, header, claims.to_string().as_bytes())
    };
    let other = token(&header, &with(&claims, json!({ "jti": "2" })));
    let good = token(&header, &claims);
    let ((message, _), (_, signature)) = (good.rsplit_once('.').unwrap(), other.rsplit_once('.').unwrap());
    let array = forged(&key, &json!([]), claims.to_string().as_bytes());
    let bad_claims = json!({ "iss": "x", "aud": [], "exp": 1, "nbf": 2_000_000, "scope": "" });
    // Token, the checks that fail, those that cannot be made.
    let cases = [
        (good.clone(), "", ""),
        (
            "x".repeat(70_000),
            "size",
            "parts base64url header crit typ key algorithm signature claims issuer audience expiry not-before scope",
        ),
        (
            "a.b.c.d.e".to_owned(),
            "parts",
            "base64url header crit typ key algorithm signature claims issuer audience expiry not-before scope",
        ),
        (good.clone() + "=", "base64url", "signature"),
        (good.replacen('.', "=.", 1), "base64url", "header crit typ key algorithm signature"),
        (array, "header", "crit typ key algorithm signature"),
        (
            token(&json!({ "kid": key.public.kid, "crit": [] }), &claims),
            "header crit typ",
            "algorithm signature",
        ),
        (token(&with(&header, json!({ "typ": "JWT" })), &claims), "typ", ""),
        (
            token(&with(&header, json!({ "kid": "x", "typ": "JWT" })), &claims),
            "typ key",
            "algorithm signature",
        ),
        (token(&with(&header, json!({ "alg": "HS256" })), &claims), "algorithm", "signature"),
        (format!("{message}.{signature}"), "signature", ""),
        (token(&header, &json!([])), "claims", "issuer audience expiry not-before scope"),
        (token(&header, &json!({})), "claims issuer audience expiry scope", ""),
        (token(&header, &with(&claims, json!({ "iat": "now" }))), "claims", ""),
        (
            token(&header, &with(&claims, json!({ "exp": "soon", "scope": ["read"] }))),
            "claims",
            "expiry scope",
        ),
        (token(&header, &with(&claims, bad_claims)), "issuer audience expiry not-before scope", ""),
    ];
    for (token, failed, not_reached) in cases {
        let examination = ring.examine(&token, &asked);
        assert_eq!(
            names(&examination, |outcome| matches!(outcome, CheckOutcome::Failed(_))),
            failed,
            "{token:.200}"
        );
        assert_eq!(
            names(&examination, |outcome| outcome == CheckOutcome::NotReached),
            not_reached,
            "{token:.200}"
        );
        assert_eq!(examination.rejection(), ring.verify(&token, &policy, NOW, Duration::ZERO).err());
    }
}

#[test]
fn what_nobody_asks_for_is_shown_and_not_checked_but_somebody_must_be_meant() {
    let (key, _) = key("HS256");
    let trust = Trust { shared_key: Some(key.public.clone()), scheme: None };
    let ring = KeyRing::new(&JwkSet::default(), &trust);
    let header = json!({ "alg": "HS256", "typ": "at+jwt" });
    let asked =
        Asked { typ: None, issuer: None, audience: None, scope: None, now: NOW, leeway: Duration::ZERO };
    for (audience, rejection) in
        [(json!("a"), None), (json!(["b", "c"]), None), (json!([]), Some(Rejection::WrongAudience))]
    {
        let mut claims = serde_json::to_value(claims()).unwrap();
        claims["aud"] = audience;
        let examination = ring.examine(&forged(&key, &header, claims.to_string().as_bytes()), &asked);
        assert_eq!(examination.rejection(), rejection);
        let unasked = names(&examination, |outcome| outcome == CheckOutcome::NotAsked);
        assert_eq!(unasked, if rejection.is_some() { "issuer scope" } else { "issuer audience scope" });
    }
}

#[test]
fn a_token_of_another_type_needs_what_is_asked_and_an_end() {
    let (key, _) = key("HS256");
    let trust = Trust { shared_key: Some(key.public.clone()), scheme: None };
    let ring = KeyRing::new(&JwkSet::default(), &trust);
    let rejection = |typ: Option<&str>, claims: serde_json::Value, expected: &str| {
        let header = json!({ "alg": "HS256", "typ": typ });
        let header = if typ.is_none() { json!({ "alg": "HS256" }) } else { header };
        let asked = Asked {
            typ: Some(expected),
            issuer: Some("a"),
            audience: None,
            scope: None,
            now: NOW,
            leeway: Duration::ZERO,
        };
        ring.examine(&forged(&key, &header, claims.to_string().as_bytes()), &asked).rejection()
    };
    let good = json!({ "iss": "a", "exp": 2_000_000 });
    for (typ, expected) in [(Some("JWT"), "jwt"), (Some("application/x"), "X"), (Some("x"), "application/X")]
    {
        assert_eq!(rejection(typ, good.clone(), expected), None, "{typ:?} {expected}");
    }
    assert_eq!(rejection(None, good.clone(), ""), None);
    assert_eq!(rejection(None, good.clone(), "JWT"), Some(Rejection::WrongType));
    assert_eq!(rejection(Some("at+jwt"), good.clone(), ""), Some(Rejection::WrongType));
    assert_eq!(rejection(Some("at+jwt"), good.clone(), "JWT"), Some(Rejection::WrongType));
    let lacks = |name| Some(Rejection::Lacks(Section::Claims, name));
    assert_eq!(rejection(Some("JWT"), json!({ "iss": "a" }), "JWT"), lacks("exp"), "it would never end");
    assert_eq!(rejection(Some("JWT"), json!({ "exp": 2_000_000 }), "JWT"), lacks("iss"), "it was asked for");
}

#[test]
fn whoever_holds_a_jwt_reads_its_claims_and_whoever_holds_something_else_reads_none() {
    let (key, _) = key("HS256");
    let header = json!({ "alg": "HS256" });
    let jwt = forged(&key, &header, br#"{"a": [1, 2],"b":"c"}"#);
    assert_eq!(readable_claims(&jwt), (2, 21));
    let signature = jwt.rsplit('.').next().unwrap();
    let no_object = forged(&key, &header, b"[1]");
    let encrypted = format!("{jwt}.x.y");
    for other in ["", signature, &jwt[1..jwt.rfind('.').unwrap()], &no_object, &encrypted] {
        assert_eq!(readable_claims(other), (0, 0), "{other}");
    }
}
