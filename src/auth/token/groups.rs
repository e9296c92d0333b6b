//! The groups of whom a token speaks for: what makes the tokens of large estates large.

use std::sync::Arc;

use serde::{Serialize, Serializer};

/// The claim `groups` (RFC 9068 section 2.2.3.1, RFC 7643 section 4.1.2). Clones share the names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Groups(Option<Arc<[String]>>);

/// What the claim takes in JSON beside its names: the comma before it too.
const AROUND: usize = r#","groups":[]"#.len();
/// What each name takes beside its characters: quotes, and a comma but for the last.
const AROUND_NAME: usize = r#""","#.len();
/// Characters of a name, as long as the GUIDs by which directories name groups.
const NAME: usize = 36;

impl Groups {
    /// As many as make claims in JSON larger by exactly so many bytes, from 15 on; none for 0.
    pub fn filling(bytes: u32) -> Self {
        if bytes == 0 {
            return Self::default();
        }
        // The last name has no comma behind it.
        let mut left = (bytes as usize + 1).saturating_sub(AROUND).max(AROUND_NAME);
        let mut names = Vec::new();
        while left > 0 {
            let whole = NAME + AROUND_NAME;
            // What is left for the last is never too short for a name.
            let part = if left < 2 * whole { left } else { whole };
            names.push(name(names.len(), part - AROUND_NAME));
            left -= part;
        }
        Self(Some(names.into()))
    }

    /// Those with these names.
    pub fn of(names: Vec<String>) -> Self {
        Self(Some(names.into()))
    }

    /// Whether there are none.
    pub fn is_none(&self) -> bool {
        self.0.is_none()
    }
}

/// So many characters.
fn name(number: usize, characters: usize) -> String {
    let mut name = format!("department-{:03}/team-{:02}/role-", number / 10, number % 10);
    let missing = characters.saturating_sub(name.len());
    name.extend(std::iter::repeat_n('r', missing));
    name.truncate(characters);
    name
}

impl Serialize for Groups {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().flat_map(|names| names.iter()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn claims_grow_by_exactly_what_is_asked_for_and_nearly_all_names_differ() {
        let size = |groups: &Groups| {
            let mut claims = json!({ "sub": "a" });
            let bare = claims.to_string().len();
            if !groups.is_none() {
                claims["groups"] = serde_json::to_value(groups).unwrap();
            }
            claims.to_string().len() - bare
        };
        for bytes in [0, 15, 16, 50, 89, 90, 91, 128, 129, 300, 1_000, 8_000, 16_384] {
            assert_eq!(size(&Groups::filling(bytes)), bytes as usize);
        }
        assert_eq!(size(&Groups::filling(1)), 14, "one name without characters");
        let Some(names) = Groups::filling(8_000).0 else { panic!("8 KB hold names") };
        let different: std::collections::HashSet<_> = names.iter().collect();
        assert!(names.len() == different.len() && names.len() > 200, "{}", names.len());
    }
}
