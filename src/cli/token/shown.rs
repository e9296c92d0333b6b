//! Texts out of a token, safe to show: a claim may hold whatever moves a cursor or turns the direction of writing.

use std::cmp::Ordering;
use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use serde::Serialize;

use crate::auth::token::UnixTime;

/// JSON on several lines, with every character escaped that does not simply print. It stays the same JSON.
pub(super) fn json(value: &impl Serialize) -> String {
    printable(&serde_json::to_string_pretty(value).expect("it came out of JSON"))
}

/// A text of a token in quotes.
pub(super) fn quoted(text: &str) -> String {
    // JSON's own escapes, so that text and JSON show it alike.
    printable(&serde_json::to_string(text).expect("a string is JSON"))
}

/// JSON on one line.
pub(super) fn line(value: &impl Serialize) -> String {
    printable(&serde_json::to_string(value).expect("it came out of JSON"))
}

/// A date and how far it is from now: `2026-07-01T12:00:00Z, 3m ago`.
pub(super) fn date(date: UnixTime, now: UnixTime) -> String {
    format!("{}, {}", day(date), distance(date, now))
}

/// A date as RFC 3339 writes it.
pub(super) fn day(date: UnixTime) -> String {
    // The last second that RFC 3339 can write.
    const LAST: u64 = 253_402_300_799;
    if date.secs() > LAST {
        return format!("{} s since 1970", date.secs());
    }
    humantime::format_rfc3339_seconds(SystemTime::UNIX_EPOCH + Duration::from_secs(date.secs())).to_string()
}

/// `in 3m 5s`, or `3m 5s ago`, in the two largest units.
pub(super) fn distance(date: UnixTime, now: UnixTime) -> String {
    let length = Duration::from_secs(date.secs().abs_diff(now.secs()));
    let length = humantime::format_duration(length).to_string();
    let length = length.split(' ').take(2).collect::<Vec<_>>().join(" ");
    match date.cmp(&now) {
        Ordering::Equal => "now".to_owned(),
        Ordering::Greater => format!("in {length}"),
        Ordering::Less => format!("{length} ago"),
    }
}

fn printable(json: &str) -> String {
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
}
