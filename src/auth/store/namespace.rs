//! What the names of everything begin with that a store keeps in a program of others, which may keep more.

use crate::auth::store::StoreError;

/// The longest name of PostgreSQL.
const LONGEST: usize = 63;

/// That of whoever has the program alone.
pub(super) fn default() -> String {
    "bearerbench".to_owned()
}

/// The same name, if it needs to be quoted nowhere.
pub(super) fn checked(namespace: &str) -> Result<&str, StoreError> {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let begins_well = namespace.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
    if begins_well && namespace.len() <= LONGEST && namespace.bytes().all(is_plain) {
        return Ok(namespace);
    }
    Err(StoreError(format!(
        "{namespace:?} is no namespace; expected up to {LONGEST} lower-case letters, digits and _, a letter first"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_would_have_to_be_quoted_is_refused() {
        for namespace in [&default(), "a", "bench_01"] {
            assert_eq!(checked(namespace).unwrap(), namespace);
        }
        for namespace in ["", "1a", "A", "a;b", "a*", "a\"", &"a".repeat(64)] {
            assert!(checked(namespace).unwrap_err().to_string().contains("is no namespace"));
        }
    }
}
