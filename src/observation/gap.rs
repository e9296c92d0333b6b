//! Time that was taken from the generator or from the servers, and what is left of the requests that it disturbed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::observation::{Distribution, Sealed, Second};
use crate::units::Offset;

/// From whom a core was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// A thread of the load generator: seen by its own loop.
    Generator,
    /// The servers: seen by a process of the lowest priority on their cores.
    Servers,
}

/// The gaps that were seen on one core within the measured window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CoreGaps {
    /// From whom it was taken.
    pub side: Side,
    /// Which core; absent if whoever looked was bound to none.
    pub core: Option<u32>,
    /// How many gaps there were.
    pub count: u64,
    /// Nanoseconds of all of them.
    pub nanos: u64,
    /// Nanoseconds of the longest.
    pub longest_nanos: u64,
    /// Seconds of the window that could not wait for the watch: servers that fill a core leave it no time, and what else took the core
    /// is not known in time.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unseen_seconds: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl CoreGaps {
    /// A core on which nothing was seen yet.
    pub fn of(side: Side, core: Option<u32>) -> Self {
        Self { side, core, count: 0, nanos: 0, longest_nanos: 0, unseen_seconds: 0 }
    }

    /// Counts a gap.
    pub fn add(&mut self, [begin, end]: [Offset; 2]) {
        let nanos = end.nanos().saturating_sub(begin.nanos());
        self.count += 1;
        self.nanos += nanos;
        self.longest_nanos = self.longest_nanos.max(nanos);
    }
}

/// How long requests were followed: to their end, or to a gap, where they were lost from sight.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Followed {
    /// Those that were answered before any gap.
    pub ended: Sealed,
    /// Those during which a gap began, until then: they took at least that long.
    pub censored: Sealed,
}

/// What the gaps left of the requests that were due within a second.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Disturbed {
    /// From the instant a request was due.
    pub latency: Followed,
    /// From the instant it was taken up. Nothing where no request waited: see [`Disturbed::served`].
    served: Followed,
    /// From the instant it was sent.
    pub service: Followed,
    /// Requests that were not counted: due in a gap, or before the backlog that it left was worked off.
    pub uncounted: u64,
    /// Nanoseconds of the second that lay in a gap.
    pub gap_nanos: u64,
    /// Shorter gaps did not count, in nanoseconds.
    pub least_nanos: u64,
}

impl Disturbed {
    /// From the instant a request was taken up: the same as from the instant it was sent where no request waited.
    pub fn served(&self) -> &Followed {
        if self.served.count() > 0 { &self.served } else { &self.service }
    }
}

impl Followed {
    /// How many requests were followed, to an answer or to a gap.
    fn count(&self) -> u64 {
        self.ended.count() + self.censored.count()
    }
}

/// [`Followed`] while it is being recorded.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OpenFollowed {
    /// See [`Followed::ended`].
    pub ended: Distribution,
    /// See [`Followed::censored`].
    pub censored: Distribution,
}

/// [`Disturbed`] while it is being recorded.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OpenDisturbed {
    /// See [`Disturbed::latency`].
    pub latency: OpenFollowed,
    /// See [`Disturbed::served()`].
    pub served: OpenFollowed,
    /// See [`Disturbed::service`].
    pub service: OpenFollowed,
    /// See [`Disturbed::uncounted`].
    pub uncounted: u64,
    /// See [`Disturbed::gap_nanos`].
    pub gap_nanos: u64,
    /// See [`Disturbed::least_nanos`].
    pub least_nanos: u64,
}

impl OpenFollowed {
    fn with_room() -> Self {
        Self { ended: Distribution::with_room(), censored: Distribution::with_room() }
    }

    fn seal(&self) -> Followed {
        Followed { ended: Sealed::from(&self.ended), censored: Sealed::from(&self.censored) }
    }

    fn add(&mut self, other: &Followed) {
        self.ended.add(&other.ended.open());
        self.censored.add(&other.censored.open());
    }
}

impl OpenDisturbed {
    /// One in which recording does not ask for memory.
    pub fn with_room() -> Self {
        let [latency, served, service] = std::array::from_fn(|_| OpenFollowed::with_room());
        Self { latency, served, service, ..Self::default() }
    }

    /// Forgets everything, but keeps the room for it.
    pub fn reset(&mut self) {
        let Self { latency, served, service, uncounted, gap_nanos, least_nanos } = self;
        for followed in [latency, served, service] {
            followed.ended.reset();
            followed.censored.reset();
        }
        for number in [uncounted, gap_nanos, least_nanos] {
            *number = 0;
        }
    }

    /// Its facts at rest, of a second in which requests waited for a connection or none did.
    pub(super) fn seal(&self, has_waited: bool) -> Disturbed {
        Disturbed {
            latency: self.latency.seal(),
            served: if has_waited { self.served.seal() } else { Followed::default() },
            service: self.service.seal(),
            uncounted: self.uncounted,
            gap_nanos: self.gap_nanos,
            least_nanos: self.least_nanos,
        }
    }

    /// Counts what another thread saw in the same second.
    pub(super) fn with(mut self, other: &Second) -> Self {
        let Some(disturbed) = &other.disturbed else {
            self.latency.ended.add(&other.latency.open());
            self.served.ended.add(&other.served().open());
            self.service.ended.add(&other.service.open());
            return self;
        };
        self.latency.add(&disturbed.latency);
        self.served.add(disturbed.served());
        self.service.add(&disturbed.service);
        self.uncounted += disturbed.uncounted;
        // Gaps of two threads may be the same or not: the longer is certain.
        self.gap_nanos = self.gap_nanos.max(disturbed.gap_nanos);
        self.least_nanos = self.least_nanos.max(disturbed.least_nanos);
        self
    }
}
