//! How long before its end an answer is asked for again, as people write it: a part of its life, or a length of time.

use std::fmt;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

use crate::units::Period;

/// A part of the life of an answer, above 0 and below 1, or a length of time.
#[derive(Clone, Copy, Debug)]
pub(super) enum RefreshAhead {
    Part(f64),
    Length(Period),
}

impl RefreshAhead {
    /// How long that is for answers that live so long.
    pub(super) fn of(self, ttl: Duration) -> Duration {
        match self {
            Self::Part(part) => ttl.mul_f64(part),
            Self::Length(length) => length.duration(),
        }
    }
}

impl<'de> Deserialize<'de> for RefreshAhead {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RefreshAheadVisitor)
    }
}

struct RefreshAheadVisitor;

impl Visitor<'_> for RefreshAheadVisitor {
    type Value = RefreshAhead;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a part of `ttl` between 0 and 1 like 0.2, or a length of time like \"2s\"")
    }

    fn visit_f64<E: Error>(self, part: f64) -> Result<RefreshAhead, E> {
        if part > 0.0 && part < 1.0 {
            Ok(RefreshAhead::Part(part))
        } else {
            Err(E::invalid_value(Unexpected::Float(part), &self))
        }
    }

    fn visit_str<E: Error>(self, length: &str) -> Result<RefreshAhead, E> {
        let length = Period::try_from(length.to_owned()).map_err(E::custom)?;
        Ok(RefreshAhead::Length(length))
    }
}

impl JsonSchema for RefreshAhead {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "RefreshAhead".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "anyOf": [
                { "type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1 },
                { "type": "string", "description": "a length of time" },
            ],
            "examples": [0.2, "2s"],
        })
    }
}
