//! How often a resource server that caches answers must ask.

use crate::analysis::expectation::{UNEVEN, Z99};
use crate::analysis::oracle::{misses, unsafe_acceptances};
use crate::analysis::population::Population;
use crate::analysis::trials::Trials;
use crate::observation::{Event, Recording, Revocation, Workload};
use crate::units::Offset;

/// Expected calls per request, and how far a run may be from it.
///
/// Misses are at most as random as a Poisson count, so its 99 % interval is on the safe side.
pub(super) fn calls_per_request(trials: &Trials<'_>, ttl: f64) -> Option<(f64, f64)> {
    let (mut calls, mut requests) = (0.0, 0.0);
    for recording in trials.recordings.iter().filter(|recording| recording.load.is_some()) {
        let workload = &recording.workload;
        let probed = probe_calls(recording, ttl);
        calls += load_calls(workload, ttl)? + probed.0;
        requests += workload.rate * workload.window_seconds + probed.1;
    }
    (requests > 0.0).then(|| (calls / requests, Z99 * calls.sqrt() / requests + UNEVEN))
}

/// The share of decisions in the measured window that a cache should give, told before the load: `revocations` are the
/// seconds after its beginning at which a token is revoked. `None` if no closed form speaks of such a load.
pub fn expected_hit_ratio(workload: &Workload, revocations: &[f64], ttl: f64) -> Option<f64> {
    let gateways = f64::from(workload.resource_servers);
    let probes = workload.probe_rate * workload.window_seconds * gateways * revocations.len() as f64;
    let asked = gateways * revocations.iter().map(|at| planned_probe_calls(workload, *at, ttl)).sum::<f64>();
    let requests = workload.rate * workload.window_seconds + probes;
    Some(1.0 - (load_calls(workload, ttl)? + asked) / requests)
}

/// Calls that probes of one token cause at one resource server within the measured window: the misses of a live token, and
/// after its revocation every probe that is not accepted from the cache.
fn planned_probe_calls(workload: &Workload, revoked: f64, ttl: f64) -> f64 {
    let (rate, begin) = (workload.probe_rate, workload.warmup_seconds);
    let before = misses(rate, ttl, revoked) - misses(rate, ttl, begin);
    let after = rate * (begin + workload.window_seconds - revoked);
    before + (after - unsafe_acceptances(rate, ttl)).max(0.0)
}

/// Calls that the load of one trial causes within its measured window.
fn load_calls(workload: &Workload, ttl: f64) -> Option<f64> {
    let gateways = f64::from(workload.resource_servers);
    let (begin, end) = (workload.warmup_seconds, workload.warmup_seconds + workload.window_seconds);
    let live = Population::of(workload)?;
    let missed =
        |rate: f64| gateways * (misses(rate / gateways, ttl, end) - misses(rate / gateways, ttl, begin));
    Some(live.misses(ttl, end)? - live.misses(ttl, begin)? + bad_calls(workload, missed))
}

/// An answer "not active" is not kept: every request with such a token is a call. That about an active token is
/// kept.
fn bad_calls(workload: &Workload, missed: impl Fn(f64) -> f64) -> f64 {
    let distinct = f64::from(workload.bad_tokens_per_kind);
    workload
        .bad_shares()
        .map(|(bad, share)| {
            let rate = workload.rate * share;
            if bad.are_active { distinct * missed(rate / distinct) } else { rate * workload.window_seconds }
        })
        .sum()
}

/// Calls and requests of the probes within the measured window: an ideal cache is given the probes that
/// were sent.
fn probe_calls(recording: &Recording, ttl: f64) -> (f64, f64) {
    let begin = recording.workload.warmup_seconds;
    let window = begin..begin + recording.workload.window_seconds;
    let mut sum = (0.0, 0.0);
    for (event, revocation) in recording.revocations() {
        for node in recording.enforcement_points() {
            for (sent, is_call) in replay(event, revocation, node, ttl) {
                if window.contains(&sent) {
                    sum = (sum.0 + f64::from(u8::from(is_call)), sum.1 + 1.0);
                }
            }
        }
    }
    sum
}

/// When each probe was sent, and whether an ideal cache would have had to ask.
fn replay(event: &Event, revocation: &Revocation, node: u32, ttl: f64) -> impl Iterator<Item = (f64, bool)> {
    let revoked = event.ended.map_or(f64::INFINITY, Offset::seconds);
    let mut fresh_until = f64::NEG_INFINITY;
    revocation.probes.iter().filter(move |probe| probe.node == node).map(move |probe| {
        let sent = probe.sent.seconds();
        let is_call = sent >= fresh_until;
        if is_call && sent < revoked {
            fresh_until = (sent + ttl).min(revocation.expires_seconds);
        }
        (sent, is_call)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::synthetic;
    use crate::observation::Reuse;
    use crate::registry::Choice;

    #[test]
    fn without_probes_or_bad_tokens_unique_tokens_never_hit_and_one_token_always_does() {
        let mut workload = synthetic::recording(2).workload;
        workload.bad_fraction = 0.0;
        let mut expected = |reuse, tokens| {
            (workload.reuse, workload.live_tokens) = (reuse, tokens);
            expected_hit_ratio(&workload, &[], 1e3).unwrap()
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
        assert!(expected_hit_ratio(&workload, &[], 2.0).is_none());
    }

    #[test]
    fn what_is_expected_of_a_plan_is_near_what_was_measured() {
        let recordings = [synthetic::recording(2)];
        let workload = &recordings[0].workload;
        let revocations: Vec<f64> =
            recordings[0].revocations().map(|(event, _)| event.ended.unwrap().seconds()).collect();
        let trials = &Trials::group(&recordings.each_ref())[0];
        let (calls, slack) = calls_per_request(trials, 2.0).unwrap();
        let planned = 1.0 - expected_hit_ratio(workload, &revocations, 2.0).unwrap();
        assert!((planned - calls).abs() < slack, "{planned}, not {calls} +- {slack}");
    }
}
