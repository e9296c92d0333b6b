//! A request on the wire, and one of those that carry a token under revocation test.

use crate::load::gaps::Flown;
use crate::load::schedule::Request;
use crate::units::{Offset, Stamp};

/// A request that carried a token under revocation test. All instants count from the start stamp of the load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SentProbe {
    /// Its number; the header `bearerbench-probe` carries it. No other probe of the run has it.
    pub id: u64,
    /// Which revocation it is about, from 0.
    pub revocation: u32,
    /// Its place, which says which resource server was asked.
    pub place: u32,
    /// When it was sent.
    pub sent: Offset,
    /// When its answer was complete; absent if none came.
    pub answered: Option<Offset>,
    /// Whether it was accepted; absent if there was no answer or one that is neither yes nor no.
    pub accepted: Option<bool>,
}

/// A request on the wire.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flight {
    pub(super) request: Request,
    /// When the generator took it up: at once, unless the generator was late.
    pub(super) taken_up: Offset,
    pub(super) sent: Offset,
    /// The number of the probe, if it is one.
    pub(super) probe: Option<u64>,
    /// When its token ends, as far as that is known: by the time of the answer another may have its place.
    pub(super) expires: Stamp,
}

impl Flight {
    pub(super) fn flown(&self, ended: Offset, counts: bool) -> Flown {
        let Self { request, taken_up, sent, .. } = *self;
        Flown { due: request.due, taken_up, sent, ended, counts }
    }
}

pub(super) fn nanos(later: Offset, earlier: Offset) -> u64 {
    later.nanos().saturating_sub(earlier.nanos())
}
