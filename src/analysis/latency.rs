//! Quantiles and means of latency, service time and the generator's lag, with their resamples.

use std::collections::{BTreeMap, BTreeSet};

use crate::analysis::bootstrap::{Resamples, Sampled};
use crate::analysis::followed::{FollowedSeconds, From, Reach};
use crate::analysis::signature;
use crate::analysis::sparse::Seconds;
use crate::analysis::standing::Bracket;
use crate::analysis::trials::Trials;
use crate::metric::{Family, MetricId};
use crate::observation::{Distribution, Load, Second};

/// A quantile with fewer requests beyond it moves too much to be compared.
const BEYOND: f64 = 100.0;

type Pick = fn(&Second) -> Distribution;

/// Every quantile of a subject, and the mean of its latency: of latency and service as far as no gap disturbed them, of
/// lag and wait over all requests. Percentiles without a row are those that were `asked` for.
pub(super) fn sample(
    trials: &Trials<'_>,
    resamples: &Resamples,
    asked: &BTreeSet<MetricId>,
) -> BTreeMap<MetricId, Sampled> {
    let seconds = trials.seconds();
    let unanswered = left_out(&seconds, |second| second.outcomes.answered());
    let unsent = left_out(&seconds, |second| second.outcomes.sent());
    let mut sampled = BTreeMap::new();
    let latency = Undisturbed { resamples, seconds: &seconds, unanswered };
    let [due, sent] = [Family::Latency, Family::Service].map(|family| percentiles(family, asked));
    sampled.extend(latency.quantiles(From::Due, &due, |second| second.latency.open()));
    sampled.extend(latency.quantiles(From::Sent, &sent, |second| second.service.open()));
    // A request that was never answered has a lag, but neither a latency nor a service time.
    let families: [(Pick, _, f64); 2] =
        [(Second::wait_of_all, Family::Wait, unsent), (|second| second.lag.open(), Family::Lag, 0.0)];
    for (pick, family, left_out) in families {
        let merged = merge(seconds.iter().map(|second| pick(second)));
        let sparse = Seconds::new(seconds.iter().map(|second| pick(second)));
        for (metric, q) in percentiles(family, asked) {
            let point = merged.quantile(q).map(|nanos| nanos as f64 / 1e9);
            if let Some(mut quantile) = resamples.sample(point, |weights| sparse.quantile(weights, q)) {
                quantile.few_samples = few_samples(merged.count(), q);
                quantile.at_least = is_beyond(left_out, q);
                sampled.insert(metric, quantile);
            }
        }
    }
    sampled
}

/// What gaps left of the requests of a subject.
struct Undisturbed<'a> {
    resamples: &'a Resamples,
    seconds: &'a [&'a Second],
    /// Share of the planned requests that got no answer.
    unanswered: f64,
}

impl Undisturbed<'_> {
    /// Quantiles from an instant of each request on, and the mean if it is that at which the request was due. `all` are the same
    /// times of every request, gaps or not.
    fn quantiles(&self, from: From, quantiles: &[(MetricId, f64)], all: Pick) -> BTreeMap<MetricId, Sampled> {
        let is_latency = from == From::Due;
        let followed = FollowedSeconds::of(self.seconds, from);
        // The generator's lag lengthens a latency, and nothing else.
        let without_lag = is_latency.then(|| FollowedSeconds::of(self.seconds, From::TakenUp));
        let all = merge(self.seconds.iter().map(|second| all(second)));
        let once = vec![1; self.seconds.len()];
        let mut sampled = BTreeMap::new();
        for (metric, q) in quantiles {
            let of_all = all.quantile(*q).map(|nanos| nanos as f64 / 1e9);
            let Some(reach) = followed.whole(*q) else {
                sampled.extend(of_all.and_then(|all| Some((*metric, self.at_most(all, *q)?))));
                continue;
            };
            let of = |weights: &[u32]| followed.quantile(weights, *q).map(Reach::seconds);
            let Some(mut quantile) = self.resamples.sample(Some(reach.seconds()), of) else { continue };
            quantile.few_samples = few_samples(followed.count(), *q);
            quantile.at_least = is_beyond(self.unanswered, *q);
            let least = without_lag.as_ref().and_then(|without| without.whole(*q));
            quantile.bracket = bracket(reach, least);
            quantile.of_all = of_all;
            sampled.insert(*metric, quantile);
        }
        if is_latency
            && let Some(mut mean) =
                self.resamples.sample(followed.mean(&once), |weights| followed.mean(weights))
        {
            let least = without_lag.as_ref().and_then(|without| without.mean(&once)).map(Reach::At);
            mean.bracket = bracket(Reach::At(mean.point), least);
            mean.of_all = all.mean().map(|nanos| nanos / 1e9);
            sampled.insert(MetricId::LatencyMean, mean);
        }
        sampled
    }

    /// A value of which no request that was left alone tells anything: gaps can only lengthen, so that of all is its upper end.
    fn at_most(&self, all: f64, q: f64) -> Option<Sampled> {
        let mut sampled = self.resamples.sample(Some(all), |_| None)?;
        sampled.bracket = Some(Bracket::Within { least: 0.0, most: all, scale: all });
        sampled.at_least = is_beyond(self.unanswered, q);
        sampled.of_all = Some(all);
        Some(sampled)
    }
}

/// Between what a latency would have been without the lag, and what it was.
fn bracket(reach: Reach, without_lag: Option<Reach>) -> Option<Bracket> {
    match reach {
        Reach::Beyond(least) => Some(Bracket::Beyond(least)),
        Reach::At(most) => {
            let least = without_lag?.seconds().min(most);
            Some(Bracket::Within { least, most, scale: most })
        }
    }
}

/// True if more of the requests were left out than lie beyond the quantile. 1.0 - 0.99 is a little below 0.01.
fn is_beyond(left_out: f64, q: f64) -> bool {
    left_out > 1.0 - q + 1e-9
}

/// The ends between which a quantile or the mean of latency or service time of one load lies, in seconds; `None` for other metrics,
/// or without an answer.
pub(super) fn ends_of_load(load: &Load, metric: MetricId) -> Option<[f64; 2]> {
    let seconds: Vec<&Second> = load.seconds.iter().collect();
    let once = vec![1; seconds.len()];
    let value = |from| {
        let followed = FollowedSeconds::of(&seconds, from);
        match metric.quantile() {
            Some(q) => followed.whole(q).map(Reach::seconds),
            None if metric == MetricId::LatencyMean => followed.mean(&once),
            None => None,
        }
    };
    if metric.percentile_of().is_some_and(|(family, _)| family == Family::Service) {
        return value(From::Sent).map(|service| [service; 2]);
    }
    let most = value(From::Due)?;
    Some([value(From::TakenUp).unwrap_or(most).min(most), most])
}

/// A quantile or the mean of latency or service time of one load, in seconds, with what the generator was late by in it.
pub(super) fn of_load(load: &Load, metric: MetricId) -> Option<f64> {
    ends_of_load(load, metric).map(|[_, most]| most)
}

/// The percentiles of a family: those that are always told, and those that were asked for. That which adds to the control asks for that
/// of both.
pub(super) fn percentiles(family: Family, asked: &BTreeSet<MetricId>) -> Vec<(MetricId, f64)> {
    let all = MetricId::ALL.iter().chain(asked).filter_map(|metric| {
        let (of, quantile) = metric.percentile_of()?;
        let of = if family == Family::Latency && of == Family::Added { Family::Latency } else { of };
        (of == family).then(|| (MetricId::percentile(family, quantile), quantile.share()))
    });
    let mut percentiles: Vec<(MetricId, f64)> = all.collect();
    percentiles.sort_by_key(|(metric, _)| *metric);
    percentiles.dedup();
    percentiles
}

/// Percentiles over those of the control, which was measured in the same run.
pub(super) fn added(
    subject: &BTreeMap<MetricId, Sampled>,
    control: &BTreeMap<MetricId, Sampled>,
    asked: &BTreeSet<MetricId>,
) -> BTreeMap<MetricId, Sampled> {
    let difference = |(added, _): (MetricId, f64)| {
        let of = MetricId::percentile(Family::Latency, added.percentile_of()?.1);
        Some((added, subject.get(&of)?.minus(control.get(&of)?)?))
    };
    percentiles(Family::Added, asked).into_iter().filter_map(difference).collect()
}

/// What subjects are compared by, of each round by itself.
pub(super) fn by_round(sampled: &BTreeMap<MetricId, Sampled>) -> BTreeMap<MetricId, BTreeMap<u32, f64>> {
    let compared = [MetricId::LatencyP50, MetricId::LatencyP99, MetricId::LatencyMean].into_iter();
    compared.filter_map(|metric| Some((metric, sampled.get(&metric)?.by_round()))).collect()
}

/// Share of the planned requests that a histogram of those `counted` does not hold.
pub(super) fn left_out(seconds: &[&Second], counted: fn(&Second) -> u64) -> f64 {
    let sum = |of: fn(&Second) -> u64| seconds.iter().map(|second| of(second)).sum::<u64>() as f64;
    let (planned, counted) = (sum(|second| second.outcomes.planned()), sum(counted));
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
    let of_load = metric.percentile_of().map(|(_, quantile)| quantile.share());
    let of_operation = || signature::quantiles().find(|(of, _)| *of == metric).map(|(_, q)| q);
    let q = of_load.or_else(of_operation)?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a positive number, which saturates"
    )]
    Some((BEYOND / beyond(q)).round() as u64)
}

/// The share of the requests on the smaller side of a quantile.
fn beyond(q: f64) -> f64 {
    q.min(1.0 - q)
}

/// True if fewer than a hundred of `count` requests lie beyond the quantile.
pub(super) fn few_samples(count: u64, q: f64) -> bool {
    // 10,000 requests are enough for 0.99, although 1.0 - 0.99 is a little below 0.01.
    count as f64 * beyond(q) < BEYOND - 1e-6
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{Standing, analyse, synthetic};
    use crate::observation::Disturbed;

    #[test]
    fn where_gaps_left_nothing_the_time_of_all_requests_is_an_upper_end() {
        let mut recording = synthetic::recording(1);
        for second in &mut recording.load.as_mut().unwrap().seconds {
            second.disturbed.insert(Disturbed::default()).uncounted = second.latency.count();
        }
        let summary = analyse(&[recording]).subjects.remove(0);
        for (metric, _) in percentiles(Family::Latency, &BTreeSet::new()) {
            let estimate = summary.estimates[&metric];
            let most = estimate.of_all.filter(|all| *all > 0.0);
            assert_eq!(estimate.standing, Standing::Lost { least: None, most }, "{metric}");
        }
    }

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
