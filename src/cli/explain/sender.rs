//! A sender constraint by what its own file says: its row, the doc comment and schema of its settings.

use std::fmt::Write as _;

use schemars::SchemaGenerator;
use serde::Serialize;
use serde_json::Value;

use crate::auth::sender::{SENDER_CONSTRAINTS, SenderConstraint};
use crate::cli::explain::description::SenderDescription;
use crate::cli::explain::paragraph::paragraph;
use crate::cli::explain::setting::{self, Setting, settings};
use crate::registry::Entry;

/// What there is to know of a sender constraint before it is measured.
#[derive(Debug, Serialize)]
pub(super) struct ExplainedSender {
    name: &'static str,
    summary: &'static str,
    #[serde(flatten)]
    description: SenderDescription,
    settings: Vec<Setting>,
}

/// The names of all sender constraints.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    SENDER_CONSTRAINTS.entries.iter().map(|entry| entry.name)
}

impl ExplainedSender {
    /// Explains the sender constraint of a row.
    pub(super) fn of(entry: &Entry<dyn SenderConstraint>) -> Self {
        let mut generator = SchemaGenerator::default();
        let schema = (entry.schema)(&mut generator);
        let doc = schema.get("description").and_then(Value::as_str).unwrap_or_default();
        Self {
            name: entry.name,
            summary: entry.summary,
            description: SenderDescription::read(doc)
                .expect("every sender constraint is described in this form"),
            settings: settings(&schema, &generator),
        }
    }

    /// Everything in words.
    pub(super) fn text(&self) -> String {
        let SenderDescription { about, data_flow, specification, stolen_token, cost, notes } =
            &self.description;
        let mut text = String::new();
        paragraph(&mut text, [0, 2], &format!("{}: {about}", self.name));
        paragraph(
            &mut text,
            [0, 2],
            &format!("A subject has it beside its architecture: sender = {:?}.", self.name),
        );
        let mut section = |heading: &str, points: &[String]| {
            write!(text, "\n{heading}\n").expect("text grows");
            for point in points {
                paragraph(&mut text, [2, 4], point);
            }
        };
        let steps = (1..).zip(data_flow).map(|(number, step)| format!("{number}. {step}"));
        section("Data flow", &steps.collect::<Vec<_>>());
        section("Specification", std::slice::from_ref(specification));
        section("What a stolen token is worth", std::slice::from_ref(stolen_token));
        section("Cost", std::slice::from_ref(cost));
        if !notes.is_empty() {
            section("Notes", notes);
        }
        setting::add(&mut text, &self.settings);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::explain::paragraph::COLUMNS;

    #[test]
    fn every_sender_constraint_is_explained_in_one_form_with_all_its_settings() {
        for entry in SENDER_CONSTRAINTS.entries {
            let explained = ExplainedSender::of(entry);
            let text = explained.text();
            assert!(text.lines().all(|line| line.chars().count() <= COLUMNS), "{text}");
            for heading in ["Data flow", "Specification", "What a stolen token is worth", "Cost", "Settings"]
            {
                assert!(text.contains(&format!("\n{heading}\n  ")), "{heading}: {text}");
            }
            assert!(explained.description.data_flow.len() >= 3, "{text}");
            assert!(!explained.settings.is_empty(), "{text}");
            for setting in &explained.settings {
                assert!(!setting.meaning.is_empty(), "{text}");
                assert!(text.contains(&format!("\n  {} (by default ", setting.name)), "{text}");
            }
        }
    }

    #[test]
    fn a_setting_that_is_a_part_itself_says_of_which_role() {
        let entry = SENDER_CONSTRAINTS.entries.iter().find(|entry| entry.name == "dpop").unwrap();
        let text = ExplainedSender::of(entry).text();
        let line = "algorithm (by default \"ES256\"): a signature scheme of \"bearerbench list\"";
        assert!(text.contains(line), "{text}");
    }
}
