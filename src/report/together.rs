//! A number and its unit, on one line.

/// A text in which no line breaks between a number and its unit.
pub(super) fn together(text: &str) -> String {
    const UNITS: [&str; 8] = ["s", "ms", "µs", "min", "h", "KB", "MB", "%"];
    let mut words = text.split(' ').peekable();
    let mut joined = String::with_capacity(text.len());
    while let Some(word) = words.next() {
        joined.push_str(word);
        let is_unit = |next: &&str| UNITS.contains(&next.trim_end_matches([',', '.', '?', ':', ';']));
        let is_number = word.ends_with(|last: char| last.is_ascii_digit());
        match words.peek() {
            Some(next) if is_number && is_unit(next) => joined.push('\u{a0}'),
            Some(_) => joined.push(' '),
            None => {}
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_breaks_between_a_number_and_its_unit() {
        assert_eq!(together("a limit of 1 s, 10 s or 60 s?"), "a limit of 1\u{a0}s, 10\u{a0}s or 60\u{a0}s?");
        for plain in ["", "What does 1 signature cost?", "a  b ", "10 so"] {
            assert_eq!(together(plain), plain);
        }
    }
}
