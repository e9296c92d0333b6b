//! The numbers of designs, and what follows from them.

use super::*;

const TTL: Duration = Duration::from_secs(5);

#[test]
fn a_revoked_token_lives_until_it_is_known_or_expires_whichever_is_first() {
    let polling = Design::verifying(Duration::ZERO, TTL).polling(Duration::from_secs(30));
    let pushed = polling.pushed_to(Duration::from_millis(10), None);
    for (design, learns, bounds, misses) in [
        (Design::UNKNOWN, None, [None, None], f64::INFINITY),
        (Design::UNCHECKED, None, [None, None], 0.0),
        (Design::ASKING_EVERY_TIME, Some(0.0), [Some(0.0), Some(0.0)], 0.0),
        (Design::caching(TTL), Some(5.0), [Some(2.0), Some(5.0)], 0.0),
        (Design::verifying(Duration::from_secs(1), TTL), None, [Some(3.0), Some(61.0)], f64::INFINITY),
        (polling, Some(30.0), [Some(2.0), Some(30.0)], 30.0),
        (pushed, Some(0.01), [Some(0.01), Some(0.01)], 0.01),
        (Design::caching(TTL).pushed_to(2 * TTL, None), Some(5.0), [Some(2.0), Some(5.0)], 0.0),
    ] {
        assert_eq!(design.learns_within(), learns, "{design:?}");
        assert_eq!(
            [2.0, 60.0].map(|expires_in| design.accepts_revoked_for(expires_in)),
            bounds,
            "{design:?}"
        );
        assert_eq!(design.ignores_revocations(), learns.is_none() && bounds[0].is_some(), "{design:?}");
        assert!(design.misses_earlier_revocations_for().total_cmp(&misses).is_eq(), "{design:?}");
        let text = serde_json::to_string(&design).unwrap();
        assert_eq!(serde_json::from_str::<Design>(&text).unwrap(), design, "{text}");
    }
}

/// Keeps answers in every way that there is.
const KEEPING: Caching = Caching {
    cache_lifetime_seconds: 5.0,
    negative_lifetime_seconds: Some(1.0),
    refresh_ahead_seconds: Some(2.0),
    stale_if_error_seconds: Some(30.0),
    reads_first: false,
};

#[test]
fn an_outage_lengthens_the_life_of_a_revoked_token_by_what_stale_answers_are_used_for() {
    let verifying = Design::verifying(Duration::from_secs(1), TTL);
    for (design, usually, in_outage) in [
        (Design::UNCHECKED, None, None),
        (Design::ASKING_EVERY_TIME, Some(0.0), Some([0.0, 0.0])),
        (Design::caching(TTL), Some(5.0), Some([5.0, 5.0])),
        (Design::keeping(KEEPING), Some(5.0), Some([20.0, 35.0])),
        (verifying.polling(TTL), Some(5.0), Some([21.0, 61.0])),
        (verifying.pushed_to(TTL, Some(6 * TTL)), Some(5.0), Some([21.0, 30.0])),
        (Design::caching(2 * TTL).pushed_to(TTL, None), Some(5.0), Some([10.0, 10.0])),
    ] {
        assert_eq!(design.accepts_revoked_for(60.0), usually, "{design:?}");
        let found = [20.0, 60.0].map(|expires_in| design.accepts_revoked_in_outage_for(expires_in));
        assert_eq!(found, in_outage.map_or([None; 2], |bounds| bounds.map(Some)), "{design:?}");
    }
}

#[test]
fn a_cache_is_written_as_before_unless_it_does_more() {
    let text = |design: Design| serde_json::to_string(&design.asks).unwrap();
    assert_eq!(text(Design::caching(TTL)), r#"{"kind":"on_miss","cache_lifetime_seconds":5.0}"#);
    let written = text(Design::keeping(KEEPING));
    assert_eq!(serde_json::from_str::<Asks>(&written).unwrap(), Asks::OnMiss(KEEPING), "{written}");
    let reading = Design::caching(TTL).reading_first();
    assert_eq!(text(reading), r#"{"kind":"on_miss","cache_lifetime_seconds":5.0,"reads_first":true}"#);
    let unknown = r#"{"kind":"on_miss","cache_lifetime_seconds":5.0,"other":1}"#;
    assert!(serde_json::from_str::<Asks>(unknown).is_err());
}

#[test]
fn every_number_has_its_name() {
    assert_eq!(Design::caching(TTL).terms(), [("cache lifetime", 5.0)]);
    let names = Design::keeping(KEEPING).terms().into_iter().map(|(name, _)| name);
    let all = ["cache lifetime", "negative lifetime", "refresh ahead", "stale if error"];
    assert_eq!(names.collect::<Vec<_>>(), all);
    let verifying = Design::verifying(Duration::from_secs(1), Duration::from_mins(5));
    assert_eq!(verifying.terms(), [("key-set age", 300.0), ("leeway", 1.0)]);
    let pushed = verifying.pushed_to(TTL, Some(2 * TTL)).terms();
    assert_eq!(pushed[..2], [("push delay", 5.0), ("without the channel", 10.0)]);
    assert_eq!(Design::UNCHECKED.terms(), []);
}
