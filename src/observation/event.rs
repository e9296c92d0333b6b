//! What was done to the servers of a trial, as it happened, and everyone who asked for a token that was revoked.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::Offset;

/// Something that was done to the servers of a trial.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// When it was due by the plan.
    pub due: Offset,
    /// When it began; of a revocation, when the request to `/revoke` (RFC 7009) was sent.
    pub began: Offset,
    /// When it was done; absent if it never was. A revocation is done when it is acknowledged, by the stamp of the authorization server just
    /// before its 200 (before version 4, and where it gives none: when that had arrived): from here on the token must not be accepted.
    pub ended: Option<Offset>,
    /// What was done.
    pub what: Action,
    /// Why it was not done, if it was not; always absent in recordings before version 4.
    pub failure: Option<String>,
}

/// What was done to the servers of a trial.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Action {
    /// A token was revoked at the authorization server.
    Revocation(Revocation),
    /// Servers were killed, by the signal `KILL`: what they kept in memory is lost, and who connects is refused.
    Kill(AffectedServers),
    /// Servers that were killed were started again, at their addresses. It is done when they answer.
    Start(AffectedServers),
    /// Servers were stopped where they stood, by the signal `STOP`: connections are accepted, and nothing is answered.
    Pause(AffectedServers),
    /// Servers that were stopped go on.
    Resume(AffectedServers),
}

/// Servers to which something was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AffectedServers {
    /// How the scenario calls them.
    pub target: String,
    /// Their numbers among the nodes of the recording, from 0: none where the subject has no such server.
    pub nodes: Vec<u32>,
}

/// A revoked token and its probes. A probe counts as an unsafe acceptance if it was accepted although sent after the revocation was
/// acknowledged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Revocation {
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Probe {
    /// Which node decided, by its number in the recording, from 0; the gateway, where those behind it decided too.
    pub node: u32,
    /// When the request was sent.
    pub sent: Offset,
    /// When its answer was complete; absent if none came, and in recordings before version 4.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered: Option<Offset>,
    /// When the node decided, by its own stamp, and all behind it had; absent if it gives none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided: Option<Offset>,
    /// What it decided, and all behind it.
    pub accepted: bool,
}

/// A node heard of a revocation from whoever tells it, not by asking about the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Learned {
    /// Which node, by its number in the recording, from 0.
    pub node: u32,
    /// Of which event it heard, by its number in the recording, from 0.
    pub event: u32,
    /// When, by its own stamp.
    pub at: Offset,
}

impl Event {
    /// The token and its probes, if one was revoked.
    pub fn revocation(&self) -> Option<&Revocation> {
        match &self.what {
            Action::Revocation(revocation) => Some(revocation),
            _ => None,
        }
    }

    /// The servers to which something was done, if so: revoking a token does nothing to them.
    pub fn servers(&self) -> Option<&AffectedServers> {
        match &self.what {
            Action::Kill(servers)
            | Action::Start(servers)
            | Action::Pause(servers)
            | Action::Resume(servers) => Some(servers),
            Action::Revocation(_) => None,
        }
    }

    /// The token that was revoked and its probes, to be changed.
    pub fn revocation_mut(&mut self) -> Option<&mut Revocation> {
        match &mut self.what {
            Action::Revocation(revocation) => Some(revocation),
            _ => None,
        }
    }
}

impl Probe {
    /// When it was decided: as the node says, or else at the latest when the answer had come.
    pub fn decided(&self) -> Offset {
        self.decided.or(self.answered).unwrap_or(self.sent)
    }
}
