//! Requests that come in batches: a page that calls ten times, a job that wakes a fleet.

use std::num::NonZeroU32;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::arrival::ArrivalProcess;
use crate::arrival::gaps::{Gaps, rounded};
use crate::units::{Offset, Rate};

/// Batches of requests that are due at the same instant. The fewer batches, the larger they are: requests keep the load's rate.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(example = serde_json::json!({ "size": 10 }))]
pub struct Bursts {
    /// Requests of a batch.
    size: NonZeroU32,
    /// How the gaps between batches come about.
    #[serde(default)]
    gaps: Gaps,
}

impl ArrivalProcess for Bursts {
    fn instants(&self, rate: Rate, seed: u64) -> Box<dyn Iterator<Item = Offset> + Send> {
        let size = self.size.get();
        let batches = self.gaps.nanos(rate.per_second() / f64::from(size), seed);
        Box::new(batches.flat_map(move |at| (0..size).map(move |_| rounded(at))))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bursts(size: u32, gaps: Gaps) -> Bursts {
        Bursts { size: NonZeroU32::new(size).unwrap(), gaps }
    }

    fn nanos(bursts: Bursts, per_second: f64, seed: u64, count: usize) -> Vec<u64> {
        let rate = Rate::try_from(per_second).unwrap();
        bursts.instants(rate, seed).take(count).map(Offset::nanos).collect()
    }

    #[test]
    fn a_seed_gives_the_same_batches_for_ever() {
        let found = nanos(bursts(3, Gaps::Poisson), 3_000.0, 1, 7);
        insta::assert_compact_debug_snapshot!(found, @"[514977, 514977, 514977, 598776, 598776, 598776, 1506504]");
    }

    #[test]
    fn batches_at_equal_gaps_keep_the_rate_to_the_nanosecond() {
        let found = nanos(bursts(100, Gaps::Constant), 300.0, 1, 1_000_001);
        assert_eq!(found[99], 0);
        assert_eq!(found[100], 333_333_333);
        assert_eq!(found[1_000_000], 3_333_333_333_333);
    }

    proptest! {
        #[test]
        fn batches_come_as_single_requests_would_at_a_rate_that_is_smaller_by_their_size(
            size in 1..50_u32,
            poisson in any::<bool>(),
            seed in any::<u64>(),
        ) {
            let gaps = if poisson { Gaps::Poisson } else { Gaps::Constant };
            let batched = nanos(bursts(size, gaps), 1_000.0 * f64::from(size), seed, 20 * size as usize);
            let single = nanos(bursts(1, gaps), 1_000.0, seed, 20);
            for (batch, at) in batched.chunks(size as usize).zip(single) {
                prop_assert!(batch.iter().all(|due| due.abs_diff(at) <= 1), "{batch:?} {at}");
            }
        }
    }
}
