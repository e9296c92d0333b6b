//! When tokens were issued, and thus when they expire.

use std::time::{Duration, SystemTime};

use crate::units::Stamp;

/// An instant by both clocks: the one that stamps, and the date that tokens carry.
#[derive(Clone, Copy, Debug)]
pub struct Issued {
    stamp: Stamp,
    /// How far the date was into its second: tokens are dated by whole seconds, rounded down.
    into_second: Duration,
}

impl Issued {
    /// Now.
    pub(super) fn now() -> Self {
        let date = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self { stamp: Stamp::now(), into_second: Duration::from_nanos(date.subsec_nanos().into()) }
    }

    /// When a token that was issued then is so old.
    pub fn aged(self, age: Duration) -> Stamp {
        self.stamp + age
    }

    /// When a token that was issued then and lives for `lifetime` expires, unless the authorization server read its clock a second later.
    pub fn expires(self, lifetime: Duration) -> Stamp {
        let second = self.into_second.as_nanos();
        let begun = self.stamp.nanos().saturating_sub(u64::try_from(second).expect("less than a second"));
        Stamp::from_nanos(begun) + lifetime
    }

    /// When a token that was issued then and lives for `lifetime` expires, in seconds after `start`.
    pub fn expiry(self, lifetime: Duration, start: Stamp) -> f64 {
        let issued = self.stamp.offset(start).seconds() - start.offset(self.stamp).seconds();
        issued - self.into_second.as_secs_f64() + lifetime.as_secs_f64()
    }
}
