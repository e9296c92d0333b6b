//! How often each kind of bad token is sent, as it is written in a scenario.

use schemars::JsonSchema;
use serde::Deserialize;

/// Weights of the kinds of bad tokens among the bad ones. A kind that is not named is not sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a table of weights")]
pub struct Mix {
    /// Past their `exp`.
    pub expired: Weight,
    /// Never a token.
    pub garbage: Weight,
    /// Meant for another audience.
    #[serde(rename = "wrong audience")]
    pub wrong_audience: Weight,
    /// Changed on the way.
    pub tampered: Weight,
    /// Issued by somebody else.
    pub unknown: Weight,
    /// Revoked at the authorization server before the load begins. Who verifies tokens by itself accepts them by design.
    pub revoked: Weight,
}

/// How often, beside the other weights: a whole number from 0 to a million, so that every sum of them is one too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "i64")]
#[schemars(schema_with = "schema")]
pub struct Weight(u32);

const MOST: u32 = 1_000_000;

/// A number that is no weight.
#[derive(Debug, thiserror::Error)]
#[error("expected a weight, a whole number from 0 to {MOST}, not {0}")]
pub struct InvalidWeight(i64);

impl TryFrom<i64> for Weight {
    type Error = InvalidWeight;

    fn try_from(written: i64) -> Result<Self, InvalidWeight> {
        match u32::try_from(written) {
            Ok(weight) if weight <= MOST => Ok(Self(weight)),
            _ => Err(InvalidWeight(written)),
        }
    }
}

impl From<Weight> for u32 {
    fn from(weight: Weight) -> u32 {
        weight.0
    }
}

fn schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({ "type": "integer", "minimum": 0, "maximum": MOST })
}

impl Mix {
    /// Every kind that is refused by every architecture, in equal parts: none that was only revoked.
    pub fn equal_parts() -> Self {
        let one = Weight(1);
        Self {
            expired: one,
            garbage: one,
            wrong_audience: one,
            tampered: one,
            unknown: one,
            revoked: Weight(0),
        }
    }
}
