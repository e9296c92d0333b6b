//! What a cache asks, played and by the closed form.

use std::time::Duration;

use super::*;
use crate::analysis::synthetic;
use crate::observation::Reuse;
use crate::registry::Choice;

fn caching(ttl: f64) -> Caching {
    Caching::for_a_while(Duration::from_secs_f64(ttl))
}

/// In the measured window.
fn of_bad(workload: &Workload, caching: &Caching) -> Tally {
    let begin = workload.warmup_seconds;
    super::of_bad(workload, caching, begin, begin + workload.window_seconds)
}

#[test]
fn without_probes_or_bad_tokens_unique_tokens_never_hit_and_one_token_always_does() {
    let mut workload = synthetic::recording(2).workload;
    workload.bad_fraction = 0.0;
    let mut expected = |reuse, tokens| {
        (workload.reuse, workload.live_tokens) = (reuse, tokens);
        expected_hit_ratio(&workload, &[], &Design::keeping(caching(1e3))).unwrap()
    };
    assert!(expected(Reuse::Unique {}, 100_000).abs() < 1e-9);
    for law in [Reuse::Uniform {}, Reuse::Zipf { exponent: 0.99 }, Reuse::RoundRobin {}] {
        assert!((expected(law, 1) - 1.0).abs() < 1e-3, "{law:?}");
    }
}

#[test]
fn arrivals_that_no_closed_form_speaks_of_have_no_expectation() {
    let mut workload = synthetic::recording(2).workload;
    workload.arrival_process = Some(Choice::named("bursts"));
    assert!(expected_hit_ratio(&workload, &[], &Design::keeping(caching(2.0))).is_none());
}

#[test]
fn a_cache_that_asks_ahead_asks_more_often_and_is_waited_for_less_often() {
    let mut workload = synthetic::recording(2).workload;
    // Few tokens that are seen often, so that answers end while they are in use.
    (workload.bad_fraction, workload.live_tokens) = (0.0, 200);
    let plain = of_load(&workload, &caching(2.0)).unwrap();
    let ahead = |seconds| Caching { refresh_ahead_seconds: Some(seconds), ..caching(2.0) };
    let refreshed = of_load(&workload, &ahead(1.0)).unwrap();
    assert!(refreshed.calls > 1.1 * plain.calls, "{} after {}", refreshed.calls, plain.calls);
    assert!(refreshed.misses < 0.9 * plain.misses, "{} after {}", refreshed.misses, plain.misses);
    let hardly = of_load(&workload, &ahead(1e-9)).unwrap();
    assert!((hardly.calls - plain.calls).abs() + (hardly.misses - plain.misses).abs() < 1e-3);
    // No closed form speaks of it.
    workload.reuse = Reuse::RoundRobin {};
    assert!(of_load(&workload, &caching(2.0)).is_some() && of_load(&workload, &ahead(1.0)).is_none());
}

#[test]
fn an_inactive_token_is_asked_about_at_each_request_unless_that_answer_is_kept() {
    let mut workload = synthetic::recording(2).workload;
    workload.bad_fraction = 0.5;
    let requests = workload.rate * workload.window_seconds / 2.0;
    let inactive = workload.bad_shares().filter(|(bad, _)| !bad.are_active).map(|(_, share)| share);
    let inactive = inactive.sum::<f64>() * workload.rate * workload.window_seconds;
    let always = of_bad(&workload, &caching(2.0)).calls;
    assert!((inactive..=requests).contains(&always), "{always} of {requests}");
    let kept = Caching { negative_lifetime_seconds: Some(1e3), ..caching(2.0) };
    // What there is of each kind was asked about in the warm-up.
    assert!(always - of_bad(&workload, &kept).calls > 0.9 * inactive);
}

#[test]
fn who_reads_tokens_first_asks_nobody_about_those_that_cannot_be_read() {
    let mut workload = synthetic::recording(2).workload;
    workload.bad_fraction = 0.5;
    for negative_lifetime_seconds in [None, Some(0.5)] {
        let asking = Caching { negative_lifetime_seconds, ..caching(2.0) };
        let reading = Caching { reads_first: true, ..asking };
        workload.bad_tokens.iter_mut().for_each(|bad| bad.unreadable = 0);
        let all = of_bad(&workload, &reading).calls;
        assert!((all - of_bad(&workload, &asking).calls).abs() < 1e-9);
        let inactive = workload.bad_tokens.iter().position(|bad| !bad.are_active).unwrap();
        let mut others = workload.clone();
        others.bad_tokens.remove(inactive);
        others.bad_fraction *= others.bad_tokens.len() as f64 / workload.bad_tokens.len() as f64;
        let of_the_kind = all - of_bad(&others, &reading).calls;
        // A quarter of them.
        workload.bad_tokens[inactive].unreadable = workload.bad_tokens_per_kind / 4;
        let found = of_bad(&workload, &reading);
        assert!((all - found.calls - of_the_kind / 4.0).abs() < 1e-6 * all, "{} of {all}", found.calls);
        assert!(of_the_kind > 0.0);
        let unread = of_bad(&workload, &asking);
        assert!((unread.calls - all).abs() < 1e-9, "who asks about all of them asks about these too");
        assert!((found.misses - unread.misses).abs() < 1e-9, "no answer is there, asked for or not");
    }
}

#[test]
fn what_is_expected_of_a_plan_is_near_what_was_measured() {
    let recordings = [synthetic::recording(2)];
    let workload = &recordings[0].workload;
    let revocations: Vec<f64> =
        recordings[0].revocations().map(|(event, _)| event.ended.unwrap().seconds()).collect();
    let trials = &Trials::group(&recordings.each_ref())[0];
    let (calls, slack) = per_request(trials, &caching(2.0)).unwrap().misses;
    let design = Design::keeping(caching(2.0));
    let planned = 1.0 - expected_hit_ratio(workload, &revocations, &design).unwrap();
    assert!((planned - calls).abs() < slack, "{planned}, not {calls} +- {slack}");
}

#[test]
fn a_pushed_revocation_takes_an_answer_away_that_would_have_counted_on() {
    let mut recording = synthetic::recording(2);
    let workload = &recording.workload;
    let revocations: Vec<f64> =
        recording.revocations().map(|(event, _)| event.ended.unwrap().seconds()).collect();
    let plain = Design::keeping(caching(2.0));
    let pushed = plain.pushed_to(Duration::from_secs(1), None);
    let [plain, pushed_planned] =
        [plain, pushed].map(|design| expected_hit_ratio(workload, &revocations, &design).unwrap());
    assert!(pushed_planned < plain, "{pushed_planned}, {plain}");
    recording.subject.design = pushed;
    let trials = &Trials::group(&[&recording])[0];
    let (calls, slack) = per_request(trials, &caching(2.0)).unwrap().misses;
    assert!((1.0 - pushed_planned - calls).abs() < slack, "{pushed_planned}, {calls} +- {slack}");
}
