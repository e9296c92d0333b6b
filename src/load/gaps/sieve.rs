//! Sorts the requests of a second by what gaps did to them: the ground for an estimate after Kaplan and Meier (JASA 1958).
//!
//! Leaving out whatever a gap touched would be wrong: long requests are touched more often, and what is left is too short.
//! A request that was due while nothing was disturbed is followed to its answer, or to the first gap after it was due, and
//! then counts as one that took at least so long. One that was due in a gap, or before every request due in it was answered, met
//! a queue that the gap had made and is not counted.

use crate::load::gaps::{LEAST_NANOS, Listener};
use crate::observation::{CoreGaps, Distribution, OpenDisturbed, OpenFollowed, Side};
use crate::units::{Offset, Stamp};

/// A request that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::load) struct Flown {
    pub(in crate::load) due: Offset,
    pub(in crate::load) taken_up: Offset,
    pub(in crate::load) sent: Offset,
    pub(in crate::load) ended: Offset,
    /// False for a probe and for an answer that is neither yes nor no: it is part of a backlog, and of no latency.
    pub(in crate::load) counts: bool,
}

/// A gap must take this share of the median service time to count, and no less than [`LEAST_NANOS`].
const SHARE_OF_SERVICE: f64 = 0.05;

/// The gaps of a run as one thread of the generator is struck by them.
pub(in crate::load) struct Sieve {
    start: Stamp,
    window: [Offset; 2],
    heard: Listener,
    /// In the order in which they begin, none overlapping another.
    gaps: Vec<Disturbance>,
    cores: Vec<CoreGaps>,
    /// Room for what is left of a second, used again: memory that comes and goes between what stays is soon in pieces.
    room: Option<OpenDisturbed>,
}

/// A gap and the backlog that it left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Disturbance {
    begin: Offset,
    end: Offset,
    /// When every request that was due in it had ended.
    clear: Offset,
}

impl Sieve {
    /// Nothing was seen yet of the thread's own core, if it sees all that is taken from it, and of those beside it.
    pub(in crate::load) fn new(
        start: Stamp,
        window: [Offset; 2],
        own: Option<CoreGaps>,
        heard: Listener,
    ) -> Self {
        let beside = heard.cores().into_iter().map(|core| CoreGaps::of(Side::Servers, Some(core)));
        let cores = own.into_iter().chain(beside).collect();
        Self { start, window, heard, gaps: Vec::new(), cores, room: None }
    }

    /// The thread lost its core.
    pub(in crate::load) fn own(&mut self, gap: [Offset; 2]) {
        if let Some(own) = self.cores.iter_mut().find(|seen| seen.side == Side::Generator) {
            count(own, self.window, gap);
        }
        self.insert(gap);
    }

    /// What the gaps left of the requests that were due within `second`, all of which have ended; nothing if they left
    /// all of them. `service` is how long the median request takes once it is sent, in nanoseconds.
    pub(in crate::load) fn sift(
        &mut self,
        second: [Offset; 2],
        flown: &[Flown],
        service: u64,
    ) -> Option<OpenDisturbed> {
        // Nothing is due behind the window: nobody waits for the watch to look there.
        let over = second[1].min(self.window[1]);
        let last = flown.iter().map(|flown| flown.ended).max().unwrap_or(over).max(over);
        self.hear(last);
        let threshold = shortest(service);
        // Seconds come in their order, each when all of its requests have ended: this one is the first that is left.
        self.gaps.retain(|gap| gap.clear > second[0]);
        let mut gaps: Vec<&mut Disturbance> =
            self.gaps.iter_mut().filter(|gap| gap.nanos() >= threshold).collect();
        if !gaps.iter().any(|gap| gap.begin < last && gap.clear.max(gap.end) > second[0]) {
            return None;
        }
        for request in flown {
            if let Some(gap) = before(&mut gaps, request.due).filter(|gap| request.due < gap.end) {
                gap.clear = gap.clear.max(request.ended);
            }
        }
        let gaps: Vec<Disturbance> = gaps.into_iter().map(|gap| *gap).collect();
        let mut disturbed = self.room.take().unwrap_or_else(OpenDisturbed::with_room);
        disturbed.least_nanos = threshold;
        disturbed.gap_nanos = gaps.iter().map(|gap| overlap([gap.begin, gap.end], second)).sum();
        let clear = running_clear(&gaps);
        // Where none waited, it is the service: see `Disturbed::served`.
        let has_waited = flown.iter().any(|request| request.taken_up != request.sent);
        for request in flown.iter().filter(|request| request.counts) {
            let next = gaps.partition_point(|gap| gap.begin <= request.due);
            if next > 0 && request.due < clear[next - 1] {
                disturbed.uncounted += 1;
                continue;
            }
            let hidden = gaps.get(next).map(|gap| gap.begin).filter(|begin| *begin < request.ended);
            follow(&mut disturbed.latency, request.due, request.ended, hidden);
            if has_waited {
                follow(&mut disturbed.served, request.taken_up, request.ended, hidden);
            }
            follow(&mut disturbed.service, request.sent, request.ended, hidden);
        }
        Some(disturbed)
    }

    /// What was left of a second is at rest, and its room free.
    pub(in crate::load) fn reuse(&mut self, mut room: OpenDisturbed) {
        room.reset();
        self.room = Some(room);
    }

    /// What was seen within the window on every core that was watched until now.
    pub(in crate::load) fn finish(mut self) -> Vec<CoreGaps> {
        if self.heard.has_ended() {
            self.cores.retain(|seen| seen.side != Side::Servers);
        }
        self.cores
    }

    /// Takes in what was seen beside the generator until an instant.
    fn hear(&mut self, until: Offset) {
        let (gaps, late) = self.heard.until(Stamp::from_nanos(self.start.nanos() + until.nanos()));
        // What the warm-up hides is in no figure.
        if until > self.window[0] {
            let of_servers = self.cores.iter_mut().filter(|seen| seen.side == Side::Servers);
            for seen in of_servers.filter(|seen| seen.core.is_some_and(|core| late.contains(&core))) {
                seen.unseen_seconds += 1;
            }
        }
        for (core, gap) in gaps {
            // What was before the load disturbs nothing.
            if gap[1] <= self.start {
                continue;
            }
            let gap = gap.map(|stamp| stamp.offset(self.start));
            let is_of = |seen: &&mut CoreGaps| seen.side == Side::Servers && seen.core == Some(core);
            if let Some(seen) = self.cores.iter_mut().find(is_of) {
                count(seen, self.window, gap);
            }
            self.insert(gap);
        }
    }

    /// Keeps the gaps in order and apart.
    fn insert(&mut self, [mut begin, mut end]: [Offset; 2]) {
        let mut clear = end;
        let first = self.gaps.partition_point(|gap| gap.end < begin);
        let after = self.gaps.partition_point(|gap| gap.begin <= end).max(first);
        for gap in self.gaps.drain(first..after) {
            (begin, end, clear) = (begin.min(gap.begin), end.max(gap.end), clear.max(gap.clear));
        }
        self.gaps.insert(first, Disturbance { begin, end, clear: clear.max(end) });
    }
}

impl Disturbance {
    fn nanos(&self) -> u64 {
        self.end.nanos() - self.begin.nanos()
    }
}

/// The last gap that begins at an instant or before.
fn before<'a>(gaps: &'a mut [&mut Disturbance], instant: Offset) -> Option<&'a mut Disturbance> {
    let next = gaps.partition_point(|gap| gap.begin <= instant);
    gaps.get_mut(next.checked_sub(1)?).map(|gap| &mut **gap)
}

/// Until when the gaps up to each of them disturb: the backlog of a long one may outlast a short one after it.
fn running_clear(gaps: &[Disturbance]) -> Vec<Offset> {
    let latest = |latest: &mut Offset, gap: &Disturbance| {
        *latest = (*latest).max(gap.clear).max(gap.end);
        Some(*latest)
    };
    gaps.iter().scan(Offset::default(), latest).collect()
}

fn follow(followed: &mut OpenFollowed, from: Offset, ended: Offset, lost: Option<Offset>) {
    let (OpenFollowed { ended: whole, censored }, until) = (followed, lost.unwrap_or(ended));
    let seen: &mut Distribution = if lost.is_some() { censored } else { whole };
    seen.record(until.nanos().saturating_sub(from.nanos()));
}

/// What lies outside the window disturbs none of its requests but by its backlog.
fn count(core: &mut CoreGaps, window: [Offset; 2], gap: [Offset; 2]) {
    if overlap(gap, window) > 0 {
        core.add([gap[0].max(window[0]), gap[1].min(window[1])]);
    }
}

/// Nanoseconds that two stretches have in common.
fn overlap(a: [Offset; 2], b: [Offset; 2]) -> u64 {
    a[1].min(b[1]).nanos().saturating_sub(a[0].max(b[0]).nanos())
}

/// From which length on a gap can move a figure, in nanoseconds.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small positive number")]
fn shortest(service: u64) -> u64 {
    LEAST_NANOS.max((SHARE_OF_SERVICE * service as f64) as u64)
}
