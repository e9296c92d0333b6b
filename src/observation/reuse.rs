//! The law by which live tokens were used again, as a recording says it.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// How the live token of a request was chosen: all that the closed forms of a cache need.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Reuse {
    /// By Zipf's law: the token of rank r in proportion to 1 / r^exponent.
    Zipf {
        /// The exponent; 0 is uniform.
        exponent: f64,
    },
    /// Each as often as any other.
    Uniform {},
    /// One after the other, over and over.
    RoundRobin {},
    /// Every token once.
    Unique {},
    /// Uniformly from a few, of which the oldest is replaced at equal gaps by one that was away longest.
    WorkingSet {
        /// How many tokens are in use at once.
        size: u64,
        /// How many of them are replaced a second.
        churn: f64,
    },
}

/// Reads a law. Recordings before version 3 know one law only and give the bare exponent of it.
pub(super) fn law_or_exponent<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Reuse, D::Error> {
    deserializer.deserialize_any(LawOrExponent)
}

struct LawOrExponent;

impl<'de> Visitor<'de> for LawOrExponent {
    type Value = Reuse;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a law with its kind, or the exponent of Zipf's law")
    }

    fn visit_f64<E>(self, exponent: f64) -> Result<Reuse, E> {
        Ok(Reuse::Zipf { exponent })
    }

    fn visit_u64<E>(self, exponent: u64) -> Result<Reuse, E> {
        Ok(Reuse::Zipf { exponent: exponent as f64 })
    }

    fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Reuse, M::Error> {
        Reuse::deserialize(MapAccessDeserializer::new(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_law_is_read_as_it_was_written_and_a_bare_number_is_the_exponent_of_zipf() {
        let read = |text: &str| law_or_exponent(&mut serde_json::Deserializer::from_str(text));
        for law in [
            Reuse::Zipf { exponent: 0.99 },
            Reuse::Uniform {},
            Reuse::RoundRobin {},
            Reuse::Unique {},
            Reuse::WorkingSet { size: 100, churn: 2.5 },
        ] {
            assert_eq!(read(&serde_json::to_string(&law).unwrap()).unwrap(), law);
        }
        assert_eq!(read("0").unwrap(), Reuse::Zipf { exponent: 0.0 });
        assert_eq!(read("1.5").unwrap(), Reuse::Zipf { exponent: 1.5 });
        assert!(read("{\"kind\": \"uniform\", \"exponent\": 1}").is_err());
        assert!(read("\"uniform\"").is_err());
    }
}
