//! Two runs side by side.

use std::fmt::Write as _;

use crate::analysis::{Analysis, Change, changes};
use crate::observation::Workload;
use crate::report::cell::Cell;
use crate::report::conditions::USUAL_WIRE;
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
    if asked(&before.workload) != asked(&after.workload) {
        text.push_str("The two were given different workloads: expect other figures.\n");
    }
    for (name, [before, after]) in wires_apart(before, after) {
        writeln!(text, "{name} was reached over {before} first, over {after} then: expect other figures.")
            .expect("text grows");
    }
    for subject in changes(before, after) {
        writeln!(text, "\n{}", subject.subject).expect("text grows");
        let header = ["  metric", "first", "second", "ratio", ""].map(str::to_owned).to_vec();
        let rows: Vec<_> = std::iter::once(header).chain(subject.changes.iter().map(row)).collect();
        align(&mut text, &rows);
    }
    text
}

/// The subjects of both runs whose requests travelled in two ways, and those.
fn wires_apart<'a>(before: &'a Analysis, after: &'a Analysis) -> Vec<(&'a str, [&'a str; 2])> {
    let mut apart = Vec::new();
    for first in before.subjects.iter().map(|summary| &summary.subject) {
        let mut others = after.subjects.iter().map(|summary| &summary.subject);
        if let Some(second) = others.find(|second| second.name == first.name && second.wire != first.wire) {
            let words = [first, second].map(|subject| subject.wire.as_deref().unwrap_or(USUAL_WIRE));
            apart.push((first.name.as_str(), words));
        }
    }
    apart
}

/// A workload as it was planned: what the users of a closed loop sent is what was measured.
fn asked(workload: &Workload) -> Workload {
    let rate = if workload.think_seconds.is_some() { 0.0 } else { workload.rate };
    Workload { rate, ..workload.clone() }
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
        assert!(!text.contains("was reached over"));
    }

    #[test]
    fn a_subject_that_was_reached_in_another_way_is_told() {
        let mut recordings = synthetic::recordings();
        let before = analyse(&recordings);
        for recording in &mut recordings {
            recording.subject.wire = Some("HTTP/2, TCP".to_owned());
        }
        let text = compare(&before, &analyse(&recordings));
        let told = "jwt ES256 was reached over HTTP/1.1, TCP first, over HTTP/2, TCP then";
        assert!(text.contains(told), "{text}");
    }
}
