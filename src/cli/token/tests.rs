//! The list of checks and the decision of the product agree on every token.

use std::time::Duration;

use serde_json::{Value, json};

use super::check::{Check, Name, Outcome};
use super::verdict::{Refusal, Verdict};
use super::walk::Expectation;
use crate::auth::token::jwks::{Jwk, PrivateJwk};
use crate::auth::token::signature::{SIGNATURE_SCHEMES, SignatureScheme};
use crate::auth::token::{Rejection, Section, UnixTime, base64url};
use crate::registry::Part;

const NOW: UnixTime = UnixTime::from_secs(1_000_000);

fn key(alg: &str) -> PrivateJwk {
    Part::<dyn SignatureScheme>::named(alg).unwrap().generate().unwrap()
}

fn header(key: &PrivateJwk) -> Value {
    json!({ "alg": key.public.alg, "kid": key.public.kid, "typ": "at+jwt" })
}

fn payload() -> Value {
    json!({
        "iss": "https://as.example", "sub": "s", "aud": ["https://api.example/", "b"], "client_id": "c",
        "scope": "read write", "iat": 1_000_000, "exp": 1_000_060, "jti": "1",
    })
}

/// A token with these texts, rightly signed.
fn signed(key: &PrivateJwk, header: &str, payload: &str) -> String {
    let message = format!("{}.{}", base64url::encode(header), base64url::encode(payload));
    let scheme = Part::<dyn SignatureScheme>::named(&key.public.alg).unwrap();
    let signature = scheme.signer(key).unwrap().sign(message.as_bytes()).unwrap();
    format!("{message}.{}", base64url::encode(signature))
}

fn expectation(keys: &[Jwk]) -> Expectation<'_> {
    Expectation {
        keys,
        scheme: None,
        issuer: Some("https://as.example"),
        audience: Some("https://api.example/"),
        scope: Some("read"),
        now: NOW,
        leeway: Duration::ZERO,
    }
}

fn failed(checks: &[Check]) -> Option<&'static str> {
    let mut failed = checks.iter().filter(|check| check.failed());
    let first = failed.next().map(|check| check.check.name());
    assert!(failed.next().is_none(), "two failed: {checks:?}");
    first
}

/// The check that fails. The list may neither contradict the product nor be stricter.
#[track_caller]
fn told(token: &str, expected: &Expectation<'_>) -> Option<&'static str> {
    let verdict = Verdict::on(token, expected);
    let stricter = matches!(verdict.decision, Err(Refusal::Stricter));
    assert!(!stricter, "the product accepts what a check refuses: {:?} for {token}", verdict.checks);
    let failed = failed(&verdict.checks);
    assert_eq!(verdict.decision.is_err(), failed.is_some(), "{:?} for {token}", verdict.checks);
    failed
}

/// Whether a check that needs no more than header, key and signature fails.
fn is_before_the_claims(name: Option<&str>) -> bool {
    let before = Name::ALL.iter().take_while(|check| **check != Name::Claims);
    before.into_iter().any(|check| Some(check.name()) == name)
}

#[test]
fn verdict_and_checks_agree_on_a_good_token_of_every_scheme_and_on_every_cut_of_it() {
    for entry in SIGNATURE_SCHEMES.entries {
        let key = key(entry.name);
        let token = signed(&key, &header(&key).to_string(), &payload().to_string());
        let keys = [key.public];
        let expected = expectation(&keys);
        assert_eq!(told(&token, &expected), None, "{}", entry.name);
        for length in (0..token.len()).step_by(1 + token.len() / 50) {
            let failed = told(&token[..length], &expected);
            assert!(is_before_the_claims(failed), "{}: {failed:?} for the first {length}", entry.name);
        }
    }
}

#[test]
fn verdict_and_checks_agree_wherever_a_character_is_changed() {
    for alg in ["ES256", "HS256"] {
        let key = key(alg);
        let token = signed(&key, &header(&key).to_string(), &payload().to_string());
        let keys = [key.public];
        // Every third: groups of base64 have four, so each place in a group comes up.
        for at in (0..token.len()).step_by(3) {
            for other in ["A", "z", ".", "=", "\u{e9}", ""] {
                let changed = format!("{}{other}{}", &token[..at], &token[at + 1..]);
                if changed != token {
                    // No change reaches the claims: the signature, or something before it, fails.
                    let failed = told(&changed, &expectation(&keys));
                    assert!(is_before_the_claims(failed), "{alg}: {failed:?} for {other:?} at {at}");
                }
            }
        }
    }
}

#[test]
fn every_fault_is_told_by_the_check_it_belongs_to() {
    let key = key("ES256");
    let keys = [key.public.clone()];
    let (good_header, good_payload) = (header(&key), payload());
    let with = |object: &Value, name: &str, value: Value| {
        let mut object = object.clone();
        object[name] = value;
        object.to_string()
    };
    let header_with = |name, value| signed(&key, &with(&good_header, name, value), &good_payload.to_string());
    let payload_with =
        |name, value| signed(&key, &good_header.to_string(), &with(&good_payload, name, value));
    let payload_text = |text: &str| signed(&key, &good_header.to_string(), text);
    let cases = [
        ("x".repeat(70_000), "size"),
        ("a.b".to_owned(), "parts"),
        ("a.b.c.d.e".to_owned(), "parts"),
        (header_with("kid", json!("x")).replace('.', "=."), "base64url"),
        (signed(&key, "[]", "{}"), "header"),
        (signed(&key, "{", "{}"), "header"),
        (signed(&key, "{\"typ\":\"at+jwt\"}", "{}"), "header"),
        (header_with("alg", json!(5)), "header"),
        (header_with("typ", json!("JWT")), "typ"),
        (header_with("crit", json!(["exp"])), "crit"),
        (header_with("kid", json!("another")), "key"),
        (header_with("alg", json!("none")), "algorithm"),
        (header_with("alg", json!("HS256")), "algorithm"),
        (payload_with("sub", json!("t")) + "=", "base64url"),
        (payload_text("[]"), "claims"),
        (payload_text("{\"iss\":\"x\"}"), "claims"),
        (payload_with("exp", json!("soon")), "claims"),
        (payload_with("iss", json!("https://evil.example")), "issuer"),
        (payload_with("aud", json!([])), "audience"),
        (payload_with("aud", json!("https://evil.example")), "audience"),
        (payload_with("exp", json!(1_000_000)), "expiry"),
        (payload_with("scope", json!("reading")), "scope"),
    ];
    for (token, check) in cases {
        assert_eq!(told(&token, &expectation(&keys)), Some(check), "{token:.200}");
    }
    let good = signed(&key, &good_header.to_string(), &good_payload.to_string());
    let (message, _) = good.rsplit_once('.').unwrap();
    let of_another = payload_with("jti", json!("2"));
    let (_, signature) = of_another.rsplit_once('.').unwrap();
    assert_eq!(told(&format!("{message}.{signature}"), &expectation(&keys)), Some("signature"));
    let twice = good_payload.to_string().replacen('{', "{\"x\":1,\"x\":2,", 1);
    assert_eq!(told(&payload_text(&twice), &expectation(&keys)), Some("claims"), "a member stands twice");
    let twice = good_header.to_string().replacen('{', "{\"x\":1,\"x\":2,", 1);
    let twice = signed(&key, &twice, &good_payload.to_string());
    assert_eq!(told(&twice, &expectation(&keys)), Some("header"), "a member stands twice");
    let early = payload_with("nbf", json!(1_000_001));
    assert_eq!(told(&early, &expectation(&keys)), Some("not-before"));
    let leeway = Expectation { leeway: Duration::from_secs(1), ..expectation(&keys) };
    assert_eq!(told(&early, &leeway), None);
}

#[test]
fn what_nobody_asks_for_is_not_checked_and_everything_else_is() {
    let key = key("HS256");
    let keys = [key.public.clone()];
    let nothing = unasked(&keys);
    for audience in [json!("a"), json!(["b", "c"])] {
        let mut payload = payload();
        payload["aud"] = audience;
        let token = signed(&key, &header(&key).to_string(), &payload.to_string());
        assert_eq!(told(&token, &nothing), None);
        let list = Verdict::on(&token, &nothing).checks;
        let unchecked = list.iter().filter(|check| matches!(check.outcome, Outcome::NotChecked(_)));
        let names: Vec<&str> = unchecked.map(|check| check.check.name()).collect();
        assert_eq!(names, ["issuer", "audience", "scope"]);
        assert!(
            told(&token, &Expectation { now: NOW + Duration::from_hours(1), ..unasked(&keys) }).is_some()
        );
    }
}

fn unasked(keys: &[Jwk]) -> Expectation<'_> {
    Expectation { issuer: None, audience: None, scope: None, ..expectation(keys) }
}

/// `walk` finds nearly every fault by itself; what it does not know is told by the check that is named here.
#[test]
fn every_refusal_belongs_to_the_check_that_its_words_are_about() {
    for section in [Section::Header, Section::Claims, Section::Signature] {
        let of_section = match section {
            Section::Header => Name::Header,
            Section::Claims => Name::Claims,
            Section::Signature => Name::Signature,
        };
        assert_eq!(Name::of(Rejection::NotBase64Url(section)), Name::Base64url);
        for rejection in [
            Rejection::NotJson(section),
            Rejection::Twice(section),
            Rejection::WrongForm(section, "x"),
            Rejection::Lacks(section, "the header"),
        ] {
            assert_eq!(Name::of(rejection), of_section, "{rejection}");
        }
    }
    for (rejection, name) in [
        (Rejection::TooLarge, Name::Size),
        (Rejection::NotThreeParts, Name::Parts),
        (Rejection::Critical, Name::Crit),
        (Rejection::WrongType, Name::Typ),
        (Rejection::UnnamedKey, Name::Key),
        (Rejection::UnknownKey, Name::Key),
        (Rejection::WrongAlgorithm, Name::Algorithm),
        (Rejection::BadSignature, Name::Signature),
        (Rejection::WrongIssuer, Name::Issuer),
        (Rejection::WrongAudience, Name::Audience),
        (Rejection::Expired, Name::Expiry),
        (Rejection::NotYetValid, Name::NotBefore),
        (Rejection::InsufficientScope, Name::Scope),
    ] {
        assert_eq!(Name::of(rejection), name, "{rejection}");
    }
}
