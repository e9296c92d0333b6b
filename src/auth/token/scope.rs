//! Scopes: words with single spaces between them (RFC 6749 section 3.3).

/// Whether this word is in a scope.
pub fn names(scope: &str, word: &str) -> bool {
    scope.split(' ').any(|known| known == word)
}

/// Whether every word of `asked` is in `allowed`.
pub fn is_within(asked: &str, allowed: &str) -> bool {
    asked.split(' ').all(|word| names(allowed, word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_within_another_if_that_has_each_of_its_words_whole() {
        for (asked, allowed, within) in [
            ("read", "read", true),
            ("read", "write read", true),
            ("write read", "read write", true),
            ("read admin", "read write", false),
            ("rea", "read", false),
            ("read", "reads", false),
            ("read", "", false),
            // A token that allows nothing is no answer to who asks for nothing in particular.
            ("", "read", false),
        ] {
            assert_eq!(is_within(asked, allowed), within, "{asked:?} in {allowed:?}");
        }
    }
}
