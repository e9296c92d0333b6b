//! Errors in a scenario: which file, which line, which key, what was expected.

use std::fmt;
use std::ops::Range;

use crate::registry::nearest;
use crate::scenario::line;

/// A scenario that cannot be run.
#[derive(Debug)]
pub struct InvalidScenario {
    file: String,
    line: Option<usize>,
    key: Option<String>,
    problem: String,
}

impl InvalidScenario {
    /// An error about the file as a whole.
    pub fn file(file: &str, problem: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line: None, key: None, problem: problem.into() }
    }

    /// An error about what stands at `span` of `text`.
    pub fn at(file: &str, text: &str, span: &Range<usize>, key: &str, problem: impl Into<String>) -> Self {
        let key = (!key.is_empty()).then(|| key.to_owned());
        Self {
            file: file.to_owned(),
            line: Some(line::of_byte(text, span.start)),
            key,
            problem: problem.into(),
        }
    }

    /// An error about the key at `path` of the file, which says `text`.
    pub fn key(file: &str, text: &str, path: &str, problem: impl Into<String>) -> Self {
        let key = (!path.is_empty()).then(|| path.to_owned());
        Self { file: file.to_owned(), line: line::of_key(text, path), key, problem: problem.into() }
    }

    /// The same error, found in a changed text, where it stands in the one that a person sees.
    pub(super) fn in_text(self, text: &str) -> Self {
        Self { line: line::of_key(text, self.key.as_deref().unwrap_or_default()), ..self }
    }

    /// What the TOML reader found at `path`.
    pub(super) fn toml(file: &str, text: &str, path: &str, error: &toml::de::Error) -> Self {
        let message = error.message().trim();
        let problem = match (renamed(path, message), unknown_field_suggestion(message)) {
            (Some(instead), _) => format!("renamed: {instead}"),
            (None, Some(name)) => format!("{message}; did you mean `{name}`?"),
            (None, None) => message.to_owned(),
        };
        match error.span() {
            Some(span) => Self::at(file, text, &span, path, problem),
            None => Self::key(file, text, path, problem),
        }
    }
}

/// Keys that scenarios once had, and what is written instead.
const RENAMED: [(&str, &str); 1] = [("tokens.zipf", "use reuse = { kind = \"zipf\", exponent = ... }")];

/// What is written instead of an unknown key that was known once.
fn renamed(path: &str, message: &str) -> Option<&'static str> {
    let is_unknown = message.starts_with("unknown field ");
    RENAMED.into_iter().find(|(key, _)| is_unknown && *key == path).map(|(_, instead)| instead)
}

/// The known name closest to the unknown one, from serde's words "unknown field `rte`, expected one of `rate`, ...".
fn unknown_field_suggestion(message: &str) -> Option<&str> {
    let mut quoted = message.strip_prefix("unknown field ")?.split('`').skip(1).step_by(2);
    let unknown = quoted.next()?;
    nearest(unknown, quoted)
}

impl fmt::Display for InvalidScenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        f.write_str(": ")?;
        if let Some(key) = &self.key {
            write!(f, "{key}: ")?;
        }
        f.write_str(&self.problem)
    }
}

impl std::error::Error for InvalidScenario {}
