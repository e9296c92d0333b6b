//! How requests ended, by what was to become of them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What became of a request that was refused because its token had expired, as it stands among the errors.
pub const TOKEN_EXPIRED: &str = "token expired";

/// How requests ended, by count.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Outcomes {
    /// By the class of their tokens: valid, or what is bad about them.
    pub classes: Classes,
    /// How often requests were sent again that no server is taken to have processed, by why: it refused them unprocessed (RFC 9113 section
    /// 8.7), or they crossed the close of an idle connection (RFC 9112 section 9.3.1). Beside the others: each of these
    /// requests counts there once, by how it ended.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sent_again: BTreeMap<String, u64>,
}

/// How the requests with one class of tokens ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ended {
    /// Requests the schedule asked for.
    pub planned: u64,
    /// Requests that were sent.
    pub sent: u64,
    /// Those that were accepted (status 2xx).
    #[serde(default, skip_serializing_if = "is_zero")]
    pub accepted: u64,
    /// Those that were refused (status 401 or 403).
    #[serde(default, skip_serializing_if = "is_zero")]
    pub refused: u64,
    /// Requests that were neither, by what happened: a status, a broken connection, a time-out.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub errors: BTreeMap<String, u64>,
}

/// A few names and what belongs to each, in the order in which they came: a map in a file, and small in memory, where there is one for
/// every second of a run. The names are those of the run, which its seconds share.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Classes(Vec<(Arc<str>, Ended)>);

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Outcomes {
    /// None yet of these classes, which are known by their numbers from here on.
    pub fn of_classes(names: &[Arc<str>]) -> Self {
        let classes = names.iter().map(|name| (Arc::clone(name), Ended::default())).collect();
        Self { classes: Classes(classes), sent_again: BTreeMap::new() }
    }

    /// The class with that number.
    ///
    /// # Panics
    /// If there is none.
    pub fn numbered(&mut self, class: usize) -> &mut Ended {
        &mut self.classes.0[class].1
    }

    /// The class of that name, which is there afterwards.
    pub fn class_mut(&mut self, name: &str) -> &mut Ended {
        let known = self.classes.0.iter().position(|(known, _)| **known == *name);
        let index = known.unwrap_or_else(|| {
            self.classes.0.push((Arc::from(name), Ended::default()));
            self.classes.0.len() - 1
        });
        &mut self.classes.0[index].1
    }

    /// Every class with its name.
    pub fn by_class(&self) -> impl Iterator<Item = (&str, &Ended)> {
        self.classes.0.iter().map(|(name, ended)| (&**name, ended))
    }

    /// How the requests with that class of tokens ended, if there are any.
    pub fn of(&self, class: &str) -> Option<&Ended> {
        self.by_class().find(|(name, _)| *name == class).map(|(_, ended)| ended)
    }

    fn sum(&self, of: fn(&Ended) -> u64) -> u64 {
        self.classes.0.iter().map(|(_, ended)| of(ended)).sum()
    }

    /// Requests the schedule asked for.
    pub fn planned(&self) -> u64 {
        self.sum(|ended| ended.planned)
    }

    /// Requests that were sent.
    pub fn sent(&self) -> u64 {
        self.sum(|ended| ended.sent)
    }

    /// Requests that were accepted.
    pub fn accepted(&self) -> u64 {
        self.sum(|ended| ended.accepted)
    }

    /// Requests that were refused.
    pub fn refused(&self) -> u64 {
        self.sum(|ended| ended.refused)
    }

    /// Requests that were neither accepted nor refused, by what happened.
    pub fn errors(&self) -> BTreeMap<String, u64> {
        let mut sum = BTreeMap::new();
        self.classes.0.iter().for_each(|(_, ended)| add_counts(&mut sum, &ended.errors));
        sum
    }

    /// Requests that were accepted or refused.
    pub fn answered(&self) -> u64 {
        self.accepted() + self.refused()
    }

    /// Requests that ended in any way: each must, in exactly one.
    pub fn ended(&self) -> u64 {
        self.answered() + self.sum(|ended| ended.errors.values().sum())
    }

    /// Requests that got an answer, whatever it said.
    pub(super) fn with_status(&self) -> u64 {
        let is_status = |kind: &str| kind.starts_with("status ") || kind == TOKEN_EXPIRED;
        let errors = self.errors();
        self.answered()
            + errors.iter().filter(|(kind, _)| is_status(kind)).map(|(_, count)| count).sum::<u64>()
    }

    /// Counts everything that `other` counted.
    pub fn add(&mut self, other: &Self) {
        for (name, ended) in other.by_class() {
            self.class_mut(name).add(ended);
        }
        add_counts(&mut self.sent_again, &other.sent_again);
    }

    /// At rest: without the classes of which nothing was due.
    pub(super) fn at_rest(&self) -> Self {
        let seen = || self.classes.0.iter().filter(|(_, ended)| *ended != Ended::default());
        // As much room as is needed: there is one of these for every second of a run.
        let mut classes = Vec::with_capacity(seen().count());
        classes.extend(seen().cloned());
        Self { classes: Classes(classes), sent_again: self.sent_again.clone() }
    }

    /// Forgets every count, but not the classes.
    pub(super) fn reset(&mut self) {
        self.classes.0.iter_mut().for_each(|(_, ended)| *ended = Ended::default());
        self.sent_again.clear();
    }
}

impl Ended {
    /// Requests that were accepted or refused.
    pub fn answered(&self) -> u64 {
        self.accepted + self.refused
    }

    fn add(&mut self, other: &Self) {
        self.planned += other.planned;
        self.sent += other.sent;
        self.accepted += other.accepted;
        self.refused += other.refused;
        add_counts(&mut self.errors, &other.errors);
    }
}

fn add_counts(sum: &mut BTreeMap<String, u64>, counts: &BTreeMap<String, u64>) {
    for (name, count) in counts {
        *sum.entry(name.clone()).or_default() += count;
    }
}

impl Serialize for Classes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, ended) in &self.0 {
            map.serialize_entry(&**name, ended)?;
        }
        map.end()
    }
}

impl JsonSchema for Classes {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Classes".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        BTreeMap::<String, Ended>::json_schema(generator)
    }
}

impl<'de> Deserialize<'de> for Classes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ClassesVisitor)
    }
}

struct ClassesVisitor;

impl<'de> Visitor<'de> for ClassesVisitor {
    type Value = Classes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("how requests ended, by the class of their tokens")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Classes, M::Error> {
        let mut classes = Vec::new();
        while let Some((name, ended)) = map.next_entry::<String, Ended>()? {
            classes.push((Arc::from(name), ended));
        }
        classes.shrink_to_fit();
        Ok(Classes(classes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observation::VALID;

    #[test]
    fn classes_are_kept_apart_and_those_of_which_nothing_was_due_are_left_out_of_the_file() {
        let mut outcomes = Outcomes::of_classes(&["valid", "expired", "garbage"].map(Arc::from));
        *outcomes.numbered(0) = Ended { planned: 5, sent: 4, accepted: 3, ..Ended::default() };
        outcomes.class_mut(VALID).errors.insert("timed out".to_owned(), 2);
        *outcomes.numbered(1) = Ended { planned: 1, sent: 1, refused: 1, ..Ended::default() };
        let text = serde_json::to_string(&outcomes.at_rest()).unwrap();
        let expected = r#"{"classes":{"valid":{"planned":5,"sent":4,"accepted":3,"errors":{"timed out":2}},"expired":{"planned":1,"sent":1,"refused":1}}}"#;
        assert_eq!(text, expected);
        let mut twice: Outcomes = serde_json::from_str(&text).unwrap();
        assert_eq!(twice, outcomes.at_rest());
        twice.add(&outcomes);
        assert_eq!((twice.planned(), twice.sent(), twice.accepted(), twice.refused()), (12, 10, 6, 2));
        assert_eq!((twice.ended(), twice.with_status()), (12, 8));
        outcomes.reset();
        assert_eq!(outcomes, Outcomes::of_classes(&["valid", "expired", "garbage"].map(Arc::from)));
    }
}
