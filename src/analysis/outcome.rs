//! How requests ended: throughput, errors, wrong answers.

use std::collections::BTreeMap;

use crate::analysis::Estimate;
use crate::analysis::bootstrap::Resamples;
use crate::analysis::expectation::FETCH;
use crate::analysis::phases::{calm, counts_expired};
use crate::analysis::trials::Trials;
use crate::metric::MetricId;
use crate::observation::{Ended, Load, Outcomes, REVOKED, Recording, TOKEN_EXPIRED, VALID};

/// What the outcomes of a subject say; nothing if nothing was planned. Requests are counted whatever was done to servers; throughput and its
/// resamples are of what is left without that.
pub(super) fn estimates(
    trials: &Trials<'_>,
    calm: &Trials<'_>,
    resamples: &Resamples,
) -> BTreeMap<MetricId, Estimate> {
    let seconds = trials.seconds();
    let planned: u64 = seconds.iter().map(|second| second.outcomes.planned()).sum();
    if planned == 0 {
        return BTreeMap::new();
    }
    let answers: Vec<f64> = calm.seconds().iter().map(|second| second.answers as f64).collect();
    let lengths: Vec<f64> = calm.loads().flat_map(Load::lengths).collect();
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
        (MetricId::WrongAnswers, Estimate::counted(wrong(trials, calm) as f64)),
    ]);
    let valid = |of: fn(&Ended) -> u64| -> u64 {
        seconds.iter().filter_map(|second| second.outcomes.of(VALID)).map(of).sum()
    };
    // A server that refuses a token because it has expired by then is there, and right. But a client that could not refresh has no other token.
    let expired = valid(|ended| ended.errors.get(TOKEN_EXPIRED).copied().unwrap_or(0));
    let expired =
        if trials.recordings.iter().any(|recording| counts_expired(recording)) { 0 } else { expired };
    let asked = valid(|ended| ended.planned).saturating_sub(expired);
    if asked > 0 {
        let share = valid(|ended| ended.accepted) as f64 / asked as f64;
        estimates.insert(MetricId::Availability, Estimate::counted(share));
    }
    if trials.recordings.iter().any(|recording| recording.workload.sends_revoked()) {
        let stale: u64 = seconds.iter().map(|second| stale(&second.outcomes)).sum();
        estimates.insert(MetricId::StaleAcceptances, Estimate::counted(stale as f64));
    }
    let again: u64 = sent_again(trials).values().sum();
    if again > 0 {
        estimates.insert(MetricId::SentAgain, Estimate::counted(again as f64));
    }
    estimates.extend(throughput.map(|sampled| (MetricId::Throughput, resamples.estimate(&sampled))));
    estimates
}

/// Good tokens refused and bad ones accepted. While servers are disturbed a good token that is refused is unavailable, and a revoked one that
/// is accepted is what the disturbance costs: both are counted there, and only in `calm` time here.
pub(super) fn wrong(trials: &Trials<'_>, calm: &Trials<'_>) -> u64 {
    let is_never_right = |(class, _): &(&str, &Ended)| *class != VALID && *class != REVOKED;
    let accepted = |recording: &Recording| -> u64 {
        outcomes(recording)
            .flat_map(Outcomes::by_class)
            .filter(is_never_right)
            .map(|(_, ended)| ended.accepted)
            .sum()
    };
    let of = |trials: &Trials<'_>| trials.recordings.iter().map(|recording| accepted(recording)).sum::<u64>();
    let each = trials.recordings.iter().zip(&calm.recordings);
    let usual: u64 = each.map(|(whole, calm)| wrong_in(calm, &calm::kept(whole))).sum();
    usual + of(trials) - of(calm)
}

/// Good tokens refused and bad ones accepted, but for those that are stale by design.
pub fn wrong_answers(recording: &Recording) -> u64 {
    wrong_in(recording, &all(recording))
}

/// The same of a trial that was left with the seconds of these numbers.
fn wrong_in(recording: &Recording, numbers: &[u32]) -> u64 {
    let wrong = |(class, ended): (&str, &Ended)| if class == VALID { ended.refused } else { ended.accepted };
    let all: u64 = outcomes(recording).flat_map(Outcomes::by_class).map(wrong).sum();
    all - stale_in(recording, numbers)
}

fn all(recording: &Recording) -> Vec<u32> {
    outcomes(recording).zip(0..).map(|(_, number)| number).collect()
}

/// The same of a subject whose answers count: a control accepts bad tokens, that is what it is for.
pub fn mistakes(recording: &Recording) -> u64 {
    if recording.subject.is_control() {
        outcomes(recording).filter_map(|outcomes| outcomes.of(VALID)).map(|ended| ended.refused).sum()
    } else {
        wrong_answers(recording)
    }
}

/// Tokens accepted that were revoked before the load, by who need not know of it: whoever is told of no revocation never does, and whoever
/// is told by a list or a push does not before that has had time to arrive.
pub fn stale_by_design(recording: &Recording) -> u64 {
    stale_in(recording, &all(recording))
}

fn stale_in(recording: &Recording, numbers: &[u32]) -> u64 {
    let until = recording.subject.design.misses_earlier_revocations_for();
    let until = if until > 0.0 { until + FETCH } else { 0.0 };
    let begin = recording.workload.warmup_seconds;
    let numbered = outcomes(recording).zip(numbers);
    numbered
        .filter(|(_, second)| begin + f64::from(**second) < until)
        .map(|(outcomes, _)| stale(outcomes))
        .sum()
}

/// How the requests of every second of a trial ended, in order.
fn outcomes(recording: &Recording) -> impl Iterator<Item = &Outcomes> {
    recording.load.iter().flat_map(|load| &load.seconds).map(|second| &second.outcomes)
}

/// Tokens accepted that were revoked before the load.
fn stale(outcomes: &Outcomes) -> u64 {
    outcomes.of(REVOKED).map_or(0, |ended| ended.accepted)
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
    use std::time::Duration;

    use super::*;
    use crate::analysis::{Warning, analyse, synthetic};
    use crate::design::Design;
    use crate::observation::BadTokens;

    /// A recording in which tokens that were revoked before the load were accepted 3 times.
    fn stale(mut recording: Recording) -> Recording {
        let revoked = BadTokens { kind: REVOKED.to_owned(), weight: 1, are_active: false, unreadable: 0 };
        recording.workload.bad_tokens.push(revoked);
        let outcomes = &mut recording.load.as_mut().unwrap().seconds[1].outcomes;
        *outcomes.class_mut(REVOKED) = Ended { planned: 3, sent: 3, accepted: 3, ..Ended::default() };
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

    #[test]
    fn beside_a_list_a_revoked_token_is_stale_until_the_list_was_fetched_and_wrong_from_then_on() {
        // It is accepted in the second that begins 3 s after the load did.
        for (poll, wrong) in [(2_800, 3), (3_000, 0), (60_000, 0)] {
            let mut recording = stale(synthetic::recording(3));
            let design = recording.subject.design.polling(Duration::from_millis(poll));
            recording.subject.design = design;
            assert_eq!(wrong_answers(&recording), wrong, "{poll} ms");
            assert_eq!(stale_by_design(&recording), 3 - wrong, "{poll} ms");
            let pushed = Design { push_delay_seconds: Some(0.5), ..design };
            recording.subject.design = pushed;
            assert_eq!(wrong_answers(&recording), 3, "{poll} ms");
        }
    }

    #[test]
    fn availability_is_of_valid_tokens_alone_whatever_becomes_of_the_others() {
        let mut recording = synthetic::recording(1);
        let mut planned = 0;
        for second in &mut recording.load.as_mut().unwrap().seconds {
            let valid = second.outcomes.class_mut(VALID);
            planned += valid.planned;
            valid.accepted -= 9;
            (valid.refused, valid.errors) = (4, BTreeMap::from([("timed out".to_owned(), 5)]));
            let expired = second.outcomes.class_mut("expired");
            (expired.errors, expired.refused) =
                (BTreeMap::from([("timed out".to_owned(), expired.planned)]), 0);
        }
        let estimates = analyse(&[recording]).subjects.remove(0).estimates;
        let availability = estimates[&MetricId::Availability].point;
        assert!((availability - (1.0 - 90.0 / planned as f64)).abs() < 1e-12, "{availability}");
    }

    #[test]
    fn a_token_that_expired_on_the_way_and_was_refused_does_not_count_against_availability() {
        let mut recording = synthetic::recording(1);
        let (mut planned, mut accepted) = (0, 0);
        for second in &mut recording.load.as_mut().unwrap().seconds {
            let valid = second.outcomes.class_mut(VALID);
            valid.accepted -= 9;
            valid.errors = BTreeMap::from([(TOKEN_EXPIRED.to_owned(), 7), ("timed out".to_owned(), 2)]);
            (planned, accepted) = (planned + valid.planned, accepted + valid.accepted);
        }
        let estimates = analyse(&[recording]).subjects.remove(0).estimates;
        let availability = estimates[&MetricId::Availability].point;
        assert!((availability - accepted as f64 / (planned - 70) as f64).abs() < 1e-12, "{availability}");
    }
}
