//! Texts that stand for the same bytes as a good token, or for nothing.

use bearerbench::auth::token::{Rejection, Section, base64url};

use super::{CLAIMS, HEADER, Row, SIGNATURE, row};
use crate::workshop::{Key, claims};

const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

pub(super) fn rows(key: &Key) -> Vec<Row> {
    let good = key.good();
    let parts: Vec<&str> = good.split('.').collect();
    let [header, payload, signature] = parts[..] else { panic!("three parts") };
    let not_three = Rejection::NotThreeParts;
    let not_base64url = Rejection::NotBase64Url;
    let mut rows = vec![
        row("no token", "", not_three),
        row("no dot", "garbage", not_three),
        row("two dots alone", "..", Rejection::NotJson(HEADER)),
        row("two parts", format!("{header}.{payload}"), not_three),
        row("four parts", format!("{good}.{signature}"), not_three),
        row("four parts, the last empty", format!("{good}."), not_three),
        row("five parts, as JWE has", format!("{good}.{payload}.{signature}"), not_three),
        row("a dot before", format!(".{good}"), not_three),
        row("other separators", good.replace('.', ":"), not_three),
        row("header empty", key.signed(&format!(".{payload}")), Rejection::NotJson(HEADER)),
        row("claims empty", key.signed(&format!("{header}.")), Rejection::NotJson(CLAIMS)),
        row("signature empty", format!("{header}.{payload}."), Rejection::BadSignature),
        row("1 MB", "a".repeat(1 << 20), Rejection::TooLarge),
        row("1 MB of dots", "a.".repeat(1 << 19), Rejection::TooLarge),
        row(
            "a good token with 1 MB behind it",
            format!("{good}{}", "A".repeat(1 << 20)),
            Rejection::TooLarge,
        ),
        row("four characters behind it", format!("{good}AAAA"), Rejection::BadSignature),
        row("another token behind it", format!("{good},{good}"), not_three),
        row("white space before it", format!(" {good}"), not_base64url(HEADER)),
        row("white space behind it", format!("{good} "), not_base64url(SIGNATURE)),
        row("a line end behind it", format!("{good}\r\n"), not_base64url(SIGNATURE)),
        row("quotes around it", format!("\"{good}\""), not_base64url(HEADER)),
        row("its scheme before it", format!("Bearer {good}"), not_base64url(HEADER)),
        row("letters beyond ASCII", "\u{fc}.\u{fc}.\u{fc}", not_base64url(HEADER)),
        row("JSON instead of base64url", format!("{}.{{}}.{signature}", key.header()), not_base64url(HEADER)),
    ];
    for (section, at) in [(HEADER, 0), (CLAIMS, 1), (SIGNATURE, 2)] {
        rows.extend(parts_of(key, section, at));
    }
    rows
}

/// One part written otherwise. Header and claims are signed as they are written.
fn parts_of(key: &Key, section: Section, at: usize) -> Vec<Row> {
    // Of lengths that leave bits over, so that there are some to set.
    let header = padded(&key.header().to_string());
    let claims = padded(&claims().to_string());
    let signed = key.token(header, claims);
    let parts: Vec<&str> = signed.split('.').collect();
    let part = parts[at];
    let middle = part.len() / 2;
    let cases = [
        ("with padding", format!("{part}{}", &"=="[..(4 - part.len() % 4) % 4])),
        ("with padding although complete", format!("{part}=")),
        ("with stray bits", stray(part)),
        ("with a character more", format!("{part}{}", &"AAAA"[..(5 - part.len() % 4) % 4])),
        ("with the alphabet of base64", format!("{}+/{}", &part[..middle], &part[middle + 2..])),
        ("with a line break", format!("{}\n{}", &part[..middle], &part[middle..])),
        ("with a space", format!("{} {}", &part[..middle], &part[middle + 1..])),
        ("with NUL", format!("{}\0{}", &part[..middle], &part[middle + 1..])),
        ("with a percent escape", format!("{}%41{}", &part[..middle], &part[middle..])),
    ];
    let token = |written: &str| {
        let mut parts = parts.clone();
        parts[at] = written;
        if section == SIGNATURE { parts.join(".") } else { key.signed(&parts[..2].join(".")) }
    };
    let name = |what| format!("{section} {what}");
    cases
        .into_iter()
        .filter(|(_, written)| written != part)
        .map(|(what, written)| row(name(what), token(&written), Rejection::NotBase64Url(section)))
        .collect()
}

/// With white space behind it, so that its base64url ends within a byte.
fn padded(json: &str) -> String {
    let spaces = (4 - json.len() % 3) % 3;
    format!("{json}{}", &"  "[..spaces])
}

/// The same bytes to a decoder that ignores the bits behind the last whole byte.
fn stray(part: &str) -> String {
    // Whole groups leave no bits over.
    if part.len().is_multiple_of(4) {
        return part.to_owned();
    }
    let (body, last) = part.split_at(part.len() - 1);
    let place = ALPHABET.find(last).expect("of the alphabet");
    let other = format!("{body}{}", ALPHABET.chars().nth(place | 1).expect("64 characters"));
    assert!(base64url::decode(&other).is_err() || other == part, "{other}");
    other
}
