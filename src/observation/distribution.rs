//! A distribution of durations: an `HdrHistogram`, and what it alone would round.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer, Serializer as _, V2DeflateSerializer};
use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Serialize};

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

impl Distribution {
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

    /// The buckets that are not empty, smallest first: a value in nanoseconds and how often it was counted.
    pub fn buckets(&self) -> impl Iterator<Item = (u64, u64)> {
        self.histogram.iter_recorded().map(|step| (step.value_iterated_to(), step.count_at_value()))
    }
}

/// The form in a file: the histogram in V2 deflate format, which other `HdrHistogram` tools read.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    count: u64,
    min: u64,
    max: u64,
    sum: u64,
    hdr: String,
}

impl Serialize for Distribution {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut bytes = Vec::new();
        V2DeflateSerializer::new().serialize(&self.histogram, &mut bytes).map_err(S::Error::custom)?;
        let empty = self.count() == 0;
        Wire {
            count: self.count(),
            min: if empty { 0 } else { self.min },
            max: self.max,
            sum: u64::try_from(self.sum).map_err(S::Error::custom)?,
            hdr: STANDARD.encode(bytes),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Distribution {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wire = Wire::deserialize(deserializer)?;
        let bytes = STANDARD.decode(wire.hdr).map_err(D::Error::custom)?;
        let histogram: Histogram<u64> =
            Deserializer::new().deserialize(&mut bytes.as_slice()).map_err(D::Error::custom)?;
        if histogram.len() != wire.count {
            return Err(D::Error::custom(format!(
                "a histogram holds {} durations where {} were counted",
                histogram.len(),
                wire.count
            )));
        }
        let mut distribution = Self { histogram, ..Self::default() };
        distribution.histogram.auto(true);
        if wire.count > 0 {
            (distribution.min, distribution.max, distribution.sum) = (wire.min, wire.max, wire.sum.into());
        }
        Ok(distribution)
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
