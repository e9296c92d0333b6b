//! How long the operations of a signature scheme take by themselves, with the rounds as what is resampled.

use std::collections::BTreeMap;

use crate::analysis::bootstrap::Resamples;
use crate::analysis::sparse::Seconds;
use crate::analysis::trials::Trials;
use crate::analysis::usage::STEAL_PERCENT;
use crate::analysis::{Estimate, latency};
use crate::metric::MetricId;
use crate::observation::{Batches, Distribution, Round, SignatureTimes};

/// One operation: its metrics, where its times are, how many were timed together.
struct Operation {
    quantiles: &'static [(MetricId, f64)],
    mean: Option<MetricId>,
    times: fn(&Round) -> &Distribution,
    batch: fn(&Batches) -> u32,
}

const OPERATIONS: [Operation; 4] = [
    Operation {
        quantiles: &[(MetricId::KeygenP50, 0.5)],
        mean: None,
        times: |round| &round.generate,
        batch: |batches| batches.generate,
    },
    Operation {
        quantiles: &[(MetricId::SignP50, 0.5), (MetricId::SignP99, 0.99)],
        mean: Some(MetricId::SignMean),
        times: |round| &round.sign,
        batch: |batches| batches.sign,
    },
    Operation {
        quantiles: &[(MetricId::VerifyP50, 0.5), (MetricId::VerifyP99, 0.99)],
        mean: None,
        times: |round| &round.verify,
        batch: |batches| batches.verify,
    },
    Operation {
        quantiles: &[(MetricId::ValidationP50, 0.5)],
        mean: None,
        times: |round| &round.validate,
        batch: |batches| batches.validate,
    },
];

/// Every quantile that is told of an operation.
pub(super) fn quantiles() -> impl Iterator<Item = (MetricId, f64)> {
    OPERATIONS.into_iter().flat_map(|operation| operation.quantiles).copied()
}

/// What is known of the scheme of a subject, and the times of its operations; nothing of opaque tokens.
pub(super) fn estimates(trials: &Trials<'_>) -> BTreeMap<MetricId, Estimate> {
    let mut estimates = BTreeMap::new();
    if let Some(scheme) = &trials.subject.scheme {
        estimates.insert(MetricId::SignatureBytes, Estimate::counted(scheme.signature_bytes.into()));
    }
    let times: Vec<&SignatureTimes> =
        trials.timed.iter().filter_map(|recording| recording.signature_times.as_ref()).collect();
    let lengths: Vec<usize> = times.iter().map(|times| times.rounds.len()).collect();
    let resamples = Resamples::draw(&lengths, trials.seed());
    for operation in OPERATIONS {
        estimates.extend(of(&operation, &times, &resamples));
    }
    estimates
}

/// The largest share of the machine's time that was stolen while it was timed, where it is above the limit.
pub(super) fn steal_percent(trials: &Trials<'_>) -> Option<f64> {
    trials
        .recordings
        .iter()
        .filter_map(|recording| recording.signature_conditions?.steal_percent)
        .filter(|percent| *percent > STEAL_PERCENT)
        .reduce(f64::max)
}

fn of(
    operation: &Operation,
    times: &[&SignatureTimes],
    resamples: &Resamples,
) -> BTreeMap<MetricId, Estimate> {
    let rounds: Vec<Distribution> = times
        .iter()
        .flat_map(|times| times.rounds.iter().map(|round| ((operation.times)(round), &times.batches)))
        .map(|(round, batches)| picoseconds(round, (operation.batch)(batches)))
        .collect();
    let merged = latency::merge(rounds.iter().cloned());
    let sparse = Seconds::new(rounds.iter().cloned());
    let mut estimates = BTreeMap::new();
    // The arithmetic of nanoseconds makes thousands of seconds of picoseconds.
    let seconds = |value: f64| value / 1e3;
    // Of slow operations the mean of a batch tells nothing.
    let together = times.iter().any(|times| (operation.batch)(&times.batches) > 1);
    for (metric, q) in operation.quantiles.iter().filter(|(_, q)| *q <= 0.5 || !together) {
        let point = merged.quantile(*q).map(|picos| picos as f64 / 1e12);
        let sampled = resamples.sample(point, |weights| sparse.quantile(weights, *q).map(seconds));
        if let Some(mut sampled) = sampled {
            sampled.few_samples = latency::few_samples(merged.count(), *q);
            estimates.insert(*metric, resamples.estimate(&sampled));
        }
    }
    if let Some(metric) = operation.mean {
        let mean = |weights: &[u32]| sparse.mean(weights).map(seconds);
        let sampled = resamples.sample(mean(&vec![1; rounds.len()]), mean);
        estimates.extend(sampled.map(|sampled| (metric, resamples.estimate(&sampled))));
    }
    estimates
}

/// The time of one operation where `batch` of them were timed together. Nanoseconds would be too coarse for some.
fn picoseconds(batches: &Distribution, batch: u32) -> Distribution {
    let mut each = Distribution::default();
    for (nanos, count) in batches.buckets() {
        each.record_many(nanos * 1_000 / u64::from(batch.max(1)), count);
    }
    each
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{Basis, analyse, synthetic};
    use crate::observation::Recording;

    /// A JWT subject whose rounds each hold `count` verifications that took so many nanoseconds a batch.
    fn verifying(batch: u32, count: u64, rounds: [u64; 5]) -> Recording {
        let mut recording = synthetic::recording(3);
        let times = recording.signature_times.as_mut().unwrap();
        times.batches.verify = batch;
        times.rounds = rounds
            .into_iter()
            .map(|nanos| {
                let mut round = Round::default();
                round.verify.record_many(nanos, count);
                round
            })
            .collect();
        recording
    }

    fn estimate(recordings: &[Recording], metric: MetricId) -> Estimate {
        analyse(recordings).subjects[0].estimates[&metric]
    }

    #[test]
    fn a_time_is_that_of_one_operation_however_many_were_timed_together() {
        for (batch, nanos) in [(1, 50), (32, 1_600), (1_000, 50_000)] {
            let recording = verifying(batch, 9, [nanos; 5]);
            let p50 = estimate(&[recording], MetricId::VerifyP50);
            assert!((p50.point / 50e-9 - 1.0).abs() < 2e-3, "{batch}: {p50:?}");
        }
    }

    #[test]
    fn a_mean_of_a_batch_is_no_99th_percentile_of_operations() {
        for (batch, told) in [(1, true), (2, false)] {
            let estimates = analyse(&[verifying(batch, 9, [50_000; 5])]).subjects.remove(0).estimates;
            assert_eq!(estimates.contains_key(&MetricId::VerifyP99), told, "{batch}");
            assert!(estimates.contains_key(&MetricId::VerifyP50));
        }
    }

    #[test]
    fn rounds_that_differ_make_the_interval_and_few_operations_are_marked() {
        let recording = verifying(1, 40, [50_000, 60_000, 50_000, 60_000, 55_000]);
        let p50 = estimate(&[recording], MetricId::VerifyP50);
        assert!(p50.low < 51e-6 && p50.high.unwrap() > 59e-6, "{p50:?}");
        assert_eq!((p50.basis, p50.few_samples), (Basis::WithinRun, false));
        let recording = verifying(1, 3, [50_000; 5]);
        assert!(estimate(&[recording], MetricId::VerifyP50).few_samples);
    }

    #[test]
    fn several_trials_with_batches_of_their_own_are_merged() {
        let recordings: Vec<Recording> = [(1, 50_000), (2, 104_000), (4, 200_000)]
            .into_iter()
            .zip(0..)
            .map(|((batch, nanos), repetition)| Recording { repetition, ..verifying(batch, 100, [nanos; 5]) })
            .collect();
        let p50 = estimate(&recordings, MetricId::VerifyP50);
        assert!((p50.point / 50e-6 - 1.0).abs() < 2e-3 && p50.basis == Basis::AcrossRuns, "{p50:?}");
    }
}
