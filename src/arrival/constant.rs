//! One request every gap: what a metronome would send.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::arrival::ArrivalProcess;
use crate::arrival::gaps::{Gaps, rounded};
use crate::units::{Offset, Rate};

/// Requests at equal gaps, the first at zero. It has no settings, and the seed changes nothing.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Constant {}

impl ArrivalProcess for Constant {
    fn instants(&self, rate: Rate, seed: u64) -> Box<dyn Iterator<Item = Offset> + Send> {
        Box::new(Gaps::Constant.nanos(rate.per_second(), seed).map(rounded))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_million_requests_at_3_per_second_end_on_the_exact_nanosecond() {
        let rate = Rate::try_from(3.0).unwrap();
        let last = Constant {}.instants(rate, 1).nth(1_000_000).unwrap();
        assert_eq!(last.nanos(), 333_333_333_333_333);
    }

    proptest! {
        #[test]
        fn no_gap_is_further_than_a_nanosecond_from_the_mean_gap(per_second in 0.1..100_000.0_f64) {
            let rate = Rate::try_from(per_second).unwrap();
            let instants: Vec<_> = Constant {}.instants(rate, 1).take(100).collect();
            for pair in instants.windows(2) {
                let gap = pair[1].since(pair[0]).as_nanos() as f64;
                prop_assert!((gap - 1e9 / per_second).abs() <= 1.0);
            }
        }
    }
}
