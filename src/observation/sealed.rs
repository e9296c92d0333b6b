//! A distribution at rest: as small in memory as in a file, until somebody reads it.

use std::borrow::Cow;
use std::cell::RefCell;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::{Compress, Compression, FlushCompress, Status};
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer, Serializer as _, V2Serializer};
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
    static PRESS: RefCell<Press> = RefCell::new(Press::new());
}

/// What a V2 deflate histogram begins with; its length and a stream of zlib follow.
const COOKIE: u32 = 0x1c84_9314;
/// A stream of zlib needs no more room than its input, an eighth of it, and this, whatever the library that writes it.
const FRAME: usize = 256;

/// Writes histograms in V2 deflate format. The library has a writer of it, but with a new compressor for every histogram, and to
/// ask for the 300 kB of one and clear them takes longer than to compress.
struct Press {
    serializer: V2Serializer,
    plain: Vec<u8>,
    compressor: Compress,
    deflated: Vec<u8>,
}

impl Press {
    fn new() -> Self {
        Self {
            serializer: V2Serializer::new(),
            plain: Vec::new(),
            compressor: Compress::new(Compression::default(), true),
            deflated: Vec::new(),
        }
    }

    fn press(&mut self, histogram: &Histogram<u64>) -> Box<[u8]> {
        let Self { serializer, plain, compressor, deflated } = self;
        plain.clear();
        serializer
            .serialize(histogram, plain)
            .expect("a vector takes every byte, and no count is above 2^63");
        deflated.clear();
        deflated.extend_from_slice(&COOKIE.to_be_bytes());
        // Its length, which is known in the end.
        deflated.extend_from_slice(&[0; 4]);
        deflated.reserve(plain.len() + plain.len() / 8 + FRAME);
        compressor.reset();
        let done = compressor.compress_vec(plain, deflated, FlushCompress::Finish);
        assert!(matches!(done, Ok(Status::StreamEnd)), "there is room for the stream: {done:?}");
        let length = u32::try_from(deflated.len() - 8).expect("a histogram is far below 4 GB");
        deflated[4..8].copy_from_slice(&length.to_be_bytes());
        deflated.as_slice().into()
    }
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
        let deflated = PRESS.with_borrow_mut(|press| press.press(open.histogram()));
        Self { count: open.count(), min, max, sum: open.sum(), deflated }
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
    use std::io::Read as _;

    use flate2::read::ZlibDecoder;
    use hdrhistogram::serialization::V2DeflateSerializer;

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
    fn what_is_written_one_after_the_other_is_what_the_library_writes() {
        let mut random = 1_u64;
        for count in [1, 3, 100, 20_000, 7, 1] {
            let mut distribution = Distribution::default();
            for _ in 0..count {
                // Of George Marsaglia (2003): as hard to compress as counts can be.
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                distribution.record_many(random >> (20 + random % 30), 1 + (random >> 40));
            }
            let mut expected = Vec::new();
            V2DeflateSerializer::new().serialize(distribution.histogram(), &mut expected).unwrap();
            let (found, inflated) = (Sealed::from(&distribution), |deflated: &[u8]| {
                let mut plain = Vec::new();
                ZlibDecoder::new(&deflated[8..]).read_to_end(&mut plain).unwrap();
                plain
            });
            assert_eq!(found.deflated[..4], expected[..4]);
            assert_eq!(found.deflated[4..8], u32::try_from(found.deflated.len() - 8).unwrap().to_be_bytes());
            assert_eq!(inflated(&found.deflated), inflated(&expected), "{count}");
            assert!(
                found.deflated.len() <= expected.len() + 16,
                "{} {}",
                found.deflated.len(),
                expected.len()
            );
        }
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
