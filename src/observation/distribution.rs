//! A distribution of durations: an `HdrHistogram`, and what it alone would round.

use std::borrow::Cow;

use hdrhistogram::Histogram;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use crate::observation::Sealed;

/// Durations in nanoseconds: quantiles to 3 significant digits, count, minimum, maximum and sum exact.
///
/// The histogram's own `min`, `max` and `mean` are bucket values.
#[derive(Clone, Debug, PartialEq)]
pub struct Distribution {
    histogram: Histogram<u64>,
    min: u64,
    max: u64,
    sum: u128,
}

impl Default for Distribution {
    fn default() -> Self {
        let histogram = Histogram::new(3).expect("3 significant digits are within 0 to 5");
        Self { histogram, min: u64::MAX, max: 0, sum: 0 }
    }
}

/// So long durations are recorded without asking for memory, in nanoseconds: 10 s.
const ROOM: u64 = 10_000_000_000;

impl Distribution {
    /// One that need not grow for any duration below 10 s: growing takes time just when something took long. 200 kB.
    pub fn with_room() -> Self {
        let mut histogram = Histogram::new_with_max(ROOM, 3).expect("3 significant digits are within 0 to 5");
        histogram.auto(true);
        Self { histogram, ..Self::default() }
    }

    /// Counts one duration of that many nanoseconds.
    pub fn record(&mut self, nanos: u64) {
        self.record_many(nanos, 1);
    }

    /// Counts `count` durations of that many nanoseconds each.
    pub fn record_many(&mut self, nanos: u64, count: u64) {
        if count == 0 {
            return;
        }
        self.histogram.record_n(nanos, count).expect("the histogram grows as needed");
        self.min = self.min.min(nanos);
        self.max = self.max.max(nanos);
        self.sum += u128::from(nanos) * u128::from(count);
    }

    /// Forgets everything, but keeps the room for it.
    pub fn reset(&mut self) {
        // To clear the room of one that has counted nothing is half of the work for a second in which no request waited.
        if self.count() > 0 {
            self.histogram.reset();
        }
        (self.min, self.max, self.sum) = (u64::MAX, 0, 0);
    }

    /// Counts everything that `other` counted.
    pub fn add(&mut self, other: &Self) {
        self.histogram.add(&other.histogram).expect("the histogram grows as needed");
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.sum += other.sum;
    }

    /// How many durations were counted.
    pub fn count(&self) -> u64 {
        self.histogram.len()
    }

    /// The quantile `q` of 0 to 1, in nanoseconds; within the exact minimum and maximum. `None` if nothing was counted.
    pub fn quantile(&self, q: f64) -> Option<u64> {
        (self.count() > 0).then(|| self.histogram.value_at_quantile(q).clamp(self.min, self.max))
    }

    /// The exact mean in nanoseconds. `None` if nothing was counted.
    pub fn mean(&self) -> Option<f64> {
        (self.count() > 0).then(|| self.sum as f64 / self.count() as f64)
    }

    /// The exact smallest duration in nanoseconds. `None` if nothing was counted.
    pub fn min(&self) -> Option<u64> {
        (self.count() > 0).then_some(self.min)
    }

    /// The exact largest duration in nanoseconds. `None` if nothing was counted.
    pub fn max(&self) -> Option<u64> {
        (self.count() > 0).then_some(self.max)
    }

    /// The exact sum in nanoseconds.
    pub fn sum(&self) -> u128 {
        self.sum
    }

    /// What a histogram rounded, put together again; something was counted.
    pub(super) fn from_parts(mut histogram: Histogram<u64>, min: u64, max: u64, sum: u128) -> Self {
        histogram.auto(true);
        Self { histogram, min, max, sum }
    }

    /// The buckets, to be written in a format of other tools.
    pub fn histogram(&self) -> &Histogram<u64> {
        &self.histogram
    }

    /// The buckets that are not empty, smallest first: a value in nanoseconds and how often it was counted.
    pub fn buckets(&self) -> impl Iterator<Item = (u64, u64)> {
        self.histogram.iter_recorded().map(|step| (step.value_iterated_to(), step.count_at_value()))
    }
}

/// In a file it is a [`Sealed`] one.
impl Serialize for Distribution {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Sealed::from(self).serialize(serializer)
    }
}

impl JsonSchema for Distribution {
    fn schema_name() -> Cow<'static, str> {
        Sealed::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Sealed::json_schema(generator)
    }
}

impl<'de> Deserialize<'de> for Distribution {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Sealed::deserialize(deserializer)?.open())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minimum_maximum_and_mean_are_exact_where_buckets_would_round() {
        let mut distribution = Distribution::default();
        for nanos in [1_000_003, 2_000_005, 9_000_007] {
            distribution.record(nanos);
        }
        assert_eq!(distribution.min(), Some(1_000_003));
        assert_eq!(distribution.max(), Some(9_000_007));
        assert_eq!(distribution.quantile(1.0), Some(9_000_007));
        assert_eq!(distribution.mean(), Some(4_000_005.0));
    }

    #[test]
    fn a_file_gives_back_what_was_recorded_and_goes_on_recording() {
        let mut distribution = Distribution::default();
        distribution.record(12_345);
        let text = serde_json::to_string(&distribution).unwrap();
        let mut back: Distribution = serde_json::from_str(&text).unwrap();
        assert_eq!(back, distribution);
        back.record(60_000_000_000);
        assert_eq!(back.max(), Some(60_000_000_000));
    }

    #[test]
    fn an_empty_distribution_has_no_quantiles_and_survives_a_file() {
        let empty: Distribution =
            serde_json::from_str(&serde_json::to_string(&Distribution::default()).unwrap()).unwrap();
        assert_eq!((empty.quantile(0.5), empty.mean(), empty.min(), empty.max()), (None, None, None, None));
    }
}
