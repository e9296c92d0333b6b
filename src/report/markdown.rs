//! Text that Markdown, and the HTML that may stand in it, take for text: names come from scenarios and command lines.

/// Escapes a text for anywhere but a span of code: no markup begins in it, and no cell of a table ends.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let next = characters.peek().copied().unwrap_or(' ');
        match character {
            // A tag, a comment or a link begins so (CommonMark 0.31.2, sections 6.5 and 6.6); a limit like p(99)<5ms does not.
            '<' if next.is_ascii_alphabetic() || "/!?".contains(next) => escaped.push_str("&lt;"),
            '&' if next.is_ascii_alphanumeric() || next == '#' => escaped.push_str("&amp;"),
            '>' if escaped.is_empty() => escaped.push_str("&gt;"),
            '\\' | '|' | '*' | '[' | ']' => {
                escaped.push('\\');
                escaped.push(character);
            }
            control if control.is_control() => escaped.push(' '),
            other => escaped.push(other),
        }
    }
    escaped
}

/// The same within a span of code in a table, where only the end of the span and of the cell mean something.
fn in_code(text: &str) -> String {
    let plain = |character: char| if character == '`' { '\'' } else { character };
    text.chars()
        .filter(|character| !character.is_control())
        .map(plain)
        .collect::<String>()
        .replace('|', "\\|")
}

/// What the template of the Markdown report puts every value through.
#[expect(
    unreachable_pub,
    clippy::inline_always,
    clippy::unused_self,
    clippy::unnecessary_wraps,
    reason = "what the macro makes of a filter"
)]
pub(super) mod filters {
    use std::fmt::Display;

    use askama::Values;

    /// For text.
    #[askama::filter_fn]
    pub(in crate::report) fn md<T: Display>(text: T, _: &dyn Values) -> askama::Result<String> {
        Ok(super::escaped(&text.to_string()))
    }

    /// For a span of code in a table.
    #[askama::filter_fn]
    pub(in crate::report) fn code<T: Display>(text: T, _: &dyn Values) -> askama::Result<String> {
        Ok(super::in_code(&text.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_is_markup() {
        for (text, expected) in [
            ("a|b <img src=x> & [x](y) *z* \\ \n", "a\\|b &lt;img src=x> & \\[x\\](y) \\*z\\* \\\\  "),
            ("</b><!-- &lt; <https://x.example>", "&lt;/b>&lt;!-- &amp;lt; &lt;https://x.example>"),
            ("> quoted", "&gt; quoted"),
            (
                "p(99)<5ms holds, `bearerbench doctor` in 5 µs",
                "p(99)<5ms holds, `bearerbench doctor` in 5 µs",
            ),
        ] {
            assert_eq!(escaped(text), expected);
        }
        assert_eq!(in_code("p(99)<5ms|`x`\n"), "p(99)<5ms\\|'x'");
    }

    #[test]
    fn every_value_of_the_report_is_escaped() {
        let template = include_str!("../../templates/report.md");
        for value in
            template.split("{{").skip(1).map(|rest| rest.split("}}").next().unwrap_or_default().trim())
        {
            assert!(value.ends_with("|md") || value.ends_with("|code"), "{value}");
        }
    }
}
