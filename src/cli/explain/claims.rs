//! Sizes of claims as they are written: 400B, 0.3KB, 16KiB.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::metric::thousands;

/// The claims of a token as JSON, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ClaimsSize(u32);

/// Sizes seen in the field, in bytes: group claims alone make some kilobytes (keycloak#13956, dotnet/aspnetcore#25271).
pub(super) const SEEN: [ClaimsSize; 5] =
    [ClaimsSize(300), ClaimsSize(1_000), ClaimsSize(4_000), ClaimsSize(9_000), ClaimsSize(16_000)];

/// Claims of this size are no longer worth a table.
const MOST: u32 = 10_000_000;

/// A text that is no size.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is no size of claims; write bytes, KB or KiB from 0 to 10 MB, like 400B, 1.5KB or 16KiB")]
pub(super) struct InvalidSize(String);

impl ClaimsSize {
    /// Bytes.
    pub(super) const fn bytes(self) -> u32 {
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

impl fmt::Display for ClaimsSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 >= 100 && self.0.is_multiple_of(100) {
            write!(f, "{} KB", f64::from(self.0) / 1_000.0)
        } else {
            write!(f, "{} B", thousands(&self.0.to_string()))
        }
    }
}

impl Serialize for ClaimsSize {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(self.0)
    }
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
            ("16KiB", 16_384, "16,384 B"),
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
