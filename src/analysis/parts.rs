//! Quantiles of what a recording keeps for the whole window of a trial rather than second by second, with the trial as
//! what is resampled: of a single trial there is no interval.

use std::collections::{BTreeMap, BTreeSet};

use crate::analysis::Estimate;
use crate::analysis::bootstrap::Resamples;
use crate::analysis::latency::{few_samples, left_out, merge, percentiles};
use crate::analysis::sparse::Seconds;
use crate::analysis::trials::Trials;
use crate::metric::{Family, MetricId};
use crate::observation::{Distribution, Load, Parts, Sealed};

/// Where a part is kept.
type Pick = fn(&Parts) -> &Sealed;

/// The parts of a latency, and what the generator used of its cores.
pub(super) fn estimates(
    trials: &Trials<'_>,
    resamples: &Resamples,
    asked: &BTreeSet<MetricId>,
) -> BTreeMap<MetricId, Estimate> {
    // A trial without a measured second is in no resample.
    let loads: Vec<&Load> = trials.loads().filter(|load| !load.seconds.is_empty()).collect();
    let lengths: Vec<usize> = loads.iter().map(|load| load.seconds.len()).collect();
    let whole = Whole { loads, lengths, resamples };
    let unanswered = left_out(&trials.seconds(), |second| second.outcomes.answered());
    let mut estimates = BTreeMap::new();
    let parts: [(Family, Pick, f64); 3] = [
        (Family::FirstByte, |parts| &parts.first_byte, unanswered),
        (Family::Response, |parts| &parts.response, unanswered),
        (Family::Connect, |parts| &parts.connect, 0.0),
    ];
    for (family, part, left_out) in parts {
        for (metric, q) in percentiles(family, asked) {
            estimates.extend(whole.quantile(part, q, left_out).map(|estimate| (metric, estimate)));
        }
    }
    estimates.extend(whole.generator_cpu().map(|estimate| (MetricId::GeneratorCpu, estimate)));
    estimates
}

/// The trials as a whole.
struct Whole<'a> {
    loads: Vec<&'a Load>,
    /// How many seconds of the resamples belong to each.
    lengths: Vec<usize>,
    resamples: &'a Resamples,
}

impl Whole<'_> {
    fn quantile(&self, part: Pick, q: f64, left_out: f64) -> Option<Estimate> {
        let open =
            |load: &&Load| load.parts.as_ref().map_or_else(Distribution::default, |parts| part(parts).open());
        let merged = merge(self.loads.iter().map(open));
        let sparse = Seconds::new(self.loads.iter().map(open));
        let point = merged.quantile(q)? as f64 / 1e9;
        let estimate = self.estimate(point, |weights| sparse.quantile(weights, q))?;
        // 1.0 - 0.99 is a little below 0.01.
        let at_least = left_out > 1.0 - q + 1e-9;
        Some(Estimate {
            high: estimate.high.filter(|_| !at_least),
            few_samples: few_samples(merged.count(), q),
            ..estimate
        })
    }

    fn generator_cpu(&self) -> Option<Estimate> {
        let used = |load: &Load| {
            // Recordings before version 3 name no threads: there was one.
            let threads = load.generators.len().max(1) as f64;
            (load.generator_cpu_nanos as f64 / 1e9, threads * load.measured_seconds)
        };
        let used: Vec<(f64, f64)> = self.loads.iter().map(|load| used(load)).collect();
        let share = |weights: &[u32]| {
            let (cpu, time) = weights.iter().zip(&used).fold((0.0, 0.0), |sum, (weight, (cpu, time))| {
                (sum.0 + f64::from(*weight) * cpu, sum.1 + f64::from(*weight) * time)
            });
            (time > 0.0).then(|| cpu / time)
        };
        self.estimate(share(&vec![1; used.len()])?, share)
    }

    /// `of` is given how often each trial occurs.
    fn estimate(&self, point: f64, of: impl Fn(&[u32]) -> Option<f64>) -> Option<Estimate> {
        if self.loads.len() < 2 {
            return Some(Estimate::counted(point));
        }
        let sampled = self.resamples.sample(Some(point), |weights| of(&self.by_trial(weights)))?;
        Some(self.resamples.estimate(&sampled))
    }

    /// How often each trial occurs in a resample of seconds: one that was drawn gives as many seconds as it has.
    fn by_trial(&self, weights: &[u32]) -> Vec<u32> {
        let mut rest = weights;
        let of_trial = |length: &usize| {
            let (seconds, more) = rest.split_at(*length);
            rest = more;
            seconds.iter().sum::<u32>() / u32::try_from(*length).expect("a run lasts less than a century")
        };
        self.lengths.iter().map(of_trial).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{Basis, analyse, synthetic};
    use crate::observation::Recording;

    fn estimates_of(recordings: &[Recording]) -> BTreeMap<MetricId, Estimate> {
        analyse(recordings).subjects.remove(0).estimates
    }

    #[test]
    fn a_single_trial_has_no_interval_of_its_parts_and_several_have_students() {
        let first = synthetic::recording(1);
        let alone = estimates_of(std::slice::from_ref(&first));
        let mut second = Recording { repetition: 1, ..first.clone() };
        let load = second.load.as_mut().unwrap();
        (load.generator_cpu_nanos, load.measured_seconds) = (4_600_000_000, 10.0);
        let both = estimates_of(&[first, second]);
        for metric in [MetricId::FirstByteP50, MetricId::ResponseP99, MetricId::ConnectP50] {
            assert_eq!((alone[&metric].basis, both[&metric].basis), (Basis::Counted, Basis::AcrossRuns));
            assert!((alone[&metric].point - both[&metric].point).abs() < 1e-9, "{metric}: the same twice");
        }
        let (one, two) = (alone[&MetricId::GeneratorCpu], both[&MetricId::GeneratorCpu]);
        assert!((one.point - 0.23).abs() < 1e-9 && (two.point - 0.345).abs() < 1e-9, "{one:?} {two:?}");
        assert!(two.low < 0.23 && two.high.unwrap() > 0.46, "{two:?}");
    }
}
