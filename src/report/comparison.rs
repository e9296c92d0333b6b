//! Two runs side by side.

use std::fmt::Write as _;

use crate::analysis::{Analysis, Change, changes};
use crate::report::cell::Cell;
use crate::report::terminal::align;
use crate::report::trust::mark;

/// Every metric of every subject in two runs, with the ratio of the second to the first.
pub fn compare(before: &Analysis, after: &Analysis) -> String {
    let mut text = String::from(
        "For information, not a gate: single runs of the same code differ by more than 10 % in p50 once in 8\n\
         cases and in p99 almost every other time on a shared machine. A ratio is the second over the first.\n\n",
    );
    let run = |analysis: &Analysis| {
        let verdict = mark(analysis.validity()).map_or_else(String::new, |word| format!(" ({word})"));
        format!("{} of {}{verdict}", analysis.scenario.name, analysis.started)
    };
    writeln!(text, "first   {}\nsecond  {}", run(before), run(after)).expect("text grows");
    if before.environment != after.environment {
        text.push_str("The two come from different machines, builds or pinning: expect other figures.\n");
    }
    if before.workload != after.workload {
        text.push_str("The two were given different workloads: expect other figures.\n");
    }
    for subject in changes(before, after) {
        writeln!(text, "\n{}", subject.subject).expect("text grows");
        let header = ["  metric", "first", "second", "ratio", ""].map(str::to_owned).to_vec();
        let rows: Vec<_> = std::iter::once(header).chain(subject.changes.iter().map(row)).collect();
        align(&mut text, &rows);
    }
    text
}

fn row(change: &Change) -> Vec<String> {
    let side = |estimate| {
        Option::map_or(estimate, "–".to_owned(), |estimate| Cell::shown(change.metric, &estimate).line())
    };
    vec![
        format!("  {}", change.metric),
        side(change.before),
        side(change.after),
        change.ratio.map_or_else(|| "–".to_owned(), |ratio| format!("{ratio:.2}")),
        if are_apart(change) { "intervals apart".to_owned() } else { String::new() },
    ]
}

/// True if both have intervals that do not overlap.
fn are_apart(change: &Change) -> bool {
    let (Some(before), Some(after)) = (change.before, change.after) else { return false };
    let (Some(end_before), Some(end_after)) = (before.high, after.high) else { return false };
    before.is_interval() && after.is_interval() && (end_before < after.low || end_after < before.low)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{analyse, synthetic};

    #[test]
    fn two_runs_stand_side_by_side_and_are_called_no_gate() {
        let all = synthetic::recordings();
        let text = compare(&analyse(&all), &analyse(&all[..3]));
        assert!(text.starts_with("For information, not a gate"));
        assert!(text.contains("latency.p99") && text.contains("1.00"), "{text}");
        assert!(text.contains("jwt ES256"), "subjects of either run are shown");
    }
}
