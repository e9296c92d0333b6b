//! One token revoked during a trial, and everyone who asked for it.

use serde::{Deserialize, Serialize};

use crate::units::Offset;

/// A revocation and its probes. A probe counts as an unsafe acceptance if it was accepted although
/// sent after `acknowledged`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revocation {
    /// When the revocation was due by the plan.
    pub due: Offset,
    /// When the request to `/revoke` (RFC 7009) was sent.
    pub sent: Offset,
    /// When it was acknowledged, by the stamp of the authorization server just before its 200 (before version 4, and where it gives
    /// none: when that had arrived): from here on the token must not be accepted. Absent if it never was.
    pub acknowledged: Option<Offset>,
    /// When the token expires by itself, in seconds after the load began.
    pub expires_seconds: f64,
    /// When probing of this token ended.
    pub probed_until: Offset,
    /// Requests that carried the token and were decided, in the order in which they were sent.
    pub probes: Vec<Probe>,
    /// Requests that carried the token and were neither accepted nor refused: lost, or not decidable.
    pub undecided: u32,
}

/// A request that carried a token under revocation test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Probe {
    /// Which node decided, by its number in the recording, from 0.
    pub node: u32,
    /// When the request was sent.
    pub sent: Offset,
    /// When its answer was complete; absent if none came, and in recordings before version 4.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered: Option<Offset>,
    /// When the node decided, by its own stamp; absent if it gives none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided: Option<Offset>,
    /// What it decided.
    pub accepted: bool,
}

impl Probe {
    /// When it was decided: as the node says, or else at the latest when the answer had come.
    pub fn decided(&self) -> Offset {
        self.decided.or(self.answered).unwrap_or(self.sent)
    }
}
