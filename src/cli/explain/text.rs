//! Token sizes and header limits as tables for a terminal of 100 columns.

use std::fmt::Write as _;

use crate::auth::token::signature::Conformance;
use crate::cli::explain::paragraph::paragraph;
use crate::cli::explain::token_size::{Row, Scheme, TokenLimit, TokenSize, TokenSizes};
use crate::metric::thousands;

/// Columns of claims that fit beside the names.
const ACROSS: usize = 5;

const ABOUT: &str = "\
Characters of a bearer token by signature scheme (rows) and size of its claims in JSON (columns).
A letter: the token exceeds the default limit of that letter below, and every limit before it.
* no standard names the scheme today, or its library is not known to conform: see the second table.
";

const ABOUT_LIMITS: &str = "\
Default limits, strictest first. \"token\" is the largest token, in characters, that fits beside an
otherwise ordinary request (107 bytes). Where a limit covers all headers, cookies and trace headers
leave less room for the token. Every hop (proxy, gateway, server) has its own limit.
";

const WRONG: &str = " !";
const UNVERIFIED: &str = " ?";

/// Marks behind schemes whose library does not conform as far as is known, and what they mean.
const MARKS: [(&str, &str); 2] = [
    (WRONG, "its library accepts forgeries"),
    (UNVERIFIED, "no published vectors show whether its library decides correctly"),
];

/// Everything in words and tables.
pub(super) fn of(sizes: &TokenSizes) -> String {
    let mut text = format!("{ABOUT}\n");
    for columns in (0..sizes.claims_bytes.len()).collect::<Vec<_>>().chunks(ACROSS) {
        align(&mut text, 1, &characters(sizes, columns));
        text.push('\n');
    }
    align(&mut text, 2, &schemes(&sizes.tokens));
    for (mark, meaning) in MARKS {
        if sizes
            .tokens
            .iter()
            .filter_map(|row| row.signature.as_ref())
            .any(|scheme| conformance(scheme) == mark)
        {
            writeln!(text, "{}: {meaning}.", mark.trim_start()).expect("text grows");
        }
    }
    writeln!(text, "\n{ABOUT_LIMITS}").expect("text grows");
    align(&mut text, 3, &limits(&sizes.limits));
    text.push_str(&cookie(sizes));
    text.push_str("\nSetting that changes each limit, and its documentation:\n");
    for (index, TokenLimit { limit, .. }) in sizes.limits.iter().enumerate() {
        let letter = letter(index);
        writeln!(text, "{letter}  {}: {}\n   {}", limit.server, limit.setting, limit.source)
            .expect("text grows");
    }
    text
}

fn characters(sizes: &TokenSizes, columns: &[usize]) -> Vec<Vec<String>> {
    let headings = columns.iter().map(|column| format!("{}  ", sizes.claims_bytes[*column]));
    let mut rows = vec![std::iter::once("claims".to_owned()).chain(headings).collect()];
    for row in &sizes.tokens {
        let is_sound = row.signature.as_ref().is_none_or(|signature| signature.is_sound);
        let name = format!("{}{}", row.name, if is_sound { "" } else { " *" });
        let cells = columns.iter().map(|column| marked(&row.sizes[*column]));
        rows.push(std::iter::once(name).chain(cells).collect());
    }
    rows
}

/// What stands behind the name of a scheme.
fn conformance(scheme: &Scheme) -> &'static str {
    match scheme.known {
        Conformance::Conforming { .. } => "",
        Conformance::NonConforming { .. } | Conformance::Faulty { .. } => WRONG,
        Conformance::Unverified { .. } => UNVERIFIED,
    }
}

/// A number and the letter of the most generous limit that it exceeds.
fn marked(size: &TokenSize) -> String {
    let letter = size.refused_by.len().checked_sub(1).map_or(' ', letter);
    format!("{} {letter}", thousands(&size.characters.to_string()))
}

fn letter(index: usize) -> char {
    ('a'..='z').nth(index).expect("fewer limits than letters")
}

fn schemes(tokens: &[Row]) -> Vec<Vec<String>> {
    let headings = ["scheme", "backed by", "PQ", "signature", "public key", "JWKS entry"];
    let mut rows = vec![headings.map(str::to_owned).to_vec()];
    for row in tokens {
        let Some(signature) = &row.signature else { continue };
        let mark = conformance(signature);
        let secret = || "secret".to_owned();
        let public_key = if signature.jwks_entry_bytes.is_none() {
            secret()
        } else {
            bytes(signature.public_key_bytes as usize)
        };
        rows.push(vec![
            format!("{}{mark}", row.name),
            signature.backed_by.to_owned(),
            if signature.post_quantum { "yes" } else { "no" }.to_owned(),
            bytes(signature.signature_bytes as usize),
            public_key,
            signature.jwks_entry_bytes.map_or_else(secret, bytes),
        ]);
    }
    rows
}

fn limits(limits: &[TokenLimit]) -> Vec<Vec<String>> {
    let headings = ["   server", "limit of", "how it is known", "limit", "token"];
    let mut rows = vec![headings.map(str::to_owned).to_vec()];
    for (index, TokenLimit { limit, largest_token }) in limits.iter().enumerate() {
        rows.push(vec![
            format!("{}  {}", letter(index), limit.server),
            limit.scope.to_string(),
            limit.known.to_string(),
            bytes(limit.bytes as usize),
            thousands(&largest_token.to_string()),
        ]);
    }
    rows
}

/// Which schemes still fit a cookie, column by column.
fn cookie(sizes: &TokenSizes) -> String {
    let TokenLimit { limit, largest_token } = &sizes.cookie;
    let mut text = format!(
        "\nBrowsers need not store a cookie larger than {}, name and attributes included: {} characters\nare left for a token:\n  {}\n",
        bytes(limit.bytes as usize),
        thousands(&largest_token.to_string()),
        limit.source,
    );
    for (column, claims) in sizes.claims_bytes.iter().enumerate() {
        let fitting = |row: &&Row| row.sizes[column].fits_cookie;
        let names: Vec<&str> = sizes.tokens.iter().filter(fitting).map(|row| row.name.as_str()).collect();
        let names = if names.len() == sizes.tokens.len() { "every one".to_owned() } else { names.join(", ") };
        paragraph(&mut text, [0, 2], &format!("Claims of {claims} fit a cookie with: {names}."));
    }
    text
}

fn bytes(count: usize) -> String {
    format!("{} B", thousands(&count.to_string()))
}

/// Columns two spaces apart, so many of the first ones to the left, the others to the right.
fn align(text: &mut String, left: usize, rows: &[Vec<String>]) {
    let widest =
        |column: usize| rows.iter().map(|row: &Vec<String>| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..rows.first().map_or(0, Vec::len)).map(widest).collect();
    for row in rows {
        let mut line = String::new();
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let gap = if column == 0 { "" } else { "  " };
            let written = if column < left {
                write!(line, "{gap}{cell:width$}")
            } else {
                write!(line, "{gap}{cell:>width$}")
            };
            written.expect("text grows");
        }
        writeln!(text, "{}", line.trim_end()).expect("text grows");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::explain::token_size::SEEN;
    use crate::header_limit::LIMITS;

    #[test]
    fn the_tables_fit_a_terminal_of_100_columns_and_name_every_limit() {
        let text = of(&TokenSizes::of(&SEEN));
        for line in text.lines().filter(|line| !line.contains("https://")) {
            assert!(line.chars().count() <= 100, "{line}");
        }
        for limit in LIMITS {
            assert!(text.contains(limit.source), "{}", limit.server);
        }
        let opaque = text.lines().find(|line| line.starts_with("opaque ")).unwrap();
        assert_eq!(opaque.split_whitespace().collect::<Vec<_>>(), ["opaque", "43", "43", "43", "43", "43"]);
    }

    #[test]
    fn forgeries_are_said_only_of_libraries_that_are_known_to_decide_wrongly() {
        let sizes = TokenSizes::of(&SEEN);
        let text = of(&sizes);
        let signatures =
            || sizes.tokens.iter().filter_map(|row| Some((row.name.as_str(), row.signature.as_ref()?)));
        for (name, signature) in signatures() {
            let wrong = text.contains(&format!("\n{name} !"));
            assert_eq!(wrong, signature.conformance.starts_with("NOT conforming"), "{name}");
            let unverified = text.contains(&format!("\n{name} ?"));
            assert_eq!(unverified, signature.conformance.starts_with("no peer vectors"), "{name}");
        }
        let wrong = signatures().any(|(_, signature)| !signature.known.is_trusted());
        assert_eq!(text.contains("!: its library accepts forgeries"), wrong);
        assert!(text.contains("?: no published vectors show"), "the control has none");
    }

    #[test]
    fn a_letter_is_that_of_the_most_generous_limit_that_is_exceeded() {
        let sizes = TokenSizes::of(&["16KB".parse().unwrap()]);
        let size = &sizes.tokens.iter().find(|row| row.name == "ES256").unwrap().sizes[0];
        let letter = marked(size).chars().last().unwrap();
        let place = sizes.limits.iter().rposition(|limit| (limit.largest_token as usize) < size.characters);
        assert_eq!(('a'..='z').position(|other| other == letter), place);
        assert_eq!(marked(&sizes.tokens[0].sizes[0]), "43  ", "an opaque token fits everywhere");
    }

    #[test]
    fn more_sizes_than_fit_are_shown_below_one_another() {
        let sizes: Vec<_> = (1..=8).map(|kilobytes| format!("{kilobytes}KB").parse().unwrap()).collect();
        let text = of(&TokenSizes::of(&sizes));
        assert!(text.lines().all(|line| line.contains("https://") || line.chars().count() <= 100), "{text}");
        assert_eq!(text.matches("\nclaims ").count(), 2);
    }
}
