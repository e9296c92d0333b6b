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

/// A quantile in nanoseconds; nothing recorded is 0, which no truth is near.
pub(super) fn quantile(distribution: &Distribution, q: f64) -> f64 {
    distribution.quantile(q).unwrap_or(0) as f64
}

/// The quantiles that are judged.
pub(super) const QUANTILES: [(f64, &str); 3] = [(0.5, "p50"), (0.99, "p99"), (0.999, "p99.9")];
