//! Two implementations that share no code for base64, signatures and dates decide alike on whatever comes.

use std::cell::Cell;

use bearerbench::auth::token::jwt::LibraryRing;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::attacks::table;
use crate::workshop::{AUDIENCE, ISSUER, KEYS, Key, Validators, claims, now};

/// A header or claims of a good token, with members set to something that may fit.
fn object(good: Value, names: &'static [&'static str]) -> impl Strategy<Value = String> {
    let value = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        // Not so near that the second in which the test runs matters.
        prop_oneof![-4_000..-60_i64, 60..4_000_i64].prop_map(|delta| json!(now().cast_signed() + delta)),
        prop_oneof![-4_000..-60_i64, 60..4_000_i64]
            .prop_map(|delta| json!((now().cast_signed() + delta) as f64 + 0.5)),
        prop::sample::select(vec![
            // Not "Ed25519", the newer name of "EdDSA" (RFC 9864): the peer cannot read it.
            ISSUER, AUDIENCE, "read", "at+jwt", "JWT", "none", "HS256", "RS256", "ES256", "EdDSA",
        ])
        .prop_map(Value::from),
        ".{0,6}".prop_map(Value::from),
        vec(prop::sample::select(vec![AUDIENCE, "x"]), 0..3).prop_map(Value::from),
        Just(json!({ "kty": "oct", "k": "AAAA" })),
    ];
    let change = (prop::sample::select(names), prop::option::of(value));
    // Most changes make a token bad; without any, it is the rest that is tried.
    let changes = prop_oneof![2 => Just(Vec::new()), 3 => vec(change, 1..3)];
    let text = changes.prop_map(move |changes| {
        let mut object = good.clone();
        for (name, value) in changes {
            let members = object.as_object_mut().expect("an object");
            match value {
                Some(value) => drop(members.insert(name.to_owned(), value)),
                None => drop(members.remove(name)),
            }
        }
        object.to_string()
    });
    // And a change to the text itself, once in a while.
    let slip = (any::<prop::sample::Index>(), "[\"{}\\[\\],:\\\\u0-9a ]{0,2}");
    (text, prop::option::weighted(0.2, slip)).prop_map(|(mut text, slip)| {
        if let Some((at, written)) = slip {
            let at = at.index(text.len());
            if text.is_char_boundary(at) && text.is_char_boundary(at + 1) {
                text.replace_range(at..=at, &written);
            }
        }
        text
    })
}

/// And changes to the token once it is signed.
fn slips() -> impl Strategy<Value = Vec<(prop::sample::Index, String)>> {
    prop_oneof![4 => Just(Vec::new()), 1 => vec((any::<prop::sample::Index>(), "[A-Za-z0-9=.+/ _-]{0,2}"), 1..3)]
}

fn agree(validators: &Validators, token: &str) -> Result<bool, TestCaseError> {
    let (own, library) = (validators.own(token), validators.library(token));
    prop_assert_eq!(own.is_ok(), library.is_ok(), "{:?} here, {:?} by jsonwebtoken: {}", own, library, token);
    prop_assert_eq!(own.as_ref().err().copied(), validators.examined(token), "by all checks: {}", token);
    // Claims that were accepted were read alike, too.
    prop_assert_eq!(own.as_ref().ok(), library.as_ref().ok());
    Ok(own.is_ok())
}

fn known() -> impl Iterator<Item = &'static Key> {
    KEYS.iter().filter(|key| LibraryRing::name_for(&*key.scheme).is_some())
}

#[test]
fn both_validators_decide_alike_on_every_mutated_token_of_every_scheme_that_both_know() {
    const HEADER: &[&str] = &[
        "alg", "kid", "typ", "crit", "jku", "jwk", "x5c", "x5t#S256", "cty", "zip", "enc", "nonce", "b64",
        "x",
    ];
    const CLAIMS: &[&str] =
        &["iss", "sub", "aud", "client_id", "scope", "iat", "nbf", "exp", "jti", "cnf", "x"];
    for key in known() {
        let validators = Validators::of(&[key]);
        // Enough of every scheme; more of those that take no time.
        let cases = if key.scheme.facts().signature_bytes > 100 { 60 } else { 400 };
        let accepted = Cell::new(0);
        proptest!(crate::robustness::cases(cases), |(header in object(key.header(), HEADER), claims in object(claims(), CLAIMS), slips in slips())| {
            let mut token = key.token(header, claims);
            for (at, written) in slips {
                let at = at.index(token.len());
                token.replace_range(at..=at, &written);
            }
            accepted.set(accepted.get() + u32::from(agree(&validators, &token)?));
        });
        let accepted = accepted.get();
        assert!(accepted > cases / 20 && accepted < cases * 9 / 10, "{}: {accepted} of {cases}", key.scheme);
    }
}

#[test]
fn both_validators_decide_alike_on_the_seeds_of_the_fuzz_target() {
    for key in known() {
        let validators = Validators::of(&[key]);
        for row in table(key) {
            agree(&validators, &row.token)
                .unwrap_or_else(|error| panic!("{}: {}: {error}", key.scheme, row.name));
        }
    }
}
