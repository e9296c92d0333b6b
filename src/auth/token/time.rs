//! Seconds since 1970: as tokens write them, as people read them, and from a clock that tests can hold still.

use std::cmp::Ordering;
use std::fmt;
use std::ops::{Add, Sub};
use std::time::{Duration, SystemTime};

use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize};
use tokio::time::Instant;

/// A `NumericDate` of RFC 7519: whole seconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct UnixTime(u64);

impl UnixTime {
    /// The instant that many seconds after 1970 began.
    pub const fn from_secs(seconds: u64) -> Self {
        Self(seconds)
    }

    /// Seconds since 1970 began.
    pub const fn secs(self) -> u64 {
        self.0
    }

    /// The whole second in which a date in JSON lies, which may have a fraction (RFC 7519 section 2).
    pub fn of_json(date: &str) -> Option<Self> {
        serde_json::from_str::<NumericDate>(date).ok().map(NumericDate::begun)
    }

    /// How far it is from `now`, in the two largest units: `in 3m 5s`, or `3m 5s ago`.
    pub fn distance(self, now: UnixTime) -> String {
        let length = humantime::format_duration(Duration::from_secs(self.0.abs_diff(now.0))).to_string();
        let length = length.split(' ').take(2).collect::<Vec<_>>().join(" ");
        match self.cmp(&now) {
            Ordering::Equal => "now".to_owned(),
            Ordering::Greater => format!("in {length}"),
            Ordering::Less => format!("{length} ago"),
        }
    }
}

/// As RFC 3339 writes it, as far as that can.
impl fmt::Display for UnixTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The last second of the year 9999.
        const LAST: u64 = 253_402_300_799;
        if self.0 > LAST {
            return write!(f, "{} s since 1970", self.0);
        }
        let date = SystemTime::UNIX_EPOCH + Duration::from_secs(self.0);
        write!(f, "{}", humantime::format_rfc3339_seconds(date))
    }
}

/// A date as a token may write it: seconds since 1970, which may have a fraction (RFC 7519 section 2).
pub(super) enum NumericDate {
    Whole(u64),
    Fractional(f64),
}

/// Beyond this a `f64` does not tell seconds apart.
const LARGEST: f64 = 9_007_199_254_740_992.0;

impl NumericDate {
    /// The whole second that it lies in.
    pub(super) fn begun(self) -> UnixTime {
        self.rounded(f64::floor)
    }

    /// The first whole second not before it.
    pub(super) fn ended(self) -> UnixTime {
        self.rounded(f64::ceil)
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked when it was read")]
    fn rounded(self, round: fn(f64) -> f64) -> UnixTime {
        UnixTime::from_secs(match self {
            Self::Whole(seconds) => seconds,
            Self::Fractional(seconds) => round(seconds) as u64,
        })
    }
}

impl<'de> Deserialize<'de> for NumericDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct DateVisitor;
        impl Visitor<'_> for DateVisitor {
            type Value = NumericDate;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("seconds since 1970")
            }

            fn visit_u64<E>(self, seconds: u64) -> Result<NumericDate, E> {
                Ok(NumericDate::Whole(seconds))
            }

            fn visit_f64<E: serde::de::Error>(self, seconds: f64) -> Result<NumericDate, E> {
                if (0.0..=LARGEST).contains(&seconds) {
                    Ok(NumericDate::Fractional(seconds))
                } else {
                    Err(E::invalid_value(serde::de::Unexpected::Float(seconds), &self))
                }
            }
        }
        deserializer.deserialize_any(DateVisitor)
    }
}

impl Add<Duration> for UnixTime {
    type Output = UnixTime;

    fn add(self, length: Duration) -> UnixTime {
        UnixTime(self.0.saturating_add(length.as_secs()))
    }
}

impl Sub<Duration> for UnixTime {
    type Output = UnixTime;

    fn sub(self, length: Duration) -> UnixTime {
        UnixTime(self.0.saturating_sub(length.as_secs()))
    }
}

/// Tells the date by tokio's clock, from one reading of the system's at the beginning: a step of the
/// system clock in the middle of a trial changes no decision, and a paused clock pauses this one.
#[derive(Clone, Copy, Debug)]
pub struct WallClock {
    anchor: Instant,
    at_anchor: Duration,
}

impl WallClock {
    /// A clock that agrees with the system's now.
    pub fn system() -> Self {
        let at_anchor = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .expect("the system clock is set to a year after 1970");
        Self { anchor: Instant::now(), at_anchor }
    }

    /// The date.
    pub fn now(self) -> UnixTime {
        UnixTime((self.at_anchor + self.anchor.elapsed()).as_secs())
    }

    /// The instant at which the date will be `date`; now if that is past.
    pub fn instant(self, date: UnixTime) -> Instant {
        let from_anchor = Duration::from_secs(date.0).saturating_sub(self.at_anchor);
        self.anchor.checked_add(from_anchor).unwrap_or_else(|| self.anchor + FAR)
    }
}

/// Stands for dates that the clock cannot express.
const FAR: Duration = Duration::from_hours(24 * 365 * 100);
