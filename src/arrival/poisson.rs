//! Requests of many users who know nothing of each other.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::arrival::ArrivalProcess;
use crate::arrival::gaps::{Gaps, rounded};
use crate::units::{Offset, Rate};

/// A Poisson process: gaps are independent and exponential. It has no settings.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Poisson {}

impl ArrivalProcess for Poisson {
    fn instants(&self, rate: Rate, seed: u64) -> Box<dyn Iterator<Item = Offset> + Send> {
        Box::new(Gaps::Poisson.nanos(rate.per_second(), seed).map(rounded))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gaps(per_second: f64, seed: u64, count: usize) -> Vec<f64> {
        let rate = Rate::try_from(per_second).unwrap();
        let instants: Vec<_> = Poisson {}.instants(rate, seed).take(count + 1).collect();
        instants.windows(2).map(|pair| pair[1].since(pair[0]).as_secs_f64()).collect()
    }

    #[test]
    fn gaps_pass_the_kolmogorov_smirnov_test_against_the_exponential_law() {
        let (rate, count) = (2_000.0, 20_000);
        let mut gaps = gaps(rate, 7, count);
        gaps.sort_by(f64::total_cmp);
        let distance = gaps
            .iter()
            .enumerate()
            .map(|(rank, gap)| {
                let expected = 1.0 - (-rate * gap).exp();
                let (below, above) = (rank as f64 / count as f64, (rank + 1) as f64 / count as f64);
                (expected - below).abs().max((expected - above).abs())
            })
            .fold(0.0, f64::max);
        // 1.63 / sqrt(n): the critical distance at the 1 % level.
        assert!(distance < 1.63 / (count as f64).sqrt(), "{distance}");
    }

    #[test]
    fn the_mean_gap_is_the_inverse_of_the_rate() {
        let gaps = gaps(500.0, 3, 100_000);
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        // Four standard errors of the mean of 100,000 exponential gaps.
        assert!((mean * 500.0 - 1.0).abs() < 4.0 / 100_000.0_f64.sqrt(), "{mean}");
    }

    #[test]
    fn a_seed_gives_the_same_instants_for_ever_and_another_seed_gives_others() {
        let rate = Rate::try_from(1_000.0).unwrap();
        let first = |seed| Poisson {}.instants(rate, seed).take(3).map(Offset::nanos).collect::<Vec<_>>();
        assert_ne!(first(1), first(2));
        insta::assert_compact_debug_snapshot!(first(1), @"[514977, 598776, 1506504]");
    }
}
