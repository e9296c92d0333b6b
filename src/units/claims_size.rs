//! Sizes of claims as they are written: 400B, 0.3KB, 16KiB.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

/// Claims as JSON, in bytes; from 0 to 10 MB.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(schema_with = "schema")]
pub struct ClaimsSize(u32);

/// Claims of this size are no longer worth a table.
const MOST: u32 = 10_000_000;

/// A text that is no size.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is no size of claims; write bytes, KB or KiB from 0 to 10 MB, like 400B, 1.5KB or 16KiB")]
pub struct InvalidSize(String);

impl ClaimsSize {
    /// So many bytes.
    pub const fn of(bytes: u32) -> Self {
        assert!(bytes <= MOST, "claims have at most 10 MB");
        Self(bytes)
    }

    /// Bytes.
    pub const fn bytes(self) -> u32 {
        self.0
    }
}

impl FromStr for ClaimsSize {
    type Err = InvalidSize;

    fn from_str(text: &str) -> Result<Self, InvalidSize> {
        let invalid = || InvalidSize(text.to_owned());
        let unit = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, unit) = text.split_at(unit);
        let factor = match unit.trim() {
            "" | "B" => 1.0,
            "KB" | "kB" | "K" | "k" => 1_000.0,
            "KiB" => 1_024.0,
            _ => return Err(invalid()),
        };
        let bytes = (number.parse::<f64>().map_err(|_| invalid())? * factor).round();
        if !(0.0..=f64::from(MOST)).contains(&bytes) {
            return Err(invalid());
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 10 million")]
        Ok(Self(bytes as u32))
    }
}

impl TryFrom<String> for ClaimsSize {
    type Error = InvalidSize;

    fn try_from(written: String) -> Result<Self, InvalidSize> {
        written.parse()
    }
}

impl fmt::Display for ClaimsSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 >= 1_000 || (self.0 >= 100 && self.0.is_multiple_of(100)) {
            write!(f, "{} KB", f64::from(self.0) / 1_000.0)
        } else {
            write!(f, "{} B", self.0)
        }
    }
}

impl Serialize for ClaimsSize {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(self.0)
    }
}

fn schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({
        "type": "string",
        "description": "bytes of claims",
        "examples": ["400B", "8KB", "16KiB"],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_they_are_written() {
        for (text, bytes, shown) in [
            ("400B", 400, "0.4 KB"),
            ("387", 387, "387 B"),
            ("1KB", 1_000, "1 KB"),
            ("1.5 KB", 1_500, "1.5 KB"),
            ("16KiB", 16_384, "16.384 KB"),
            ("0", 0, "0 B"),
        ] {
            let size: ClaimsSize = text.parse().unwrap();
            assert_eq!((size.bytes(), size.to_string().as_str()), (bytes, shown));
        }
        for text in ["", "KB", "-1", "1e9", "4 MB", "99999KB", "1.2.3", "NaN"] {
            let message = text.parse::<ClaimsSize>().unwrap_err().to_string();
            assert!(message.contains(&format!("{text:?} is no size")), "{message}");
        }
    }
}
