//! A reading of the one clock that every process of a host shares.

use std::ops::Add;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

use crate::units::Offset;

/// Nanoseconds of `CLOCK_MONOTONIC`: stamps of two processes of one host may be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Stamp(u64);

impl Stamp {
    /// Reads the clock.
    pub fn now() -> Self {
        let time = clock_gettime(ClockId::Monotonic);
        let seconds = u64::try_from(time.tv_sec).expect("CLOCK_MONOTONIC is not negative");
        let nanos = u64::try_from(time.tv_nsec).expect("nanoseconds are not negative");
        Self(seconds * 1_000_000_000 + nanos)
    }

    /// A reading of that many nanoseconds since the clock's own beginning, made elsewhere on this host.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// This stamp as an instant of the trial whose load began at `start`, zero if it was before.
    pub const fn offset(self, start: Stamp) -> Offset {
        Offset::from_nanos(self.0.saturating_sub(start.0))
    }

    /// The time since this stamp.
    pub fn elapsed(self) -> Duration {
        Duration::from_nanos(Self::now().0.saturating_sub(self.0))
    }

    /// Nanoseconds since the clock's own beginning.
    pub const fn nanos(self) -> u64 {
        self.0
    }
}

impl Add<Duration> for Stamp {
    type Output = Stamp;

    fn add(self, length: Duration) -> Stamp {
        let nanos = u64::try_from(length.as_nanos()).unwrap_or(u64::MAX);
        Stamp(self.0.saturating_add(nanos))
    }
}

/// An instant of the trial whose load began at this stamp.
impl Add<Offset> for Stamp {
    type Output = Stamp;

    fn add(self, offset: Offset) -> Stamp {
        Stamp(self.0.saturating_add(offset.nanos()))
    }
}
