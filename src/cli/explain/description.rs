//! The doc comment of the settings of an architecture or a sender constraint, which says in one form what it is and does.

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

/// What a sender constraint is and does, in words.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct SenderDescription {
    /// What it does, in a sentence.
    pub(super) about: String,
    /// The way of a token and of what shows whose it is, a sentence a step.
    pub(super) data_flow: Vec<String>,
    /// What specifies it.
    pub(super) specification: String,
    /// What a thief has of a token.
    pub(super) stolen_token: String,
    /// What it takes, and where.
    pub(super) cost: String,
    /// What else there is to know.
    pub(super) notes: Vec<String>,
}

/// A paragraph, and the bullets behind it that nobody has taken yet.
struct Bullets {
    about: String,
    left: Vec<String>,
}

const DATA_FLOW: &str = "Data flow: ";
const SPECIFICATION: &str = "Specification: ";
const REVOKED_TOKEN: &str = "A revoked token ";
const STOLEN_TOKEN: &str = "A stolen token ";
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
        let mut bullets = Bullets::read(doc)?;
        Ok(Self {
            data_flow: bullets.data_flow()?,
            specification: bullets.specification()?,
            revoked_token: bullets.take(REVOKED_TOKEN)?,
            cost: bullets.take(COST)?,
            without_authorization_server: bullets.take(WITHOUT_AUTHORIZATION_SERVER)?,
            about: bullets.about,
            notes: bullets.left,
        })
    }
}

impl SenderDescription {
    /// The same of a sender constraint.
    pub(super) fn read(doc: &str) -> Result<Self, MissingPart> {
        let mut bullets = Bullets::read(doc)?;
        Ok(Self {
            data_flow: bullets.data_flow()?,
            specification: bullets.specification()?,
            stolen_token: bullets.take(STOLEN_TOKEN)?,
            cost: bullets.take(COST)?,
            about: bullets.about,
            notes: bullets.left,
        })
    }
}

impl Bullets {
    fn read(doc: &str) -> Result<Self, MissingPart> {
        let mut bullets = doc.split("\n* ").map(joined);
        let about = bullets.next().filter(|about| !about.is_empty() && !about.starts_with("* "));
        Ok(Self { about: about.ok_or(MissingPart::About)?, left: bullets.collect() })
    }

    fn take(&mut self, opening: &'static str) -> Result<String, MissingPart> {
        let position = self.left.iter().position(|bullet| bullet.starts_with(opening));
        position.map(|position| self.left.remove(position)).ok_or(MissingPart::Bullet(opening))
    }

    fn data_flow(&mut self) -> Result<Vec<String>, MissingPart> {
        Ok(sentences(&self.take(DATA_FLOW)?[DATA_FLOW.len()..]))
    }

    fn specification(&mut self) -> Result<String, MissingPart> {
        Ok(capitalised(&self.take(SPECIFICATION)?[SPECIFICATION.len()..]))
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

    #[test]
    fn the_doc_comment_of_a_sender_constraint_says_what_a_stolen_token_is_worth() {
        let doc = DOC.replace("* A revoked token is accepted once.", "* A stolen token is worth nothing.");
        let description = SenderDescription::read(&doc).unwrap();
        assert_eq!(description.stolen_token, "A stolen token is worth nothing.");
        assert_eq!(description.notes.len(), 2, "{:?}", description.notes);
        assert_eq!(SenderDescription::read(DOC), Err(MissingPart::Bullet(STOLEN_TOKEN)));
    }
}
