//! The checks of a token by name, and how each ended.

use serde::Serialize;

use crate::auth::token::{Rejection, Section};

/// The checks, in the order in which they are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(into = "&'static str")]
pub(super) enum Name {
    Size,
    Parts,
    Base64url,
    Header,
    Crit,
    Typ,
    Key,
    Algorithm,
    Signature,
    Claims,
    Issuer,
    Audience,
    Expiry,
    NotBefore,
    Scope,
}

/// How a check ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "result", content = "detail", rename_all = "kebab-case")]
pub(super) enum Outcome {
    /// Passed, and what was seen.
    Ok(String),
    /// Not passed, and why.
    Failed(String),
    /// Nobody asked for it; what the token says.
    NotChecked(String),
    /// An earlier check failed.
    NotReached,
}

/// A check and how it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Check {
    /// Which one.
    pub(super) check: Name,
    /// How it ended.
    #[serde(flatten)]
    pub(super) outcome: Outcome,
}

impl Name {
    /// As it is shown.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Size => "size",
            Self::Parts => "parts",
            Self::Base64url => "base64url",
            Self::Header => "header",
            Self::Typ => "typ",
            Self::Crit => "crit",
            Self::Key => "key",
            Self::Algorithm => "algorithm",
            Self::Signature => "signature",
            Self::Claims => "claims",
            Self::Issuer => "issuer",
            Self::Audience => "audience",
            Self::Expiry => "expiry",
            Self::NotBefore => "not-before",
            Self::Scope => "scope",
        }
    }

    /// The check that a refusal belongs to.
    pub(super) fn of(rejection: Rejection) -> Self {
        match rejection {
            Rejection::TooLarge => Self::Size,
            Rejection::NotThreeParts => Self::Parts,
            Rejection::NotBase64Url(_) => Self::Base64url,
            Rejection::NotJson(section)
            | Rejection::Twice(section)
            | Rejection::WrongForm(section, _)
            | Rejection::Lacks(section, _) => Self::of_section(section),
            Rejection::Critical => Self::Crit,
            Rejection::WrongType => Self::Typ,
            Rejection::UnnamedKey | Rejection::UnknownKey => Self::Key,
            Rejection::WrongAlgorithm => Self::Algorithm,
            Rejection::BadSignature => Self::Signature,
            Rejection::WrongIssuer => Self::Issuer,
            Rejection::WrongAudience => Self::Audience,
            Rejection::Expired => Self::Expiry,
            Rejection::NotYetValid => Self::NotBefore,
            Rejection::InsufficientScope => Self::Scope,
            // What an authorization server says, or does not say, of a token; here nobody is asked.
            Rejection::Inactive | Rejection::Undecided => Self::Claims,
        }
    }

    fn of_section(section: Section) -> Self {
        match section {
            Section::Header => Self::Header,
            Section::Claims => Self::Claims,
            Section::Signature => Self::Signature,
        }
    }

    pub(super) const ALL: [Self; 15] = [
        Self::Size,
        Self::Parts,
        Self::Base64url,
        Self::Header,
        Self::Crit,
        Self::Typ,
        Self::Key,
        Self::Algorithm,
        Self::Signature,
        Self::Claims,
        Self::Issuer,
        Self::Audience,
        Self::Expiry,
        Self::NotBefore,
        Self::Scope,
    ];
}

impl From<Name> for &'static str {
    fn from(name: Name) -> Self {
        name.name()
    }
}

impl Check {
    pub(super) fn failed(&self) -> bool {
        matches!(self.outcome, Outcome::Failed(_))
    }
}
