//! Which line of a file something stands on.

use toml_edit::Document;

/// The line, from 1, of the byte at `at`.
pub(super) fn of_byte(text: &str, at: usize) -> usize {
    1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count()
}

/// The line of the key at `path`, like `subject[1].architecture`, or of the innermost table around it that
/// the text has. `None` if it has none.
pub(super) fn of_key(text: &str, path: &str) -> Option<usize> {
    let document = Document::parse(text).ok()?;
    let mut item = document.as_item();
    let mut span = None;
    for step in path.split(['.', '[']).map(|step| step.trim_end_matches(']')) {
        let inner = match step.parse::<usize>() {
            Ok(index) => item.get(index),
            Err(_) => item.get(step),
        };
        let Some(inner) = inner else { break };
        item = inner;
        span = item.span().or(span);
    }
    span.map(|span| of_byte(text, span.start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_in_every_way_in_which_toml_writes_them() {
        let text = "a = 1\n[b]\nc = 2\nd = { e = 3 }\nf = [\n  4,\n  5,\n]\n[[g]]\nh = 6\n[[g]]\nh = 7\n";
        for (path, line) in [
            ("a", 1),
            ("b", 2),
            ("b.c", 3),
            ("b.d.e", 4),
            ("b.f[1]", 7),
            ("g[0].h", 10),
            ("g[1]", 11),
            ("g[1].h", 12),
        ] {
            assert_eq!(of_key(text, path), Some(line), "{path}");
        }
    }

    #[test]
    fn a_key_that_is_not_there_is_looked_for_in_the_table_around_it() {
        let text = "a = 1\n[b]\nc = 2\n";
        assert_eq!(of_key(text, "b.x.y"), Some(2));
        assert_eq!(of_key(text, "x"), None);
    }
}
