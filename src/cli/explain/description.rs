//! The doc comment of an architecture's settings, which says in one form what it is and does.

use serde::Serialize;

/// What an architecture is and does, in words.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Description {
    /// What it does, in a sentence.
    pub(super) about: String,
    /// The way of a token and of what decides on it, a sentence a step.
    pub(super) data_flow: Vec<String>,
    /// What specifies it.
    pub(super) specification: String,
    /// How long a revoked token is accepted.
    pub(super) revoked_token: String,
    /// What it takes, and where.
    pub(super) cost: String,
    /// What it does while the authorization server cannot be reached.
    pub(super) without_authorization_server: String,
    /// What else there is to know.
    pub(super) notes: Vec<String>,
}

const DATA_FLOW: &str = "Data flow: ";
const SPECIFICATION: &str = "Specification: ";
const REVOKED_TOKEN: &str = "A revoked token ";
const COST: &str = "The cost ";
const WITHOUT_AUTHORIZATION_SERVER: &str = "Without the authorization server ";

/// A doc comment without one of its parts.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum MissingPart {
    /// It begins with a list.
    #[error("no sentence says what it does")]
    About,
    /// The list lacks a bullet.
    #[error("no bullet begins with {0:?}")]
    Bullet(&'static str),
}

impl Description {
    /// Reads a paragraph and a list of bullets, each of which is known by how it begins.
    pub(super) fn read(doc: &str) -> Result<Self, MissingPart> {
        let mut bullets = doc.split("\n* ").map(joined);
        let about = bullets.next().filter(|about| !about.is_empty() && !about.starts_with("* "));
        let about = about.ok_or(MissingPart::About)?;
        let mut notes: Vec<String> = bullets.collect();
        let mut bullet = |opening: &'static str| {
            let position = notes.iter().position(|note| note.starts_with(opening));
            position.map(|position| notes.remove(position)).ok_or(MissingPart::Bullet(opening))
        };
        Ok(Self {
            about,
            data_flow: sentences(&bullet(DATA_FLOW)?[DATA_FLOW.len()..]),
            specification: capitalised(&bullet(SPECIFICATION)?[SPECIFICATION.len()..]),
            revoked_token: bullet(REVOKED_TOKEN)?,
            cost: bullet(COST)?,
            without_authorization_server: bullet(WITHOUT_AUTHORIZATION_SERVER)?,
            notes,
        })
    }
}

/// The lines of a paragraph as one.
fn joined(lines: &str) -> String {
    lines.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn capitalised(words: &str) -> String {
    let mut characters = words.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

/// A full stop ends a sentence if a capital follows it.
fn sentences(words: &str) -> Vec<String> {
    let ends = words.match_indices(". ").map(|(dot, _)| dot + 1);
    let ends = ends.filter(|end| words[end + 1..].starts_with(|first: char| first.is_ascii_uppercase()));
    let mut sentences = Vec::new();
    let mut start = 0;
    for end in ends.chain([words.len()]) {
        sentences.push(capitalised(words[start..end].trim_start()));
        start = end;
    }
    sentences
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOC: &str = "Asks\nan oracle.\n\n* Data flow: a question goes out (RFC 1 section 2.3). The answer\n  comes back. Nobody waits.\n\
                       * Specification: none.\n* A revoked token is accepted once.\n* The list is short.\n* The cost is nothing.\n\
                       * Without the authorization server nothing works.";

    #[test]
    fn a_doc_comment_is_read_bullet_by_bullet_and_the_rest_kept_as_notes() {
        let description = Description::read(DOC).unwrap();
        assert_eq!(description.about, "Asks an oracle.");
        let steps = ["A question goes out (RFC 1 section 2.3).", "The answer comes back.", "Nobody waits."];
        assert_eq!(description.data_flow, steps);
        assert_eq!(description.specification, "None.");
        assert_eq!(description.cost, "The cost is nothing.");
        assert_eq!(description.notes, ["The list is short."]);
    }

    #[test]
    fn a_doc_comment_without_one_of_its_parts_is_refused_with_the_name_of_that_part() {
        for (bullet, part) in [
            ("* Data flow: ", DATA_FLOW),
            ("* Specification: ", SPECIFICATION),
            ("* A revoked token ", REVOKED_TOKEN),
            ("* The cost ", COST),
            ("* Without the authorization server ", WITHOUT_AUTHORIZATION_SERVER),
        ] {
            let without = DOC.replace(bullet, "* Else: ");
            assert_eq!(Description::read(&without), Err(MissingPart::Bullet(part)));
        }
        let list = DOC.replace("Asks\nan oracle.\n\n", "");
        assert_eq!(Description::read(&list), Err(MissingPart::About));
        assert_eq!(Description::read(""), Err(MissingPart::About));
    }
}
