//! Counts of a second by tenths of it: how soon servers recover from something is a matter of less than a second.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::Offset;

/// So many slices has a second.
const OF_A_SECOND: usize = 10;
/// And so many nanoseconds has a slice.
const LENGTH: u64 = 1_000_000_000 / OF_A_SECOND as u64;

/// What happened in each tenth of a second, by count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Slices {
    /// Requests that were due in it.
    pub due: [u32; OF_A_SECOND],
    /// Answers, yes or no, that arrived in it, whenever their requests were due.
    pub answered: [u32; OF_A_SECOND],
    /// Requests that ended in it without one, whenever they were due.
    pub errors: [u32; OF_A_SECOND],
    /// Requests with a valid token that were due in it, but for those that were refused because it had expired by then. Absent in recordings
    /// of version 4 that were written before there were events.
    #[serde(default)]
    pub valid: [u32; OF_A_SECOND],
    /// Those of them that were accepted, whenever that was. Absent in the same recordings.
    #[serde(default)]
    pub accepted: [u32; OF_A_SECOND],
}

/// One tenth of one second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecondSlice {
    /// Whole seconds before the second it lies in.
    pub second: usize,
    /// Its number in that second.
    pub tenth: usize,
}

impl SecondSlice {
    /// The slice in which an instant lies, for seconds that are counted from `start`.
    pub fn of(instant: Offset, start: Offset) -> Self {
        let slices = instant.nanos().saturating_sub(start.nanos()) / LENGTH;
        let slices = usize::try_from(slices).expect("a trial lasts less than 13 years, even on 32 bits");
        Self { second: slices / OF_A_SECOND, tenth: slices % OF_A_SECOND }
    }
}

impl Slices {
    /// How long each is.
    pub const LENGTH: Duration = Duration::from_nanos(LENGTH);

    /// Counts everything that `other` counted.
    pub(super) fn add(&mut self, other: &Self) {
        for (sums, counts) in [
            (&mut self.due, other.due),
            (&mut self.answered, other.answered),
            (&mut self.errors, other.errors),
            (&mut self.valid, other.valid),
            (&mut self.accepted, other.accepted),
        ] {
            sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_lies_in_the_slice_that_begins_with_it_or_before() {
        let start = Offset::from_nanos(2_500_000_000);
        for (nanos, second, tenth) in
            [(0, 0, 0), (99_999_999, 0, 0), (100_000_000, 0, 1), (999_999_999, 0, 9), (3_200_000_000, 3, 2)]
        {
            let instant = Offset::from_nanos(start.nanos() + nanos);
            assert_eq!(SecondSlice::of(instant, start), SecondSlice { second, tenth }, "{nanos}");
        }
    }
}
