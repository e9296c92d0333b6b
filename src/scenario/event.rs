//! What happens to servers while they are measured, as it is written in a scenario.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::registry::nearest;
use crate::units::Span;

/// Something that is done to servers of every trial: exactly one of the keys beside `at`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table like { at = \"5s\", kill = \"authorization-server\" }")]
#[schemars(extend("oneOf" = one_intervention()))]
pub struct ScenarioEvent {
    /// When, counted from the beginning of the measured time of each trial.
    pub at: Span,
    /// Servers that are killed: they refuse connections, and what they kept in memory is lost.
    pub kill: Option<EventTarget>,
    /// Servers that were killed and are started again, where they were.
    pub start: Option<EventTarget>,
    /// Servers that hang: they accept connections, and answer nothing.
    pub pause: Option<EventTarget>,
    /// Servers that hang and go on.
    pub resume: Option<EventTarget>,
}

/// What can be done to servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intervention {
    /// Their processes are killed.
    Kill,
    /// They are started again.
    Start,
    /// Their processes are stopped where they stand.
    Pause,
    /// Their processes go on.
    Resume,
}

/// Servers of every trial: all of a role, or one of them by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct EventTarget {
    /// What they are.
    pub role: TargetRole,
    /// Which one, from 1; none is all of them.
    pub number: Option<NonZeroU32>,
}

/// A role of servers that every trial, or every trial of some architectures, has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TargetRole {
    /// It issues tokens.
    AuthorizationServer,
    /// It decides on tokens, and passes requests on; only some architectures have one.
    Gateway,
    /// It decides on tokens, and answers.
    ResourceServer,
}

/// A text that names no server.
#[derive(Debug, thiserror::Error)]
pub enum InvalidTarget {
    /// There is no such role.
    #[error(
        "unknown server {written:?}{}; expected \"authorization-server\", \"resource-server\" or \"gateway\", and behind the last two a \
         number if only one is meant, like \"resource-server 1\"",
        .suggestion.map(|name| format!("; did you mean {name:?}?")).unwrap_or_default()
    )]
    Role {
        /// What stands there.
        written: String,
        /// What it may have been meant to be.
        suggestion: Option<&'static str>,
    },
    /// It is no number.
    #[error(
        "{written:?}: {number:?} is no number of a server, which is 1 or more, like \"resource-server 1\""
    )]
    Number {
        /// What stands there.
        written: String,
        /// The part of it that should be one.
        number: String,
    },
    /// There is only one.
    #[error("every trial has one authorization server; write \"authorization-server\", without a number")]
    OnlyOne,
}

impl ScenarioEvent {
    /// Every key beside `at`, with what it names.
    pub fn interventions(&self) -> [(Intervention, Option<EventTarget>); 4] {
        [
            (Intervention::Kill, self.kill),
            (Intervention::Start, self.start),
            (Intervention::Pause, self.pause),
            (Intervention::Resume, self.resume),
        ]
    }
}

impl Intervention {
    /// Every one, in the order of their keys.
    pub const ALL: [Self; 4] = [Self::Kill, Self::Start, Self::Pause, Self::Resume];

    /// Its key in a scenario.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kill => "kill",
            Self::Start => "start",
            Self::Pause => "pause",
            Self::Resume => "resume",
        }
    }
}

impl TargetRole {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::AuthorizationServer, Self::ResourceServer, Self::Gateway];

    /// Its name in a scenario.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AuthorizationServer => "authorization-server",
            Self::Gateway => "gateway",
            Self::ResourceServer => "resource-server",
        }
    }
}

impl FromStr for EventTarget {
    type Err = InvalidTarget;

    fn from_str(written: &str) -> Result<Self, InvalidTarget> {
        let (name, number) = match written.trim().split_once(' ') {
            Some((name, number)) => (name, Some(number.trim())),
            None => (written.trim(), None),
        };
        let Some(role) = TargetRole::ALL.into_iter().find(|role| role.name() == name) else {
            let suggestion = nearest(name, TargetRole::ALL.map(TargetRole::name));
            return Err(InvalidTarget::Role { written: written.to_owned(), suggestion });
        };
        if role == TargetRole::AuthorizationServer && number.is_some() {
            return Err(InvalidTarget::OnlyOne);
        }
        let read = |number: &str| {
            let problem = || InvalidTarget::Number { written: written.to_owned(), number: number.to_owned() };
            number.parse().map_err(|_| problem())
        };
        Ok(Self { role, number: number.map(read).transpose()? })
    }
}

impl TryFrom<String> for EventTarget {
    type Error = InvalidTarget;

    fn try_from(written: String) -> Result<Self, InvalidTarget> {
        written.parse()
    }
}

impl fmt::Display for EventTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.role.name())?;
        self.number.map_or(Ok(()), |number| write!(f, " {number}"))
    }
}

impl JsonSchema for EventTarget {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "EventTarget".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "a role of servers, or one of them by its number from 1",
            "pattern": "^(authorization-server|(resource-server|gateway)( [1-9][0-9]*)?)$",
            "examples": ["authorization-server", "resource-server 1"],
        })
    }
}

/// In the words of JSON Schema: one key beside `at`.
fn one_intervention() -> serde_json::Value {
    let each = Intervention::ALL.map(|intervention| serde_json::json!({ "required": [intervention.name()] }));
    each.to_vec().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_named_by_their_role_and_one_of_several_by_its_number() {
        for written in ["authorization-server", "resource-server", "resource-server 12", "gateway 1"] {
            assert_eq!(written.parse::<EventTarget>().unwrap().to_string(), written);
        }
        let number = "resource-server 2".parse::<EventTarget>().unwrap().number;
        assert_eq!(number, NonZeroU32::new(2));
    }

    #[test]
    fn what_names_no_server_is_answered_with_what_would() {
        let problem = |written: &str| written.parse::<EventTarget>().unwrap_err().to_string();
        let unknown = problem("autorization-server");
        assert!(unknown.contains("did you mean \"authorization-server\"?"), "{unknown}");
        assert!(problem("store").contains("expected \"authorization-server\", \"resource-server\""));
        for written in ["resource-server 0", "resource-server one", "gateway -1"] {
            assert!(problem(written).contains("1 or more"), "{}", problem(written));
        }
        assert!(problem("authorization-server 1").contains("without a number"));
    }
}
