//! The decision log: what was decided on tokens under revocation test, and when.

use hyper::header::HeaderName;
use hyper::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};

use crate::auth::bounded_log::BoundedLog;
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

/// Keeps every decision, up to a limit. Probes are a small part of the requests.
pub(super) type DecisionLog = BoundedLog<Decision>;

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
