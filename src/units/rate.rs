//! How often something happens, in events per second.

use std::fmt;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Events per second: finite and above zero.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "f64", into = "f64")]
#[schemars(schema_with = "schema")]
pub struct Rate(f64);

impl Rate {
    /// Events per second.
    pub fn per_second(self) -> f64 {
        self.0
    }

    /// The mean gap between two events.
    pub fn gap(self) -> Duration {
        Duration::from_secs_f64(1.0 / self.0)
    }
}

/// A rate that is zero, negative or not a number.
#[derive(Debug, thiserror::Error)]
#[error("a rate must be a number of requests per second above 0, not {0}")]
pub struct InvalidRate(f64);

impl TryFrom<f64> for Rate {
    type Error = InvalidRate;

    fn try_from(per_second: f64) -> Result<Self, InvalidRate> {
        // Below one event in a day the gap no longer fits the clocks in use.
        if per_second.is_finite() && per_second > 1e-5 {
            Ok(Self(per_second))
        } else {
            Err(InvalidRate(per_second))
        }
    }
}

impl From<Rate> for f64 {
    fn from(rate: Rate) -> f64 {
        rate.0
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} req/s", self.0)
    }
}

fn schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({
        "type": "number",
        "exclusiveMinimum": 0,
        "description": "requests per second",
    })
}
