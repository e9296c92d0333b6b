//! The checks of a token by name, and how each may end.

use crate::auth::token::Rejection;

/// The checks, in the order in which they are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "their names say it")]
pub enum TokenCheck {
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

/// What they are called.
pub const CHECKS: [&str; 15] = [
    "size",
    "parts",
    "base64url",
    "header",
    "crit",
    "typ",
    "key",
    "algorithm",
    "signature",
    "claims",
    "issuer",
    "audience",
    "expiry",
    "not-before",
    "scope",
];

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckOutcome {
    /// Passed.
    Passed,
    /// Not passed.
    Failed(Rejection),
    /// Nobody asked for it.
    NotAsked,
    /// What it needs cannot be read, or is not there.
    NotReached,
}

/// A check, how it ended, and what was seen. The words may repeat what the token says.
#[derive(Clone, Debug)]
pub struct CheckReport {
    /// Its name.
    pub check: &'static str,
    /// How it ended.
    pub outcome: CheckOutcome,
    /// What was seen and, of a check that failed, what was expected.
    pub seen: String,
}

/// What a token should call its key by, of these names.
pub(super) fn expected_key(names: &[&str]) -> String {
    match names {
        [only] => format!("{only:?} is the only key"),
        [first, .., last] if names.len() > MOST_NAMES => {
            format!("one of {} keys is expected, from {first:?} to {last:?}", names.len())
        }
        _ => format!(
            "one of {} is expected",
            names.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ")
        ),
    }
}

/// As many as a line has room for.
const MOST_NAMES: usize = 4;
