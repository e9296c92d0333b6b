//! A distribution at rest: as small in memory as in a file, until somebody reads it.

use std::borrow::Cow;
use std::cell::RefCell;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer, Serializer as _, V2DeflateSerializer};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::Error as _;
use serde::{Deserialize, Serialize};

use crate::observation::Distribution;

/// A [`Distribution`] that nothing is added to any more. Some hundred bytes where the open one has a hundred thousand,
/// so that a run of hours needs no more memory than one of seconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sealed {
    count: u64,
    min: u64,
    max: u64,
    sum: u128,
    /// The histogram in V2 deflate format; empty if nothing was counted.
    deflated: Box<[u8]>,
}

thread_local! {
    /// With the room that it needs in between, as large as an open histogram.
    static SERIALIZER: RefCell<V2DeflateSerializer> = RefCell::new(V2DeflateSerializer::new());
}

/// Bytes that are no histogram, or another one than they say.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error("not a histogram in V2 format: {0}")]
    Format(String),
    #[error("a histogram holds {found} durations where {expected} were counted")]
    Count { found: u64, expected: u64 },
}

impl From<&Distribution> for Sealed {
    fn from(open: &Distribution) -> Self {
        let Some((min, max)) = open.min().zip(open.max()) else { return Self::default() };
        let mut deflated = Vec::new();
        SERIALIZER
            .with_borrow_mut(|serializer| serializer.serialize(open.histogram(), &mut deflated))
            .expect("a vector takes every byte, and no count is above 2^63");
        Self { count: open.count(), min, max, sum: open.sum(), deflated: deflated.into() }
    }
}

impl Sealed {
    /// How many durations were counted.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The distribution, to be read or added to.
    pub fn open(&self) -> Distribution {
        self.try_open().expect("it was sealed here, or checked when it was read")
    }

    fn try_open(&self) -> Result<Distribution, Broken> {
        if self.count == 0 {
            return Ok(Distribution::default());
        }
        let histogram: Histogram<u64> = Deserializer::new()
            .deserialize(&mut &self.deflated[..])
            .map_err(|error| Broken::Format(error.to_string()))?;
        if histogram.len() != self.count {
            return Err(Broken::Count { found: histogram.len(), expected: self.count });
        }
        Ok(Distribution::from_parts(histogram, self.min, self.max, self.sum))
    }
}

/// Durations in nanoseconds: quantiles to 3 significant digits, count, minimum, maximum and sum exact.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Wire {
    /// How many durations were counted.
    count: u64,
    /// The shortest; 0 if nothing was counted.
    min: u64,
    /// The longest; 0 if nothing was counted.
    max: u64,
    /// All of them together.
    sum: u64,
    /// An `HdrHistogram` in its V2 format, deflated, in base64 (RFC 4648 section 4); empty if nothing was counted.
    hdr: String,
}

impl JsonSchema for Sealed {
    fn schema_name() -> Cow<'static, str> {
        "Distribution".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Wire::json_schema(generator)
    }
}

impl Serialize for Sealed {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { count, min, max, sum, ref deflated } = *self;
        let sum = u64::try_from(sum).map_err(serde::ser::Error::custom)?;
        Wire { count, min, max, sum, hdr: STANDARD.encode(deflated) }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Sealed {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Wire { count, min, max, sum, hdr } = Wire::deserialize(deserializer)?;
        let deflated = STANDARD.decode(hdr).map_err(D::Error::custom)?.into();
        // Versions before 3 wrote a histogram of nothing where nothing was counted.
        let deflated = if count == 0 { Box::default() } else { deflated };
        let sealed = Self { count, min, max, sum: sum.into(), deflated };
        sealed.try_open().map_err(D::Error::custom)?;
        Ok(sealed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_is_opened_exactly_and_goes_on_recording() {
        let mut distribution = Distribution::default();
        for nanos in [12_345, 1_000_003, 60_000_000_007] {
            distribution.record(nanos);
        }
        let sealed = Sealed::from(&distribution);
        let read: Sealed = serde_json::from_str(&serde_json::to_string(&sealed).unwrap()).unwrap();
        assert_eq!(read, sealed);
        let mut open = read.open();
        assert_eq!(open, distribution);
        open.record(3_600_000_000_000);
        assert_eq!((open.max(), open.count()), (Some(3_600_000_000_000), 4));
    }

    #[test]
    fn a_second_of_many_latencies_takes_a_kilobyte() {
        let mut distribution = Distribution::default();
        (0..10_000_u64).for_each(|number| distribution.record(30_000 + number * number / 500));
        let sealed = Sealed::from(&distribution);
        assert!(sealed.deflated.len() < 1_500, "{} bytes", sealed.deflated.len());
    }

    #[test]
    fn a_file_that_says_something_else_than_its_histogram_is_refused() {
        let mut distribution = Distribution::default();
        distribution.record(5);
        let mut wire = serde_json::to_value(Sealed::from(&distribution)).unwrap();
        wire["count"] = 2.into();
        let message = serde_json::from_value::<Sealed>(wire.clone()).unwrap_err().to_string();
        assert!(message.contains("holds 1 durations where 2 were counted"), "{message}");
        wire["hdr"] = "AAAA".into();
        let message = serde_json::from_value::<Sealed>(wire).unwrap_err().to_string();
        assert!(message.contains("not a histogram"), "{message}");
    }
}
