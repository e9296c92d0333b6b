//! How requests ended: throughput, errors, wrong answers.

use std::collections::BTreeMap;

use crate::analysis::Estimate;
use crate::analysis::bootstrap::Resamples;
use crate::analysis::trials::Trials;
use crate::metric::MetricId;
use crate::observation::Load;

/// What the outcomes of a subject say; nothing if nothing was planned.
pub(super) fn estimates(trials: &Trials<'_>, resamples: &Resamples) -> BTreeMap<MetricId, Estimate> {
    let seconds = trials.seconds();
    let planned: u64 = seconds.iter().map(|second| second.outcomes.planned).sum();
    if planned == 0 {
        return BTreeMap::new();
    }
    let answers: Vec<f64> = seconds.iter().map(|second| second.answers as f64).collect();
    let lengths: Vec<f64> = trials.loads().flat_map(Load::lengths).collect();
    let per_second = |weights: &[u32]| {
        let weighted = |values: &[f64]| -> f64 {
            weights.iter().zip(values).map(|(weight, value)| f64::from(*weight) * value).sum()
        };
        let length = weighted(&lengths);
        (length > 0.0).then(|| weighted(&answers) / length)
    };
    let throughput = resamples.sample(per_second(&vec![1; answers.len()]), per_second);
    let total: u64 = seconds.iter().map(|second| second.outcomes.answered()).sum();
    let mut estimates = BTreeMap::from([
        (MetricId::Errors, Estimate::counted((1.0 - total as f64 / planned as f64).max(0.0))),
        (MetricId::WrongAnswers, Estimate::counted(wrong(trials) as f64)),
    ]);
    if trials.recordings.iter().any(|recording| recording.workload.sends_revoked()) {
        let stale: u64 = seconds.iter().map(|second| second.outcomes.stale_accepted).sum();
        estimates.insert(MetricId::StaleAcceptances, Estimate::counted(stale as f64));
    }
    let again: u64 = sent_again(trials).values().sum();
    if again > 0 {
        estimates.insert(MetricId::SentAgain, Estimate::counted(again as f64));
    }
    estimates.extend(throughput.map(|sampled| (MetricId::Throughput, resamples.estimate(&sampled))));
    estimates
}

/// Good tokens refused and bad ones accepted.
pub(super) fn wrong(trials: &Trials<'_>) -> u64 {
    trials.seconds().iter().map(|second| second.outcomes.wrong(&trials.subject.design)).sum()
}

/// How often requests were sent again, by why.
pub(super) fn sent_again(trials: &Trials<'_>) -> BTreeMap<String, u64> {
    let mut sum = BTreeMap::new();
    for (why, count) in trials.seconds().iter().flat_map(|second| &second.outcomes.sent_again) {
        *sum.entry(why.clone()).or_default() += count;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{Warning, analyse, synthetic};
    use crate::observation::{BadTokens, REVOKED, Recording};

    /// A recording in which tokens that were revoked before the load were accepted 3 times.
    fn stale(mut recording: Recording) -> Recording {
        let revoked = BadTokens { kind: REVOKED.to_owned(), weight: 1, are_active: false };
        recording.workload.bad_tokens.push(revoked);
        let outcomes = &mut recording.load.as_mut().unwrap().seconds[1].outcomes;
        outcomes.bad_refused -= 3;
        outcomes.stale_accepted += 3;
        recording
    }

    #[test]
    fn a_revoked_token_that_is_accepted_is_wrong_where_somebody_is_asked_and_stale_where_nobody_is() {
        let recordings: Vec<_> = (1..=3).map(|subject| stale(synthetic::recording(subject))).collect();
        let analysis = analyse(&recordings);
        for (summary, wrong) in analysis.subjects.iter().zip([3.0, 3.0, 0.0]) {
            let name = &summary.subject.name;
            let estimate = |metric| summary.estimates[&metric].point;
            assert!((estimate(MetricId::WrongAnswers) - wrong).abs() < 1e-9, "{name}");
            assert!((estimate(MetricId::StaleAcceptances) - 3.0).abs() < 1e-9, "{name}");
            assert!(estimate(MetricId::Errors).abs() < 1e-9, "{name}: they are answers");
            let warned =
                summary.warnings.iter().any(|warning| matches!(warning, Warning::WrongAnswers { .. }));
            assert_eq!(warned, wrong > 0.0, "{name}");
        }
    }
}
