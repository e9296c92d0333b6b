//! What a load says about its whole window.

use crate::observation::{Distribution, Load, Outcomes, Sealed, Second};

/// One distribution over all seconds.
pub(super) fn whole(load: &Load, part: fn(&Second) -> &Sealed) -> Distribution {
    load.seconds.iter().fold(Distribution::default(), |mut sum, second| {
        sum.add(&part(second).open());
        sum
    })
}

/// Every outcome of all seconds.
pub fn outcomes(load: &Load) -> Outcomes {
    load.seconds.iter().fold(Outcomes::default(), |mut sum, second| {
        sum.add(&second.outcomes);
        sum
    })
}

/// How many requests ended in any way: each must, in exactly one.
pub fn ended(outcomes: &Outcomes) -> u64 {
    let Outcomes { good_accepted, good_refused, bad_refused, bad_accepted, errors, .. } = outcomes;
    good_accepted
        + good_refused
        + bad_refused
        + bad_accepted.values().sum::<u64>()
        + errors.values().sum::<u64>()
}

/// A quantile in nanoseconds; nothing recorded is 0, which no truth is near.
pub(super) fn quantile(distribution: &Distribution, q: f64) -> f64 {
    distribution.quantile(q).unwrap_or(0) as f64
}

/// The quantiles that are judged.
pub(super) const QUANTILES: [(f64, &str); 3] = [(0.5, "p50"), (0.99, "p99"), (0.999, "p99.9")];
