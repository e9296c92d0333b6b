//! The decision log: what was decided on tokens under revocation test, and when.

use std::sync::Mutex;

use hyper::HeaderMap;
use serde::{Deserialize, Serialize};

use crate::plan::PROBE_HEADER;
use crate::units::Stamp;

/// A decision on a token under revocation test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// The number that the request carried.
    pub probe: u64,
    /// When it was decided.
    pub decided: Stamp,
    /// What was decided; absent if nothing could be, since the authorization server did not answer.
    pub accepted: Option<bool>,
}

/// Keeps the latest decisions.
#[derive(Default)]
pub(super) struct DecisionLog {
    /// Held for one push; probes are a small part of the requests.
    decisions: Mutex<Vec<Decision>>,
}

/// A server left running alone must not grow without end; no trial has as many probes.
const MOST: usize = 10_000_000;

/// The number that a request is logged under, if it is to be logged.
pub(super) fn probe(headers: &HeaderMap) -> Option<u64> {
    headers.get(PROBE_HEADER)?.to_str().ok()?.parse().ok()
}

impl DecisionLog {
    pub(super) fn add(&self, decision: Decision) {
        let mut decisions = self.decisions.lock().expect("no holder of this lock panics");
        if decisions.len() < MOST {
            decisions.push(decision);
        }
    }

    pub(super) fn all(&self) -> Vec<Decision> {
        self.decisions.lock().expect("no holder of this lock panics").clone()
    }
}
