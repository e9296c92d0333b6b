//! How often clients have their tokens refreshed.

use crate::analysis::expectation::{Check, UNEVEN, Z99, value};
use crate::analysis::trials::Trials;
use crate::analysis::{Estimate, usage};
use crate::design::{Asks, Refreshing};
use crate::metric::MetricId;
use crate::observation::Recording;

/// Calls to the authorization server of a design that makes none but these: each live token is refreshed once in its life less the margin.
/// `None` where clients refresh nothing.
///
/// Refreshes come more regularly than by chance, so that the interval of a Poisson count is on the safe side.
pub(super) fn check(trials: &Trials<'_>, measured: &impl Fn(MetricId) -> Option<Estimate>) -> Option<Check> {
    let refreshing = trials.subject.design.refreshing?;
    if trials.subject.design.asks != Asks::Never {
        return None;
    }
    let (mut expected, mut requests) = (0.0, 0.0);
    for recording in &trials.recordings {
        let steps = usage::steps(&recording.nodes);
        let seconds: f64 = steps.iter().map(|step| step.seconds).sum();
        requests += steps.iter().map(|step| step.requests).sum::<f64>();
        expected += refreshes(recording, refreshing, seconds);
    }
    if requests <= 0.0 {
        return None;
    }
    let (point, slack) = (expected / requests, Z99 * expected.sqrt() / requests + UNEVEN);
    Some(value(
        "calls to the authorization server per request",
        MetricId::Amplification,
        (point, (point - slack).max(0.0), point + slack),
        measured(MetricId::Amplification)?.point,
        "every live token is refreshed once in its life less the margin",
    ))
}

/// Refreshes in so many seconds of the window: of the live tokens, and of each token under revocation test until it was refused one.
fn refreshes(recording: &Recording, refreshing: Refreshing, seconds: f64) -> f64 {
    let (period, begin) = (refreshing.period(), recording.workload.warmup_seconds);
    let live = recording.workload.live_tokens as f64 * seconds / period;
    let watched = recording.revocations().map(|(event, _)| {
        let revoked = event.ended.map_or(f64::INFINITY, |ended| ended.seconds() - begin).clamp(0.0, seconds);
        revoked / period + ((seconds - revoked) / period).min(1.0)
    });
    live + watched.sum::<f64>()
}

#[cfg(test)]
mod tests {
    use crate::analysis::expectation::Agreement;
    use crate::analysis::{analyse, synthetic};
    use crate::design::Refreshing;
    use crate::observation::Recording;

    /// Ten seconds of 10,000 live tokens and 8 that are revoked half-way, on average.
    fn recording(refreshes: u64) -> Recording {
        let mut recording = synthetic::recording(3);
        recording.subject.design.refreshing =
            Some(Refreshing { token_life_seconds: 60.0, refresh_margin_seconds: 10.0 });
        let looks = recording.nodes[1].looks.iter_mut();
        let last = looks.len() as u64 - 1;
        for (look, number) in looks.zip(0..) {
            look.counters.insert("/token refresh_token".to_owned(), refreshes * number / last);
        }
        recording
    }

    #[test]
    fn refreshes_are_held_to_the_number_of_live_tokens_over_their_life_less_the_margin() {
        for (refreshes, agreement) in [
            (2_000, Agreement::Agrees),
            (2_100, Agreement::Agrees),
            (1_700, Agreement::Disagrees),
            (2_400, Agreement::Disagrees),
            (0, Agreement::Disagrees),
        ] {
            let checks = analyse(&[recording(refreshes)]).subjects.remove(0).checks;
            let calls: Vec<_> =
                checks.iter().filter(|check| check.quantity.starts_with("calls to the")).collect();
            assert_eq!(calls.len(), 1, "{checks:?}");
            assert_eq!(calls[0].agreement, agreement, "{refreshes}: {:?}", calls[0]);
        }
    }
}
