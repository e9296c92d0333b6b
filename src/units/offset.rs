//! An instant of a trial.

use std::ops::Add;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Nanoseconds since the load of a trial began (the warm-up begins at zero).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Offset(u64);

impl Offset {
    /// An instant that many nanoseconds after the load began.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the load began.
    pub const fn nanos(self) -> u64 {
        self.0
    }

    /// Seconds since the load began.
    pub fn seconds(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// The time from `earlier` to this instant, zero if `earlier` is later.
    pub const fn since(self, earlier: Offset) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl From<Duration> for Offset {
    fn from(since_start: Duration) -> Self {
        Self(u64::try_from(since_start.as_nanos()).expect("a trial lasts less than 584 years"))
    }
}

impl Add<Duration> for Offset {
    type Output = Offset;

    fn add(self, length: Duration) -> Offset {
        Offset::from(Duration::from_nanos(self.0) + length)
    }
}
