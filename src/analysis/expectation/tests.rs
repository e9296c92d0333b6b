//! What bounds the life of a revoked token, and when a measurement contradicts that.

use std::time::Duration;

use super::*;
use crate::design::Caching;

/// What is said of a token that expired 3 s after its revocation and was accepted for so many seconds after it.
fn judged(design: Design, last_acceptance: f64, had_stale_answers: bool) -> Agreement {
    let observation = Observation {
        repetition: 0,
        revocation: 0,
        node: 2,
        last_acceptance,
        gap: Some(0.1),
        probed_for: 20.0,
        expires_after: 3.0,
        unsafe_acceptances: 9,
        in_flight: 0,
        last_flight: 0.0,
    };
    let propagation = Propagation { observations: vec![observation], ..Propagation::default() };
    bound(&design, &propagation, had_stale_answers).agreement
}

#[test]
fn only_a_token_that_is_believed_until_its_date_may_be_accepted_in_the_second_after_its_expiry() {
    let [short, long] = [2, 10].map(Duration::from_secs);
    let verifying = Design::verifying(Duration::ZERO, long);
    for (design, most) in [
        (Design::ASKING_EVERY_TIME, 0.0),
        (Design::caching(short), 2.0),
        (Design::caching(long), 3.0),
        (verifying, 4.0),
        (Design::verifying(Duration::from_secs(1), long), 5.0),
        (verifying.polling(short), 2.0 + FETCH),
    ] {
        assert_eq!(judged(design, most, false), Agreement::Within, "{design:?}");
        assert_eq!(judged(design, most + 0.01, false), Agreement::Exceeds, "{design:?}");
    }
}

#[test]
fn a_stale_answer_may_be_used_for_longer_where_one_was_needed() {
    let caching =
        Caching { stale_if_error_seconds: Some(0.5), ..Caching::for_a_while(Duration::from_secs(2)) };
    let design = Design::keeping(caching);
    assert_eq!(judged(design, 2.4, false), Agreement::Exceeds);
    assert_eq!(judged(design, 2.4, true), Agreement::Within);
    assert_eq!(judged(design, 2.6, true), Agreement::Exceeds);
}
