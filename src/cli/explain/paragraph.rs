//! Words in lines that fit a terminal.

/// So many columns has the terminal that everything fits.
pub(super) const COLUMNS: usize = 100;

/// Adds `words` to `text` in lines of 100 columns: the first line behind so many spaces as `first`, the others behind `further`.
pub(super) fn paragraph(text: &mut String, [first, further]: [usize; 2], words: &str) {
    let mut column = 0;
    for word in words.split(' ') {
        let length = word.chars().count();
        if column == 0 {
            text.push_str(&" ".repeat(first));
            column = first;
        } else if column + 1 + length > COLUMNS {
            text.push('\n');
            text.push_str(&" ".repeat(further));
            column = further;
        } else {
            text.push(' ');
            column += 1;
        }
        text.push_str(word);
        column += length;
    }
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_broken_before_the_line_grows_too_long_and_further_lines_are_indented() {
        let mut text = String::new();
        paragraph(&mut text, [2, 4], &["word"; 40].join(" "));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.iter().map(|line| line.chars().count()).collect::<Vec<_>>(), [96, 98, 13]);
        assert!(lines[0].starts_with("  word") && lines[1].starts_with("    word"), "{text}");
        assert_eq!(text.split_whitespace().count(), 40);
    }
}
