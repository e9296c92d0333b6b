//! Laws of service times whose every draw is known beforehand: pure and seeded.

use std::fmt;
use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// How long a server takes for a request.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Law {
    /// Always the same.
    Constant(Duration),
    /// Spread evenly between two times.
    Uniform {
        /// The shortest.
        from: Duration,
        /// The longest.
        to: Duration,
    },
    /// Most are short, and there is no longest.
    Exponential {
        /// On average.
        mean: Duration,
    },
    /// One of two.
    Bimodal {
        /// Most of the time.
        short: Duration,
        /// Otherwise.
        long: Duration,
        /// The share of the long ones.
        share: f64,
    },
}

impl Law {
    /// The times of the first, the second and every further request.
    pub fn times(self, seed: u64) -> impl Iterator<Item = Duration> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        std::iter::repeat_with(move || self.at(random.random()))
    }

    /// The time at a place of 0 to 1 of the law, by the inverse of its distribution.
    fn at(self, place: f64) -> Duration {
        match self {
            Self::Constant(time) => time,
            Self::Uniform { from, to } => from + to.saturating_sub(from).mul_f64(place),
            Self::Exponential { mean } => mean.mul_f64(-(1.0 - place).ln()),
            Self::Bimodal { short, long, share } => {
                if place < share {
                    long
                } else {
                    short
                }
            }
        }
    }
}

impl fmt::Display for Law {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = |time: Duration| time.as_secs_f64() * 1e3;
        match self {
            Self::Constant(time) => write!(f, "constant {} ms", millis(*time)),
            Self::Uniform { from, to } => write!(f, "uniform {} to {} ms", millis(*from), millis(*to)),
            Self::Exponential { mean } => write!(f, "exponential, mean {} ms", millis(*mean)),
            Self::Bimodal { short, long, .. } => {
                write!(f, "bimodal {} or {} ms", millis(*short), millis(*long))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(law: Law, mean_millis: f64, median_millis: f64) {
        let mut times: Vec<Duration> = law.times(1).take(100_001).collect();
        assert_eq!(
            times[..10],
            law.times(1).take(10).collect::<Vec<_>>()[..],
            "the same seed, the same times"
        );
        times.sort_unstable();
        let mean = times.iter().sum::<Duration>().as_secs_f64() * 1e3 / times.len() as f64;
        assert!((mean / mean_millis - 1.0).abs() < 0.015, "{law}: mean {mean} ms");
        let median = times[times.len() / 2].as_secs_f64() * 1e3;
        assert!((median / median_millis - 1.0).abs() < 0.015, "{law}: median {median} ms");
    }

    #[test]
    fn every_law_has_its_mean_and_its_median() {
        let millis = Duration::from_millis;
        check(Law::Constant(millis(10)), 10.0, 10.0);
        check(Law::Uniform { from: millis(10), to: millis(30) }, 20.0, 20.0);
        check(Law::Exponential { mean: millis(20) }, 20.0, 20.0 * std::f64::consts::LN_2);
        check(Law::Bimodal { short: millis(10), long: millis(100), share: 0.1 }, 19.0, 10.0);
    }
}
