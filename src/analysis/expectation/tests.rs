//! What bounds the life of a revoked token, and when a measurement contradicts that.

use std::time::Duration;

use super::*;
use crate::analysis::{analyse, synthetic};
use crate::design::Caching;
use crate::observation::Recording;

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

/// Has the probes of the first revocation accepted until so many seconds after it.
fn accepting_for(recording: &mut Recording, seconds: f64) {
    let event = recording.events.first_mut().unwrap();
    let revoked = event.ended.unwrap().seconds();
    for probe in &mut event.revocation_mut().unwrap().probes {
        probe.accepted = probe.decided().seconds() < revoked + seconds;
    }
}

#[test]
fn old_answers_in_one_round_excuse_no_other_round_and_stay_out_of_the_closed_form() {
    let lifetime = synthetic::recording(2).subject.design.cache_lifetime().unwrap();
    let mut rounds = [0, 1].map(|repetition| Recording { repetition, ..synthetic::recording(2) });
    for round in &mut rounds {
        round.subject.design = Design::keeping(Caching {
            stale_if_error_seconds: Some(1.0),
            ..Caching::for_a_while(Duration::from_secs_f64(lifetime))
        });
    }
    let of = |rounds: &[Recording], quantity: &str| -> Vec<(f64, Agreement)> {
        let checks = analyse(rounds).subjects.remove(0).checks;
        let about = checks.iter().filter(|check| check.quantity.starts_with(quantity));
        about.map(|check| (check.measured, check.agreement)).collect()
    };
    let (time, acceptances) = ("time from a revocation", "unsafe acceptances");
    let usual = of(&rounds[..1], acceptances);
    let last = rounds[1].nodes[2].looks.last_mut().unwrap();
    last.counters.insert("cache_stale_answers".to_owned(), 5);
    accepting_for(&mut rounds[1], lifetime + 0.5);
    let agreements =
        |rounds: &[Recording]| of(rounds, time).into_iter().map(|found| found.1).collect::<Vec<_>>();
    assert_eq!(agreements(&rounds), [Agreement::Within, Agreement::Within]);
    assert_eq!(of(&rounds, acceptances), usual, "those of the other round alone");
    accepting_for(&mut rounds[0], lifetime + 0.5);
    assert_eq!(agreements(&rounds), [Agreement::Exceeds, Agreement::Within]);
    accepting_for(&mut rounds[1], lifetime + 1.5);
    assert_eq!(agreements(&rounds), [Agreement::Exceeds, Agreement::Exceeds]);
    assert_eq!(of(&rounds[1..], acceptances), [], "no round is left");
}
