//! The decision log: what was decided on tokens under revocation test, and when.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use hyper::header::HeaderName;
use hyper::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};

use crate::plan::PROBE_HEADER;
use crate::units::Stamp;

/// A decision on a token under revocation test. That of a gateway is what those behind it made of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// The number that the request carried.
    pub probe: u64,
    /// When it was decided.
    pub decided: Stamp,
    /// What was decided; absent if nothing could be, since the authorization server did not answer.
    pub accepted: Option<bool>,
}

/// Keeps every decision, up to a limit.
pub(super) struct DecisionLog {
    /// Held for one push; probes are a small part of the requests.
    chunks: Mutex<Vec<Vec<Decision>>>,
    most_chunks: usize,
    /// Set when one was not kept.
    is_full: AtomicBool,
}

/// Decisions in a piece of memory: one that grew would be moved while requests wait.
const CHUNK: usize = 4_096;
/// A server left running alone must not grow without end: ten million decisions.
const MOST_CHUNKS: usize = 10_000_000 / CHUNK;

/// Made once: every request is asked for it, and few have it.
static PROBE: HeaderName = HeaderName::from_static(PROBE_HEADER);

/// The number that a request is logged under, if it is to be logged.
pub(super) fn probe(headers: &HeaderMap) -> Option<u64> {
    headers.get(&PROBE)?.to_str().ok()?.parse().ok()
}

/// What a server decided that answers with this status, as the load takes it; none if it is neither yes nor no.
pub(super) fn by_status(status: StatusCode) -> Option<bool> {
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Some(false),
        status => status.is_success().then_some(true),
    }
}

impl Default for DecisionLog {
    fn default() -> Self {
        Self { chunks: Mutex::default(), most_chunks: MOST_CHUNKS, is_full: AtomicBool::new(false) }
    }
}

impl DecisionLog {
    pub(super) fn add(&self, decision: Decision) {
        let mut chunks = self.chunks.lock().expect("no holder of this lock panics");
        if chunks.last().is_none_or(|chunk| chunk.len() == CHUNK) {
            if chunks.len() == self.most_chunks {
                self.is_full.store(true, Ordering::Relaxed);
                return;
            }
            chunks.push(Vec::with_capacity(CHUNK));
        }
        chunks.last_mut().expect("there is one with room").push(decision);
    }

    /// All of them; nothing if there were more than are kept, since the rest would look undecided.
    pub(super) fn all(&self) -> Option<Vec<Decision>> {
        let chunks = self.chunks.lock().expect("no holder of this lock panics");
        (!self.is_full.load(Ordering::Relaxed)).then(|| chunks.concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_decision_is_kept_in_its_order_or_none_is_told() {
        let log = DecisionLog { most_chunks: 3, ..DecisionLog::default() };
        let decision = |probe| Decision { probe, decided: Stamp::from_nanos(probe), accepted: Some(true) };
        let most = (CHUNK * 3) as u64;
        (0..most).for_each(|probe| log.add(decision(probe)));
        let all = log.all().unwrap();
        assert_eq!(all.len() as u64, most);
        assert!((0..).zip(&all).all(|(probe, decision)| decision.probe == probe));
        log.add(decision(most));
        assert_eq!(log.all(), None);
    }
}
