//! Seconds since 1970, read from a clock that tests can hold still.

use std::ops::{Add, Sub};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
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
