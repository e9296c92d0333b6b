//! What a server of known truth saw and did, by its own stamps.

use std::time::Duration;

use crate::observation::Distribution;
use crate::units::Stamp;

/// A request as the server saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Served {
    /// When its last byte had been read.
    pub arrived: Stamp,
    /// When the answer was handed to the system; absent if it got none.
    pub answered: Option<Stamp>,
    /// How long it was to take, by the law.
    pub planned: Duration,
}

/// Everything a server saw, once it has ended.
#[derive(Clone, Debug, Default)]
pub struct Witness {
    /// Every request, in the order of arrival; empty for a server that keeps no account.
    pub served: Vec<Served>,
    /// The numbers of the probes that arrived, in order.
    pub probes: Vec<u64>,
    /// How long its thread stood still although it had asked for nothing, in all: only pauses of more than 50 us.
    pub paused: Duration,
    /// The longest of these pauses.
    pub longest_pause: Duration,
    /// How much later than planned answers were given.
    pub late: Distribution,
}

impl Witness {
    /// How long requests were to take.
    pub fn planned(&self) -> Distribution {
        distribution(self.served.iter().map(|served| served.planned))
    }

    /// How long requests did take.
    pub fn taken(&self) -> Distribution {
        distribution(self.served.iter().filter_map(|served| {
            let answered = served.answered?;
            Some(Duration::from_nanos(answered.nanos() - served.arrived.nanos()))
        }))
    }

    /// The gaps between arrivals, in seconds.
    pub fn gaps(&self) -> Vec<f64> {
        let gap = |pair: &[Served]| (pair[1].arrived.nanos() - pair[0].arrived.nanos()) as f64 / 1e9;
        self.served.windows(2).map(gap).collect()
    }
}

fn distribution(times: impl Iterator<Item = Duration>) -> Distribution {
    times.fold(Distribution::default(), |mut sum, time| {
        sum.record(u64::try_from(time.as_nanos()).expect("less than 584 years"));
        sum
    })
}
