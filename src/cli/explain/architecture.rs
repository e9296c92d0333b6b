//! A validation architecture by what its own file says: its row, the doc comment and schema of its settings, its design.

use std::fmt::Write as _;

use schemars::SchemaGenerator;
use serde::Serialize;
use serde_json::Value;

use crate::auth::architecture::{ARCHITECTURES, Architecture, Tokens};
use crate::cli::bound;
use crate::cli::explain::description::Description;
use crate::cli::explain::paragraph::paragraph;
use crate::cli::explain::setting::{self, Setting, settings};
use crate::design::Design;
use crate::registry::{Choice, Entry};

/// What there is to know of an architecture before it is measured.
#[derive(Debug, Serialize)]
pub(super) struct Explained {
    name: &'static str,
    summary: &'static str,
    #[serde(flatten)]
    description: Description,
    tokens: &'static str,
    settings: Vec<Setting>,
    /// A choice of it with as few settings as it can have. What follows is that of this one.
    example: Choice,
    design: Design,
    /// Every number of its design.
    terms: Vec<Term>,
}

/// A number of a design.
#[derive(Debug, Serialize)]
struct Term {
    name: &'static str,
    seconds: f64,
}

/// The names of all architectures.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    ARCHITECTURES.entries.iter().map(|entry| entry.name)
}

impl Explained {
    /// Explains the architecture of a row.
    pub(super) fn of(entry: &Entry<dyn Architecture>) -> Self {
        let mut generator = SchemaGenerator::default();
        let schema = (entry.schema)(&mut generator);
        let doc = schema.get("description").and_then(Value::as_str).unwrap_or_default();
        let example = ARCHITECTURES.examples().into_iter().find(|choice| choice.kind == entry.name);
        let example = example.expect("an architecture with a required setting has an example");
        let part = ARCHITECTURES.resolve(example).expect("an example can be chosen");
        let design = part.design();
        Self {
            name: entry.name,
            summary: entry.summary,
            description: Description::read(doc).expect("every architecture is described in this form"),
            tokens: match part.tokens() {
                Tokens::Any => "opaque tokens and JWTs",
                Tokens::Jwt => "JWTs",
                Tokens::Phantom => "opaque tokens, which a gateway exchanges for JWTs",
                Tokens::Split => "signatures of JWTs, which a gateway completes",
                Tokens::SignedAnswers => "opaque tokens, about which it is given signed answers",
            },
            settings: settings(&schema, &generator),
            example: part.choice().clone(),
            design,
            terms: design.terms().into_iter().map(|(name, seconds)| Term { name, seconds }).collect(),
        }
    }

    /// Everything in words.
    pub(super) fn text(&self) -> String {
        let Description { about, data_flow, specification, revoked_token, cost, .. } = &self.description;
        let mut text = String::new();
        paragraph(&mut text, [0, 2], &format!("{}: {about}", self.name));
        paragraph(&mut text, [0, 2], &format!("It decides on {}.", self.tokens));
        let mut section = |heading: &str, points: &[&str]| {
            write!(text, "\n{heading}\n").expect("text grows");
            for point in points {
                paragraph(&mut text, [2, 4], point);
            }
        };
        let steps: Vec<String> =
            (1..).zip(data_flow).map(|(number, step)| format!("{number}. {step}")).collect();
        section("Data flow", &steps.iter().map(String::as_str).collect::<Vec<_>>());
        section("Specification", &[specification]);
        section("How long a revoked token is accepted", &[revoked_token, &self.bound()]);
        section("Cost", &[cost]);
        section("Without the authorization server", &[&self.description.without_authorization_server]);
        if !self.description.notes.is_empty() {
            section("Notes", &self.description.notes.iter().map(String::as_str).collect::<Vec<_>>());
        }
        setting::add(&mut text, &self.settings);
        text
    }

    /// How long a revoked token is accepted, by the numbers of the example.
    fn bound(&self) -> String {
        let bound = match self.design.accepts_revoked_for(f64::INFINITY) {
            None => "without end".to_owned(),
            Some(seconds) if seconds.is_infinite() => "until the token expires".to_owned(),
            Some(seconds) => {
                let most = bound::most(&self.design, seconds);
                format!("{most} at most, and never past the expiry of the token")
            }
        };
        format!("By design, as {}: {bound}{}.", self.written(), bound::terms(&self.design))
    }

    /// The example as it stands in a scenario.
    fn written(&self) -> String {
        let value = toml::Value::try_from(&self.example).expect("a choice is a text or a table");
        format!("architecture = {value}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::explain::paragraph::COLUMNS;

    fn explained(name: &str) -> Explained {
        Explained::of(ARCHITECTURES.entries.iter().find(|entry| entry.name == name).unwrap())
    }

    #[test]
    fn every_architecture_is_explained_in_one_form_with_all_its_settings_and_numbers() {
        for entry in ARCHITECTURES.entries {
            let explained = Explained::of(entry);
            let text = explained.text();
            assert!(
                text.starts_with(&format!("{}: {}", entry.name, &explained.description.about[..20])),
                "{text}"
            );
            assert!(
                text.lines().all(|line| line.chars().count() <= COLUMNS || line.contains("://")),
                "{text}"
            );
            for heading in
                ["Data flow", "Specification", "Cost", "Without the authorization server", "Settings"]
            {
                assert!(text.contains(&format!("\n{heading}\n  ")), "{heading}: {text}");
            }
            for setting in &explained.settings {
                assert!(
                    !setting.meaning.is_empty() && text.contains(&format!("\n  {} (", setting.name)),
                    "{text}"
                );
            }
            let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
            for Term { name, seconds } in &explained.terms {
                assert!(words.contains(&format!("{name} {seconds} s")), "{words}");
            }
        }
    }

    #[test]
    fn the_bound_of_a_revoked_token_is_that_of_the_design() {
        let bound = |name| explained(name).bound();
        assert!(bound("none").ends_with("\"none\": without end."), "{}", bound("none"));
        assert!(bound("introspection").contains("\"introspection\": 0 s at most"));
        let cached =
            "ttl = \"10s\" }: 10 s at most, and never past the expiry of the token; cache lifetime 10 s.";
        assert!(bound("introspection-cached").ends_with(cached), "{}", bound("introspection-cached"));
        let polled =
            "ttl = \"5s\" }: 5 s and the time of one fetch at most, and never past the expiry of the token;";
        assert!(bound("jwt-status-list").contains(polled), "{}", bound("jwt-status-list"));
        assert!(
            bound("jwt").contains("\"jwt\": until the token expires; key-set age 300 s"),
            "{}",
            bound("jwt")
        );
    }

    #[test]
    fn settings_of_tables_and_their_defaults_are_those_of_the_code() {
        let explained = explained("jwt-deny-list");
        let setting = |name| explained.settings.iter().find(|setting| setting.name == name).unwrap();
        assert!(setting("poll").required && setting("poll").default.is_none());
        assert_eq!(setting("list_limit").default, Some(16_777_216.into()));
        assert_eq!(setting("jwt.library").default, Some("bearerbench".into()));
        assert_eq!(setting("jwt.library").words.len(), 3);
    }
}
