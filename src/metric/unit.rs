//! Units of metrics, and how a value is written for people.

use crate::metric::{significant, thousands};

/// What a value counts; values are kept in SI base units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Seconds.
    Seconds,
    /// Requests per second.
    PerSecond,
    /// 0 to 1, shown in percent.
    Fraction,
    /// How many.
    Count,
    /// Bytes.
    Bytes,
    /// Seconds of CPU time per million API requests.
    CpuPerMillion,
    /// Calls per API request.
    PerRequest,
}

/// Which direction is an improvement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// Less is better.
    Lower,
    /// More is better.
    Higher,
    /// Neither is.
    Neither,
}

/// A multiple of a unit in which a value has few digits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    factor: f64,
    /// What stands behind the digits: `"ms"`, empty for a bare number.
    pub suffix: &'static str,
    whole: bool,
}

impl Unit {
    /// The unit in `summary.json`.
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Seconds => "s",
            Self::PerSecond => "1/s",
            Self::Fraction | Self::Count | Self::PerRequest => "1",
            Self::Bytes => "B",
            Self::CpuPerMillion => "s/10^6",
        }
    }

    /// The multiple that suits a value of that size.
    pub fn scale(self, value: f64) -> Scale {
        let size = value.abs();
        let scale = |factor, suffix| Scale { factor, suffix, whole: false };
        match self {
            // Half a unit in the last digit shown: 999.6 µs is 1.00 ms.
            Self::Seconds if size == 0.0 || size >= 0.9995 => scale(1.0, "s"),
            Self::Seconds if size >= 0.9995e-3 => scale(1e-3, "ms"),
            Self::Seconds if size >= 0.9995e-6 => scale(1e-6, "µs"),
            Self::Seconds => scale(1e-9, "ns"),
            Self::PerSecond => scale(1.0, "/s"),
            Self::Fraction => scale(0.01, "%"),
            Self::Count => Scale { factor: 1.0, suffix: "", whole: value.fract() == 0.0 },
            Self::Bytes if size >= 1e9 => scale(1e9, "GB"),
            Self::Bytes if size >= 1e6 => scale(1e6, "MB"),
            Self::Bytes => Scale { factor: 1.0, suffix: "B", whole: true },
            Self::CpuPerMillion => scale(1.0, "s"),
            Self::PerRequest => scale(1.0, ""),
        }
    }

    /// A value with its unit: `"412 µs"`.
    pub fn show(self, value: f64) -> String {
        let scale = self.scale(value);
        format!("{} {}", scale.digits(value), scale.suffix).trim_end().to_owned()
    }
}

impl Scale {
    /// The digits of a value on this scale, without the unit.
    pub fn digits(self, value: f64) -> String {
        let scaled = value / self.factor;
        if self.whole { thousands(&format!("{scaled:.0}")) } else { significant(scaled) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_written_in_the_multiple_that_suits_it() {
        for (unit, value, expected) in [
            (Unit::Seconds, 412e-6, "412 µs"),
            (Unit::Seconds, 0.001_934, "1.93 ms"),
            (Unit::Seconds, 0.000_999_9, "1.00 ms"),
            (Unit::Seconds, 0.0, "0 s"),
            (Unit::Seconds, 9.87, "9.87 s"),
            (Unit::PerSecond, 1_003.4, "1,003 /s"),
            (Unit::Fraction, 0.0012, "0.120 %"),
            (Unit::Fraction, 0.0, "0 %"),
            (Unit::Count, 1_234.0, "1,234"),
            (Unit::Bytes, 5_045.0, "5,045 B"),
            (Unit::Bytes, 18_200_000.0, "18.2 MB"),
            (Unit::CpuPerMillion, 73.25, "73.2 s"),
            (Unit::PerRequest, 0.5123, "0.512"),
        ] {
            assert_eq!(unit.show(value), expected);
        }
    }
}
