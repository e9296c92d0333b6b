//! Lengths of time as people write them: `"250ms"`, `"10s"`, `"5m"`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A length of time up to a year that may be zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(schema_with = "schema")]
pub struct Span(Duration);

/// A length of time above zero, up to a year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(schema_with = "schema")]
pub struct Period(Duration);

/// Nothing here lasts longer, and sums of a few stay within the clocks in use.
const LONGEST: Duration = Duration::from_hours(366 * 24);

/// A text that is no length of time, or one that is zero where it may not be.
#[derive(Debug, thiserror::Error)]
#[error("{written:?} is no {expected}; write it like \"250ms\", \"10s\" or \"5m\"")]
pub struct InvalidSpan {
    written: String,
    expected: &'static str,
}

impl Span {
    /// A span of that many seconds.
    pub const fn from_secs(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// The same length as the standard library's type.
    pub const fn duration(self) -> Duration {
        self.0
    }
}

impl Period {
    /// A period of that many seconds.
    pub const fn from_secs(seconds: u64) -> Self {
        assert!(seconds > 0, "a period is above zero");
        Self(Duration::from_secs(seconds))
    }

    /// The same length as the standard library's type.
    pub const fn duration(self) -> Duration {
        self.0
    }
}

impl TryFrom<String> for Span {
    type Error = InvalidSpan;

    fn try_from(written: String) -> Result<Self, InvalidSpan> {
        match humantime::parse_duration(&written) {
            Ok(duration) if duration <= LONGEST => Ok(Self(duration)),
            _ => Err(InvalidSpan { written, expected: "length of time up to a year" }),
        }
    }
}

impl TryFrom<String> for Period {
    type Error = InvalidSpan;

    fn try_from(written: String) -> Result<Self, InvalidSpan> {
        match humantime::parse_duration(&written) {
            Ok(duration) if !duration.is_zero() && duration <= LONGEST => Ok(Self(duration)),
            _ => Err(InvalidSpan { written, expected: "length of time above zero, up to a year" }),
        }
    }
}

impl FromStr for Span {
    type Err = InvalidSpan;

    fn from_str(written: &str) -> Result<Self, InvalidSpan> {
        written.to_owned().try_into()
    }
}

impl FromStr for Period {
    type Err = InvalidSpan;

    fn from_str(written: &str) -> Result<Self, InvalidSpan> {
        written.to_owned().try_into()
    }
}

impl From<Span> for String {
    fn from(span: Span) -> String {
        span.to_string()
    }
}

impl From<Period> for String {
    fn from(period: Period) -> String {
        period.to_string()
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", humantime::format_duration(self.0))
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", humantime::format_duration(self.0))
    }
}

fn schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({
        "type": "string",
        "description": "a length of time",
        "examples": ["250ms", "10s", "5m"],
    })
}
