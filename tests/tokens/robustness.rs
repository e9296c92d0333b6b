//! Texts by chance, and the cost of large ones.

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use rustix::time::{ClockId, clock_gettime};

use crate::attacks::table;
use crate::property::{NOW, holds};
use crate::workshop::{Key, Validators, claims, common, members};

/// The same cases every time; `PROPTEST_RNG_SEED=2 cargo test --test tokens` tries others.
pub(crate) fn cases(number: u32) -> ProptestConfig {
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(number) };
    let rng_seed = if config.rng_seed == RngSeed::Random { RngSeed::Fixed(1) } else { config.rng_seed };
    ProptestConfig { rng_seed, ..config }
}

/// Texts in the form of tokens, with members that mean something in any order and number.
fn shaped() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        Just("\"HS256\"".to_owned()),
        Just("\"at+jwt\"".to_owned()),
        Just("\"https://as.example\"".to_owned()),
        Just("\"https://api.example/\"".to_owned()),
        Just("[\"https://api.example/\"]".to_owned()),
        Just("\"read\"".to_owned()),
        Just("null".to_owned()),
        Just((NOW + 60).to_string()),
        Just(format!("{}.5", NOW - 1)),
        "[\\[\\]{}\",:0-9eE+\\-. a]{0,8}",
    ];
    let name = prop_oneof![
        prop::sample::select(vec![
            "alg",
            "typ",
            "kid",
            "crit",
            "iss",
            "sub",
            "aud",
            "client_id",
            "scope",
            "iat",
            "nbf",
            "exp",
            "jti",
            "x",
            "\\u0061lg",
            "\\u0065xp",
        ])
        .prop_map(str::to_owned),
        "[a-z]{0,3}",
    ];
    let object = vec((name, value), 0..12).prop_map(|members| {
        let members: Vec<String> =
            members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        format!("{{{}}}", members.join(","))
    });
    (object.clone(), object).prop_map(|(header, payload)| {
        use bearerbench::auth::token::base64url::encode;
        format!("{}.{}.", encode(header), encode(payload))
    })
}

/// A good token with some bytes changed, left out or put in.
fn mutated(token: String) -> impl Strategy<Value = String> {
    let change = (any::<prop::sample::Index>(), 0..3_u8, any::<u8>());
    vec(change, 1..4).prop_map(move |changes| {
        let mut bytes = token.clone().into_bytes();
        for (at, kind, byte) in changes {
            let at = at.index(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => drop(bytes.remove(at)),
                _ => bytes.insert(at, byte),
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

proptest! {
    #![proptest_config(cases(2_000))]

    #[test]
    fn no_text_panics_and_none_is_accepted_unsigned(text in any::<String>(), shaped in shaped()) {
        holds(&text);
        holds(&shaped);
    }

    #[test]
    fn no_bytes_in_the_form_of_a_token_panic(header in vec(any::<u8>(), 0..40), payload in vec(any::<u8>(), 0..80)) {
        use bearerbench::auth::token::base64url::encode;
        holds(&format!("{}.{}.", encode(header), encode(payload)));
    }
}

#[test]
fn a_good_token_that_was_changed_anywhere_is_never_accepted() {
    let key = Key::generate(&common());
    let validators = Validators::of(&[&key]);
    let good = key.good();
    assert!(validators.own(&good).is_ok());
    proptest!(cases(2_000), |(token in mutated(good.clone()))| {
        prop_assume!(token != good);
        prop_assert!(validators.own(&token).is_err(), "{}", token);
        holds(&token);
    });
}

#[test]
fn the_property_holds_for_every_row_of_the_attack_table() {
    for row in table(&Key::generate(&common())) {
        holds(&row.token);
    }
}

/// The processor time of the quickest of many tries: what other processes take is not counted.
fn quickest(mut task: impl FnMut()) -> Duration {
    let spent = || {
        let time = clock_gettime(ClockId::ThreadCPUTime);
        Duration::new(time.tv_sec.try_into().expect("positive"), time.tv_nsec.try_into().expect("below 10^9"))
    };
    let tries = (0..30).map(|_| {
        let begun = spent();
        task();
        spent().saturating_sub(begun)
    });
    tries.min().expect("there were some")
}

#[test]
fn eight_times_as_many_members_cost_about_eight_times_as_much() {
    let key = Key::generate(&common());
    let validators = Validators::of(&[&key]);
    let good = claims().to_string();
    let token = |number| key.token(key.header().to_string(), format!("{{{}{}", members(number), &good[1..]));
    let time = |token: &str| quickest(|| assert!(validators.own(token).is_ok()));
    // The signature costs the same for both.
    let none = time(&token(0));
    let (few, many) = (token(700), token(5_600));
    assert!(many.len() > 60_000, "{}", many.len());
    let (few, many) = (time(&few).saturating_sub(none), time(&many).saturating_sub(none));
    assert!(many < few * 30, "{many:?} against {few:?}; 64 times as much if it were quadratic");
}
