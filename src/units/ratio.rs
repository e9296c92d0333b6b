//! Plain numbers that have bounds.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A part of a whole: 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "f64", into = "f64")]
#[schemars(schema_with = "fraction")]
pub struct Fraction(f64);

/// The exponent of a power law: 0 or more.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "f64", into = "f64")]
#[schemars(schema_with = "exponent")]
pub struct Exponent(f64);

/// How many times as much: 0 or more.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "f64", into = "f64")]
#[schemars(schema_with = "multiple")]
pub struct Multiple(f64);

/// A number outside its bounds.
#[derive(Debug, thiserror::Error)]
#[error("expected a number {expected}, not {found}")]
pub struct OutOfBounds {
    expected: &'static str,
    found: f64,
}

impl TryFrom<f64> for Fraction {
    type Error = OutOfBounds;

    fn try_from(found: f64) -> Result<Self, OutOfBounds> {
        if (0.0..=1.0).contains(&found) {
            Ok(Self(found))
        } else {
            Err(OutOfBounds { expected: "from 0 to 1", found })
        }
    }
}

impl TryFrom<f64> for Exponent {
    type Error = OutOfBounds;

    fn try_from(found: f64) -> Result<Self, OutOfBounds> {
        if (0.0..=100.0).contains(&found) {
            Ok(Self(found))
        } else {
            Err(OutOfBounds { expected: "from 0 to 100", found })
        }
    }
}

impl TryFrom<f64> for Multiple {
    type Error = OutOfBounds;

    fn try_from(found: f64) -> Result<Self, OutOfBounds> {
        if (0.0..=1000.0).contains(&found) {
            Ok(Self(found))
        } else {
            Err(OutOfBounds { expected: "from 0 to 1000", found })
        }
    }
}

impl From<Fraction> for f64 {
    fn from(fraction: Fraction) -> f64 {
        fraction.0
    }
}

impl From<Exponent> for f64 {
    fn from(exponent: Exponent) -> f64 {
        exponent.0
    }
}

impl From<Multiple> for f64 {
    fn from(multiple: Multiple) -> f64 {
        multiple.0
    }
}

fn fraction(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({ "type": "number", "minimum": 0, "maximum": 1 })
}

fn exponent(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({ "type": "number", "minimum": 0, "maximum": 100 })
}

fn multiple(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({ "type": "number", "minimum": 0, "maximum": 1000 })
}
