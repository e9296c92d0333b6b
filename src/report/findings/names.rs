//! How subjects are named in sentences: marked where they must not be trusted, and not all of them where they are many.

use crate::analysis::{Analysis, Summary};

/// More names than that are no sentence.
pub(in crate::report) const MANY: usize = 8;
/// So many are named where the others are only counted.
const NAMED: usize = 3;

/// The name of a subject, marked if its implementation is known to decide wrongly.
pub(in crate::report) fn called(summary: &Summary) -> String {
    let mark = if summary.subject.is_trusted() { "" } else { " (NOT conforming)" };
    format!("{}{mark}", summary.subject.name)
}

/// The same by the bare name.
pub(super) fn marked(analysis: &Analysis, name: &str) -> String {
    let found = analysis.subjects.iter().find(|summary| summary.subject.name == name);
    found.map_or_else(|| name.to_owned(), called)
}

/// `a`, `b` and `c`.
pub(in crate::report) fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

/// `a, b, c`; of many only the first few, and how many more there are.
pub(in crate::report) fn heading(names: &[&str]) -> String {
    if names.len() <= MANY {
        return names.join(", ");
    }
    format!("{} and {} others", names[..NAMED].join(", "), names.len() - NAMED)
}

/// `a`, `b` and `c`; of many only the first few, and how many more there are.
pub(super) fn some(items: &[String]) -> String {
    if items.len() <= MANY {
        return list(items);
    }
    format!("{} and {} others", items[..NAMED].join(", "), items.len() - NAMED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_names_are_counted() {
        let names: Vec<String> = (1..=9).map(|number| number.to_string()).collect();
        assert_eq!(some(&names[..3]), "1, 2 and 3");
        assert_eq!(some(&names), "1, 2, 3 and 6 others");
        assert_eq!(list(&names[..1]), "1");
    }
}
