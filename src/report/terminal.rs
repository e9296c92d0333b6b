//! The table for a terminal of 120 columns.

use std::fmt::Write as _;

use crate::analysis::{Analysis, Summary};
use crate::report::cell::Cell;
use crate::report::columns::{COLUMNS, Column, SIGNATURE_COLUMNS, filled};
use crate::report::findings::answer;
use crate::report::phases::{FORGETS, PhaseRow, SHORT_PHASE_HEADINGS, phase_rows};
use crate::report::revocation_limits::{DesignRow, SHORT_HEADINGS, revocation_limits};
use crate::report::trust::{self, Doubt, VerdictBox, first_sentence};
use crate::report::verdicts::{VerdictRow, held};

/// Characters in a line.
const WIDTH: usize = 120;

/// Whether to believe it and why not, thresholds, and the table of subjects: a value and below it its interval.
pub fn table(analysis: &Analysis) -> String {
    let mut text = String::new();
    let VerdictBox { headline, facts, .. } = VerdictBox::of(analysis);
    wrap(&mut text, &format!("{headline}. {facts}"));
    if let Some(answer) = answer(analysis) {
        wrap(&mut text, &answer);
    }
    phases(&mut text, analysis);
    limits(&mut text, analysis);
    doubts(&mut text, analysis);
    thresholds(&mut text, analysis);
    let all: Vec<&Summary> = analysis.subjects.iter().collect();
    let signed: Vec<&Summary> =
        all.iter().copied().filter(|summary| summary.subject.scheme.is_some()).collect();
    for (subjects, columns) in [(all, COLUMNS), (signed, SIGNATURE_COLUMNS)] {
        for block in blocks(&subjects, &filled(columns, analysis)) {
            align(&mut text, &block);
            text.push('\n');
        }
    }
    text.push_str(legend(analysis));
    text
}

/// Which designs meet a limit, where they are many.
fn limits(text: &mut String, analysis: &Analysis) {
    let limits = revocation_limits(analysis);
    if limits.is_empty() {
        return;
    }
    let mut rows = vec![SHORT_HEADINGS.map(str::to_owned).to_vec()];
    for limit in limits {
        rows.push(vec![limit.heading]);
        for DesignRow { cells: [name, costs @ ..] } in limit.designs {
            rows.push([vec![format!("  {name}")], costs.to_vec()].concat());
        }
    }
    align(text, &rows);
    text.push('\n');
}

/// What was measured while servers were disturbed, and beside that.
fn phases(text: &mut String, analysis: &Analysis) {
    let phases = phase_rows(analysis);
    if phases.is_empty() {
        return;
    }
    let mut rows = vec![SHORT_PHASE_HEADINGS.map(str::to_owned).to_vec()];
    let mut subject = String::new();
    for PhaseRow {
        subject: of,
        phase,
        lasted,
        availability,
        unsafe_acceptances,
        failures,
        p99,
        calls,
        recovery,
    } in phases
    {
        if subject != of {
            rows.push(vec![of.clone()]);
            subject = of;
        }
        // The rest is in the report.
        let failures = failures.split(", ").next().unwrap_or_default().to_owned();
        let cells =
            [format!("  {phase}"), lasted, availability, unsafe_acceptances, p99, calls, recovery, failures];
        rows.push(cells.to_vec());
    }
    align(text, &rows);
    if analysis.subjects.iter().any(|summary| summary.loses_tokens) {
        wrap(text, FORGETS);
    }
    text.push('\n');
}

pub(super) fn doubts(text: &mut String, analysis: &Analysis) {
    for Doubt { class, subject, blame, text: reason } in trust::doubts(analysis) {
        let of = if subject.is_empty() { subject } else { format!("{subject}: ") };
        match class {
            // What is good to know folds: its first sentence, and the rest in the report.
            "note" => writeln!(text, "  {of}{}", first_sentence(&reason)),
            _ => writeln!(text, "! [{blame}] {of}{reason}"),
        }
        .expect("text grows");
    }
}

pub(super) fn thresholds(text: &mut String, analysis: &Analysis) {
    let mut rows: Vec<VerdictRow> = analysis.thresholds.iter().map(VerdictRow::of).collect();
    if let Some(held) = held(&analysis.thresholds) {
        writeln!(text, "✓ {held}").expect("text grows");
    }
    rows.retain(|row| !row.holds);
    let name = rows.iter().map(|row| row.subject.chars().count()).max().unwrap_or(0);
    let limit = rows.iter().map(|row| row.threshold.chars().count()).max().unwrap_or(0);
    for VerdictRow { holds, subject, threshold, value, outcome } in &rows {
        let mark = if *holds { '✓' } else { '✗' };
        writeln!(text, "{mark} {subject:name$}  {threshold:limit$}  {value}  {outcome}").expect("text grows");
    }
    if !analysis.thresholds.is_empty() {
        text.push('\n');
    }
}

/// Words in lines that fit, each but the first a little to the right.
fn wrap(text: &mut String, words: &str) {
    let mut width = 0;
    for word in words.split(' ') {
        let length = word.chars().count();
        if width + 1 + length > WIDTH {
            text.push_str("\n ");
            width = 1;
        }
        if width > 0 {
            text.push(' ');
        }
        text.push_str(word);
        width += 1 + length;
    }
    text.push('\n');
}

/// The table in as many parts, one below the other, as the width asks for; each begins with the names.
fn blocks(subjects: &[&Summary], columns: &[&Column]) -> Vec<Vec<Vec<String>>> {
    if subjects.is_empty() {
        return Vec::new();
    }
    let names = names(subjects);
    let mut blocks = vec![vec![names.clone()]];
    for column in columns.iter().map(|column| lines(column, subjects)) {
        let last = blocks.last_mut().expect("begins with one");
        let width: usize = last.iter().chain([&column]).map(|cells| 2 + widest(cells)).sum();
        if width <= WIDTH { last.push(column) } else { blocks.push(vec![names.clone(), column]) }
    }
    let row = |block: &[Vec<String>], line: usize| block.iter().map(|column| column[line].clone()).collect();
    blocks.iter().map(|block| (0..names.len()).map(|line| row(block, line)).collect()).collect()
}

/// The first column: two lines of heading, two a subject.
fn names(subjects: &[&Summary]) -> Vec<String> {
    let mut lines = vec![String::new(), "subject".to_owned()];
    lines.extend(subjects.iter().flat_map(|summary| [summary.subject.name.clone(), marks(summary)]));
    lines
}

/// What a reader must know of a subject before its figures: below its name.
fn marks(summary: &Summary) -> String {
    let conforming = (!summary.subject.is_trusted()).then_some("NOT conforming");
    let marks: Vec<&str> = conforming.into_iter().chain(trust::mark(summary.validity())).collect();
    if marks.is_empty() { String::new() } else { format!("  {}", marks.join(", ")) }
}

fn lines(column: &Column, subjects: &[&Summary]) -> Vec<String> {
    let mut lines = column.short.map(str::to_owned).to_vec();
    for summary in subjects {
        let cell = Cell::of(summary, column.metric);
        let standing = match cell.standing {
            Some("bounded") => "~",
            Some(_) => "?",
            None => "",
        };
        lines.push(format!("{}{standing}{}", cell.value, if cell.few_samples { "*" } else { "" }));
        lines.push(cell.detail);
    }
    lines
}

fn widest(cells: &[String]) -> usize {
    cells.iter().map(|cell| cell.chars().count()).max().unwrap_or(0)
}

/// The first column to the left, the others to the right.
pub(super) fn align(text: &mut String, rows: &[Vec<String>]) {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widest = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(widest).collect();
    for row in rows {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let width = widths[column];
            let written =
                if column == 0 { write!(line, "{cell:width$}") } else { write!(line, "  {cell:>width$}") };
            written.expect("text grows");
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
}

fn legend(analysis: &Analysis) -> &'static str {
    if analysis.subjects.iter().any(|summary| summary.trials > 1) {
        "Latency counts from the instant a request was due. Below a value: its 95 % interval across runs; for\n\
         revocation, what the probes enclose; none if counted. * fewer than 100 requests beyond it: do not compare.\n\
         ~ bounded: the true value lies between the two, apart by the generator's lag. ? lost: not measurable here.\n"
    } else {
        "Latency counts from the instant a request was due. Below a value: its 95 % interval within this single\n\
         run; for revocation, what the probes enclose; none if counted. * fewer than 100 requests beyond it: do not compare.\n\
         ~ bounded: the true value lies between the two, apart by the generator's lag. ? lost: not measurable here.\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{analyse, synthetic};

    #[test]
    fn the_table_fits_a_terminal_of_120_columns_and_has_every_subject_and_column() {
        let analysis = analyse(&synthetic::recordings());
        let text = table(&analysis);
        println!("{text}");
        for line in text.lines() {
            assert!(line.chars().count() <= 120, "{line}");
        }
        for column in filled(COLUMNS, &analysis) {
            assert!(text.contains(column.short[1]), "{}", column.title);
        }
        for summary in &analysis.subjects {
            assert!(text.contains(&summary.subject.name), "{}", summary.subject.name);
        }
    }
}
