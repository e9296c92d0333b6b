//! The two laws of gaps that every made-up schedule is built on.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::Offset;

/// How the gaps between requests, or batches of them, come about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Gaps {
    /// Independent and exponential.
    #[default]
    Poisson,
    /// All the same, the first event at zero.
    Constant,
}

impl Gaps {
    /// Unrounded nanoseconds at which something happens so many times a second.
    pub(super) fn nanos(self, per_second: f64, seed: u64) -> Box<dyn Iterator<Item = f64> + Send> {
        match self {
            Gaps::Poisson => Box::new(exponential(1e9 / per_second, seed)),
            // Each instant comes from its number, so that rounding never adds up.
            Gaps::Constant => Box::new((0_u64..).map(move |number| number as f64 * 1e9 / per_second)),
        }
    }
}

fn exponential(mean_gap: f64, seed: u64) -> impl Iterator<Item = f64> + Send {
    // ChaCha8 and the inverse of the distribution rather than the defaults of `rand`: a seed in
    // an old recording must give the same plan with every later version.
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut now = 0.0;
    std::iter::repeat_with(move || {
        // Summed unrounded: after a day the sum still resolves a hundredth of a nanosecond.
        now += -mean_gap * (1.0 - random.random::<f64>()).ln();
        now
    })
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rounded, and never negative")]
pub(super) fn rounded(nanos: f64) -> Offset {
    Offset::from_nanos(nanos.round() as u64)
}
