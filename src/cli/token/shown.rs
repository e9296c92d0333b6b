//! Texts out of a token, safe to show: a claim may hold whatever moves a cursor or turns the direction of writing.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::value::RawValue;

/// JSON on several lines, with every character escaped that does not simply print. It stays the same JSON.
pub(super) fn json(value: &impl Serialize) -> String {
    printable(&laid_out(&serde_json::to_string(value).expect("it came out of JSON")))
}

/// A text of a token in quotes.
pub(super) fn quoted(text: &str) -> String {
    // JSON's own escapes, so that text and JSON show it alike.
    printable(&serde_json::to_string(text).expect("a string is JSON"))
}

/// JSON on one line.
pub(super) fn line(json: &RawValue) -> String {
    printable(&compact(json.get()))
}

/// JSON without the layout that it came in. What it says stays as it is written, which a parser would not keep.
pub(super) fn compact(json: &str) -> String {
    scanned(json).map(|(character, _)| character).collect()
}

/// JSON on several lines, with the values as they are written.
fn laid_out(json: &str) -> String {
    let mut text = String::with_capacity(2 * json.len());
    let mut depth: usize = 0;
    let line = |depth: usize| format!("\n{}", "  ".repeat(depth.min(DEEPEST)));
    for (character, is_text) in scanned(json) {
        match character {
            _ if is_text => text.push(character),
            '{' | '[' => {
                depth += 1;
                text.push(character);
                text.push_str(&line(depth));
            }
            '}' | ']' => {
                depth -= 1;
                let content = text.trim_end().len();
                if text[..content].ends_with(['{', '[']) {
                    text.truncate(content);
                } else {
                    text.push_str(&line(depth));
                }
                text.push(character);
            }
            ',' => {
                text.push(character);
                text.push_str(&line(depth));
            }
            ':' => text.push_str(": "),
            _ => text.push(character),
        }
    }
    text
}

/// Nobody indents further; and what a token nests 10,000 deep does not fill the memory.
const DEEPEST: usize = 20;

/// The characters of JSON without layout, and whether each is within a text.
fn scanned(json: &str) -> impl Iterator<Item = (char, bool)> {
    let (mut within, mut escaped) = (false, false);
    json.chars().filter_map(move |character| {
        let is_text = within;
        if within {
            within = escaped || character != '"';
            escaped = character == '\\' && !escaped;
        } else {
            within = character == '"';
        }
        (is_text || !character.is_ascii_whitespace()).then_some((character, is_text))
    })
}

/// Escapes what does not simply print, as JSON does.
pub(super) fn printable(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    for character in json.chars() {
        // Line breaks are layout here: those of a string are escaped by JSON already.
        if character == '\n' || character.is_ascii_graphic() || character == ' ' || prints(character) {
            shown.push(character);
        } else {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                write!(shown, "\\u{unit:04x}").expect("a string takes every text");
            }
        }
    }
    shown
}

/// Neither a control or format character, nor one that joins another, nor one that Unicode has not assigned.
fn prints(character: char) -> bool {
    character.escape_debug().len() == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_command_a_terminal_is_escaped_and_means_the_same_json() {
        let texts =
            ["\x1b[2J", "\x07", "a\u{9b}31m", "\u{202e}gpj.exe", "\u{7f}", "\r\n", "\u{e0041}", "\u{200b}"];
        for text in texts {
            let shown = quoted(text);
            assert!(shown.chars().all(|character| character.is_ascii_graphic()), "{shown}");
            assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), text, "{shown}");
        }
        assert_eq!(quoted("Müller 李 😀 \"x\""), "\"Müller 李 😀 \\\"x\\\"\"");
        assert_eq!(json(&["a\x1b"]), "[\n  \"a\\u001b\"\n]");
    }

    #[test]
    fn json_is_laid_out_anew_and_says_what_it_said_as_it_said_it() {
        let cases = [
            ("{ }", "{}"),
            ("[1e400,\t-0.10]", "[\n  1e400,\n  -0.10\n]"),
            (
                r#"{"a" : [ ] , "b":{"c":12345678901234567890}}"#,
                "{\n  \"a\": [],\n  \"b\": {\n    \"c\": 12345678901234567890\n  }\n}",
            ),
            (r#"{"a{,\"":"]\\"}"#, "{\n  \"a{,\\\"\": \"]\\\\\"\n}"),
        ];
        for (written, shown) in cases {
            assert_eq!(laid_out(written), shown);
            assert_eq!(compact(shown), compact(written));
        }
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(compact(&laid_out(&deep)), deep);
    }
}
