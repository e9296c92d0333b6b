//! Quantiles and means of latency, service time and the generator's lag, with their resamples.

use std::collections::BTreeMap;

use crate::analysis::bootstrap::{Resamples, Sampled};
use crate::analysis::outcome::answered;
use crate::analysis::sparse::Seconds;
use crate::analysis::trials::Trials;
use crate::analysis::{parts, signature};
use crate::metric::MetricId;
use crate::observation::{Distribution, Load, Second};

/// A quantile with fewer requests beyond it moves too much to be compared (STATISTICS.md, 3).
const BEYOND: f64 = 100.0;

type Pick = fn(&Second) -> Distribution;

const LATENCY: &[(MetricId, f64)] = &[
    (MetricId::LatencyP50, 0.5),
    (MetricId::LatencyP90, 0.9),
    (MetricId::LatencyP99, 0.99),
    (MetricId::LatencyP999, 0.999),
];
const WAIT: &[(MetricId, f64)] = &[(MetricId::WaitP99, 0.99)];
const SERVICE: &[(MetricId, f64)] = &[(MetricId::ServiceP50, 0.5), (MetricId::ServiceP99, 0.99)];
const LAG: &[(MetricId, f64)] =
    &[(MetricId::LagP50, 0.5), (MetricId::LagP99, 0.99), (MetricId::LagP999, 0.999)];

/// Every quantile of a subject, and the mean of its latency.
pub(super) fn sample(trials: &Trials<'_>, resamples: &Resamples) -> BTreeMap<MetricId, Sampled> {
    let seconds = trials.seconds();
    let once = vec![1; seconds.len()];
    let unanswered = left_out(&seconds, |second| answered(&second.outcomes));
    let unsent = left_out(&seconds, |second| second.outcomes.sent);
    let mut sampled = BTreeMap::new();
    // A request that was never answered has a lag, but neither a latency nor a service time.
    let families: [(Pick, _, f64); 4] = [
        (|second| second.latency.open(), LATENCY, unanswered),
        (|second| second.service.open(), SERVICE, unanswered),
        (Second::wait_of_all, WAIT, unsent),
        (|second| second.lag.open(), LAG, 0.0),
    ];
    for (pick, quantiles, left_out) in families {
        let merged = merge(seconds.iter().map(|second| pick(second)));
        let sparse = Seconds::new(seconds.iter().map(|second| pick(second)));
        for (metric, q) in quantiles {
            let point = merged.quantile(*q).map(|nanos| nanos as f64 / 1e9);
            if let Some(mut quantile) = resamples.sample(point, |weights| sparse.quantile(weights, *q)) {
                quantile.few_samples = few_samples(merged.count(), *q);
                // 1.0 - 0.99 is a little below 0.01.
                quantile.at_least = left_out > 1.0 - q + 1e-9;
                sampled.insert(*metric, quantile);
            }
        }
        if quantiles == LATENCY {
            let mean = resamples.sample(sparse.mean(&once), |weights| sparse.mean(weights));
            sampled.extend(mean.map(|mean| (MetricId::LatencyMean, mean)));
        }
    }
    sampled
}

/// A quantile or the mean of latency or service time of one load, in seconds; `None` for other metrics, or without an answer.
pub(super) fn of_load(load: &Load, metric: MetricId) -> Option<f64> {
    let is_service = matches!(metric, MetricId::ServiceP50 | MetricId::ServiceP99);
    let pick = |second: &Second| if is_service { second.service.open() } else { second.latency.open() };
    let merged = merge(load.seconds.iter().map(pick));
    let nanos = match metric.quantile() {
        Some(q) => merged.quantile(q)? as f64,
        None if metric == MetricId::LatencyMean => merged.mean()?,
        None => return None,
    };
    Some(nanos / 1e9)
}

/// The median and the 99th percentile over those of the control, which was measured in the same run.
pub(super) fn added(
    subject: &BTreeMap<MetricId, Sampled>,
    control: &BTreeMap<MetricId, Sampled>,
) -> BTreeMap<MetricId, Sampled> {
    [(MetricId::AddedP50, MetricId::LatencyP50), (MetricId::AddedP99, MetricId::LatencyP99)]
        .into_iter()
        .filter_map(|(added, of)| Some((added, subject.get(&of)?.minus(control.get(&of)?)?)))
        .collect()
}

/// Share of the planned requests that a histogram of those `counted` does not hold.
pub(super) fn left_out(seconds: &[&Second], counted: fn(&Second) -> u64) -> f64 {
    let sum = |of: fn(&Second) -> u64| seconds.iter().map(|second| of(second)).sum::<u64>() as f64;
    let (planned, counted) = (sum(|second| second.outcomes.planned), sum(counted));
    if planned > 0.0 { 1.0 - counted / planned } else { 0.0 }
}

/// Histograms are merged; quantiles are never averaged.
pub(super) fn merge(distributions: impl IntoIterator<Item = Distribution>) -> Distribution {
    let mut merged = Distribution::default();
    for distribution in distributions {
        merged.add(&distribution);
    }
    merged
}

/// How many requests, or operations, the quantile that a metric states needs, to be compared; `None` for other metrics.
pub(super) fn needed(metric: MetricId) -> Option<u64> {
    let of = match metric {
        MetricId::AddedP50 => MetricId::LatencyP50,
        MetricId::AddedP99 => MetricId::LatencyP99,
        other => other,
    };
    let all =
        [LATENCY, SERVICE, WAIT, LAG, parts::QUANTILES].concat().into_iter().chain(signature::quantiles());
    let (_, q) = all.into_iter().find(|(metric, _)| *metric == of)?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small positive number")]
    Some((BEYOND / (1.0 - q)).round() as u64)
}

/// True if fewer than a hundred of `count` requests lie beyond the quantile.
pub(super) fn few_samples(count: u64, q: f64) -> bool {
    // 10,000 requests are enough for 0.99, although 1.0 - 0.99 is a little below 0.01.
    count as f64 * (1.0 - q) < BEYOND - 1e-6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_needs_a_hundred_requests_beyond_it() {
        assert!(!few_samples(10_000, 0.99));
        assert!(few_samples(9_999, 0.99));
        assert!(!few_samples(200, 0.5));
        assert!(few_samples(10_000, 0.999));
        for (metric, expected) in [
            (MetricId::LatencyP50, Some(200)),
            (MetricId::LatencyP99, Some(10_000)),
            (MetricId::AddedP99, Some(10_000)),
            (MetricId::LagP999, Some(100_000)),
            (MetricId::LatencyMean, None),
        ] {
            assert_eq!(needed(metric), expected, "{metric}");
        }
    }
}
