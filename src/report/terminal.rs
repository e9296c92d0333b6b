//! The table for a terminal of 120 columns.

use std::fmt::Write as _;

use crate::analysis::{Analysis, Summary};
use crate::report::cell::Cell;
use crate::report::columns::{COLUMNS, Column, SIGNATURE_COLUMNS, filled};
use crate::report::findings::names::MANY;
use crate::report::trust::{self, Doubt, Trust};
use crate::report::verdicts::{VerdictRow, limits};

/// Characters in a line.
const WIDTH: usize = 120;

/// Whether to believe it and why not, thresholds, and the table of subjects: a value and below it its interval.
pub fn table(analysis: &Analysis) -> String {
    let mut text = String::new();
    let Trust { headline, facts, .. } = Trust::of(analysis);
    writeln!(text, "{headline}.\n  {}", facts.replace("; ", "\n  ")).expect("text grows");
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

pub(super) fn doubts(text: &mut String, analysis: &Analysis) {
    for Doubt { subject, text: reason, .. } in trust::doubts(analysis) {
        let of = if subject.is_empty() { subject } else { format!("{subject}: ") };
        writeln!(text, "! {of}{reason}").expect("text grows");
    }
}

pub(super) fn thresholds(text: &mut String, analysis: &Analysis) {
    let (limited, limits) = limits(&analysis.thresholds);
    let mut rows: Vec<VerdictRow> = analysis.thresholds.iter().map(VerdictRow::of).collect();
    if limited.len() > MANY {
        for limit in limits.iter().filter(|limit| limit.held() > 0) {
            let (held, all) = (limit.held(), limit.verdicts.iter().flatten().count());
            writeln!(text, "✓ {}  holds for {held} of {all} subjects", limit.threshold).expect("text grows");
        }
        rows.retain(|row| !row.holds);
    }
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
    let mark = |summary: &Summary| if summary.subject.is_trusted() { "" } else { "  NOT conforming" };
    lines
        .extend(subjects.iter().flat_map(|summary| [summary.subject.name.clone(), mark(summary).to_owned()]));
    lines
}

fn lines(column: &Column, subjects: &[&Summary]) -> Vec<String> {
    let mut lines = column.short.map(str::to_owned).to_vec();
    for summary in subjects {
        let cell = Cell::of(summary, column.metric);
        lines.push(format!("{}{}", cell.value, if cell.few_samples { "*" } else { "" }));
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
         revocation, what the probes enclose; none if counted. * fewer than 100 requests beyond it: do not compare.\n"
    } else {
        "Latency counts from the instant a request was due. Below a value: its 95 % interval within this single\n\
         run; for revocation, what the probes enclose; none if counted. * fewer than 100 requests beyond it: do not compare.\n"
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
        for column in COLUMNS {
            assert!(text.contains(column.short[1]), "{}", column.title);
        }
        for summary in &analysis.subjects {
            assert!(text.contains(&summary.subject.name), "{}", summary.subject.name);
        }
    }
}
