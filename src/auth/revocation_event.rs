//! A revocation as an authorization server pushes it, and its place among all that it pushed.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::auth::token::{TokenId, UnixTime};

/// A token was revoked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevocationEvent {
    /// Its `jti`.
    pub jti: Arc<str>,
    /// The hash of its text, by which whoever introspects knows it. Of a JWT that was revoked with its grant, whose text nobody keeps, it is that
    /// of its `jti`: who knows it by its text has the `jti` from what was said of it.
    #[serde(with = "hash")]
    pub token: TokenId,
    /// When nobody accepts it any more, so that it may be forgotten.
    pub exp: UnixTime,
}

/// Names an event among all that an authorization server pushed since it was started: its number, and which start that was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventId {
    /// Another one whenever the authorization server is started: numbers begin anew then.
    pub epoch: u64,
    /// 1 for the first event; 0 is the beginning.
    pub sequence: u64,
}

/// What is heard of an authorization server that pushes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pushed {
    /// First of all: every event behind this one follows.
    Begun {
        /// What the last event before was called.
        behind: EventId,
        /// Whether that is the event which the subscriber knew last. If not, it may have missed any number of events.
        is_resumed: bool,
    },
    /// A token was revoked.
    Revoked(EventId, Arc<RevocationEvent>),
    /// Everything that had happened was said.
    UpToDate,
}

/// `9f86d081884c7d65-17`: no character of it means anything in an event stream.
impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}-{}", self.epoch, self.sequence)
    }
}

impl EventId {
    /// Reads what [`Display`](fmt::Display) writes; `None` if it is something else.
    pub fn parse(text: &str) -> Option<Self> {
        let (epoch, sequence) = text.split_once('-')?;
        Some(Self { epoch: u64::from_str_radix(epoch, 16).ok()?, sequence: sequence.parse().ok()? })
    }
}

/// A hash in base64url.
mod hash {
    use serde::de::Error;
    use serde::{Deserialize as _, Deserializer, Serializer};

    use crate::auth::token::TokenId;

    pub(super) fn serialize<S: Serializer>(id: &TokenId, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&id.to_base64url())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<TokenId, D::Error> {
        let text = String::deserialize(deserializer)?;
        TokenId::from_base64url(&text).ok_or_else(|| D::Error::custom("expected a SHA-256 in base64url"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_and_their_names_come_back_as_they_were_written() {
        let token = TokenId::of("the token");
        let event = RevocationEvent { jti: "a \"name\"\n".into(), token, exp: UnixTime::from_secs(17) };
        let text = serde_json::to_string(&event).unwrap();
        assert_eq!(serde_json::from_str::<RevocationEvent>(&text).unwrap(), event, "{text}");
        for (epoch, sequence) in [(0, 0), (1, 17), (u64::MAX, u64::MAX)] {
            let id = EventId { epoch, sequence };
            assert_eq!(EventId::parse(&id.to_string()), Some(id));
        }
        for other in ["", "-", "17", "x-1", "1-x", "1-1-1"] {
            assert_eq!(EventId::parse(other), None, "{other}");
        }
        assert!(serde_json::from_str::<RevocationEvent>(r#"{"jti":"a","token":"b","exp":1}"#).is_err());
    }
}
