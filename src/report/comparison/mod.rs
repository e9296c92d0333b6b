//! Two runs side by side, for people.

mod json;

use std::fmt::Write as _;

use crate::analysis::{Analysis, Change, Shift, SubjectChanges, changes};
use crate::metric::significant;
use crate::observation::Workload;
use crate::report::cell::Cell;
use crate::report::conditions::USUAL_WIRE;
use crate::report::terminal::align;
use crate::report::trust::mark;

pub use json::compare_json;

const ABOUT: &str = "\
For information, not a gate: on a shared machine, two single runs of the same code differ by more than 10 % in p50
in one case of eight, and in p99 in almost every second case. The ratio is second / first.

";

/// What changed from one run to the other, subject by subject; `all` metrics, or only those.
pub fn compare(before: &Analysis, after: &Analysis, all: bool) -> String {
    let mut text = ABOUT.to_owned();
    let run = |analysis: &Analysis| {
        let verdict = mark(analysis.validity()).map_or_else(String::new, |word| format!(" ({word})"));
        format!("{} of {}{verdict}", analysis.scenario.name, analysis.started)
    };
    writeln!(text, "first   {}\nsecond  {}", run(before), run(after)).expect("text grows");
    let subjects = changes(before, after);
    for note in notes(before, after, &subjects) {
        writeln!(text, "{note}").expect("text grows");
    }
    for subject in &subjects {
        table(&mut text, subject, all);
    }
    text
}

/// What else differs between the runs, so that a change need not be one of the subject.
fn notes(before: &Analysis, after: &Analysis, subjects: &[SubjectChanges]) -> Vec<String> {
    let mut notes = Vec::new();
    if before.environment != after.environment {
        notes.push(
            "The runs come from different machines, builds or pinning: expect other figures.".to_owned(),
        );
    }
    if !are_alike(&before.workload, &after.workload) {
        notes.push("The runs had different workloads: expect other figures.".to_owned());
    }
    for subject in subjects {
        let (Some(first), Some(second)) = (&subject.first, &subject.second) else { continue };
        if subject.is_renamed() {
            notes.push(format!(
                "{first} and {second} have different names and are paired by position; to pair them by name, give both \
                 the same one (`bearerbench load --name`)."
            ));
        }
        if let Some([had, then]) = servers_apart(before, first, after, second) {
            notes.push(format!(
                "{second} had {had} resource servers in the first run, {then} in the second: expect other figures."
            ));
        }
        if let Some([over, then]) = wires_apart(before, first, after, second) {
            notes.push(format!("{second} was reached over {over} in the first run, over {then} in the second: expect other figures."));
        }
    }
    notes
}

fn table(text: &mut String, subject: &SubjectChanges, all: bool) {
    let name = match (&subject.first, &subject.second) {
        (Some(first), Some(second)) if first != second => format!("{first} -> {second}"),
        (Some(first), Some(_)) => first.clone(),
        (Some(first), None) => format!("{first} (only in the first run)"),
        (None, second) => format!("{} (only in the second run)", second.as_deref().unwrap_or_default()),
    };
    writeln!(text, "\n{name}").expect("text grows");
    let changed = subject.changes.iter().filter(|change| change.is_change()).count();
    let shown = if all { subject.changes.len() } else { changed };
    if shown > 0 {
        let header = ["  metric", "first", "second", "ratio", ""].map(str::to_owned).to_vec();
        let rows = subject.changes[..shown].iter().map(row);
        align(text, &std::iter::once(header).chain(rows).collect::<Vec<_>>());
    }
    let hidden = subject.changes.len() - shown;
    if hidden > 0 {
        let what = if hidden == 1 { "1 metric is" } else { &format!("{hidden} metrics are") };
        writeln!(text, "  {what} unchanged; --all shows them").expect("text grows");
    }
}

/// How many resource servers a subject had in two runs, if not as many.
fn servers_apart(before: &Analysis, first: &str, after: &Analysis, second: &str) -> Option<[u32; 2]> {
    let servers = |analysis: &Analysis, name: &str| {
        let summary = analysis.subjects.iter().find(|summary| summary.subject.name == name)?;
        Some(summary.resource_servers)
    };
    let servers = [servers(before, first)?, servers(after, second)?];
    (servers[0] != servers[1]).then_some(servers)
}

/// How the requests of a subject travelled in two runs, if not in the same way.
fn wires_apart<'a>(
    before: &'a Analysis,
    first: &str,
    after: &'a Analysis,
    second: &str,
) -> Option<[&'a str; 2]> {
    let wire = |analysis: &'a Analysis, name: &str| {
        let summary = analysis.subjects.iter().find(|summary| summary.subject.name == name)?;
        Some(summary.subject.wire.as_deref().unwrap_or(USUAL_WIRE))
    };
    let wires = [wire(before, first)?, wire(after, second)?];
    (wires[0] != wires[1]).then_some(wires)
}

/// Whether the same was asked of both: the rate of a closed loop and the end of a load that ends by count are what was measured, and how many
/// resource servers there are is told of each subject.
fn are_alike(first: &Workload, second: &Workload) -> bool {
    let asked = |workload: &Workload| {
        let rate = if workload.think_seconds.is_some() { 0.0 } else { workload.rate };
        let probe_rate = (workload.probe_rate * f64::from(workload.resource_servers) * 1e6).round();
        Workload { rate, window_seconds: 0.0, resource_servers: 0, probe_rate, ..workload.clone() }
    };
    let [shorter, longer] =
        if first.window_seconds < second.window_seconds { [first, second] } else { [second, first] };
    asked(first) == asked(second) && shorter.window_seconds >= LENGTH * longer.window_seconds
}

/// Windows that differ by less are as long as each other.
const LENGTH: f64 = 0.9;

fn row(change: &Change) -> Vec<String> {
    let side = |estimate| {
        Option::map_or(estimate, "–".to_owned(), |estimate| Cell::shown(change.metric, &estimate).line())
    };
    vec![
        format!("  {}", change.metric),
        side(change.before),
        side(change.after),
        change.ratio.map_or_else(|| "–".to_owned(), significant),
        remark(change),
    ]
}

fn remark(change: &Change) -> String {
    let direction = match change.is_better() {
        Some(true) => "better",
        Some(false) => "worse",
        None => "",
    };
    let how = match change.shift {
        Shift::Apart => "intervals apart",
        Shift::Different => "no interval",
        Shift::OneSided | Shift::Alike => "",
    };
    [direction, how].into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{Estimate, analyse, synthetic};
    use crate::metric::MetricId;

    #[test]
    fn two_runs_stand_side_by_side_and_are_called_no_gate() {
        let all = synthetic::recordings();
        let (first, second) = (analyse(&all), analyse(&all[..3]));
        let text = compare(&first, &second, true);
        assert!(text.starts_with("For information, not a gate"));
        assert!(text.contains("latency.p99") && text.contains("1.00"), "{text}");
        assert!(text.contains("jwt ES256 (only in the first run)"), "subjects of either run are shown");
        assert!(!text.contains("was reached over"));
        let text = compare(&first, &second, false);
        let [none, _] = text.split_once("\nintrospection\n").map(|(before, after)| [before, after]).unwrap();
        assert!(
            !none.contains("latency.p99") && none.contains(" metrics are unchanged; --all shows them"),
            "{text}"
        );
    }

    #[test]
    fn a_small_ratio_is_not_zero_and_says_which_way_is_better() {
        let mut analysis = analyse(&synthetic::recordings()[..2]);
        let before = analysis.clone();
        for (metric, factor) in [(MetricId::CpuResourceServer, 0.002), (MetricId::ThroughputPerCore, 500.0)] {
            let estimate = analysis.subjects[1].estimates.get_mut(&metric).unwrap();
            *estimate = Estimate::counted(estimate.point * factor);
        }
        let text = compare(&before, &analysis, false);
        let line = |metric: &str| text.lines().find(|line| line.contains(metric)).unwrap().trim_end();
        assert!(line("cpu.resource_server").contains(" 0.00200  better"), "{text}");
        assert!(line("throughput.per_core").contains(" 500  better"), "{text}");
    }

    #[test]
    fn a_subject_that_had_more_resource_servers_is_told_and_the_others_had_the_same_load() {
        let mut recordings = synthetic::recordings();
        let before = analyse(&recordings);
        let workload = &mut recordings[2].workload;
        (workload.resource_servers, workload.probe_rate) = (6, 10.0 / 3.0);
        let text = compare(&before, &analyse(&recordings), false);
        let name = &recordings[2].subject.name;
        let told = format!("{name} had 2 resource servers in the first run, 6 in the second");
        assert_eq!(
            (text.matches(&told).count(), text.matches("resource servers in the first").count()),
            (1, 1),
            "{text}"
        );
        assert!(!text.contains("different workloads"), "{text}");
    }

    #[test]
    fn a_subject_that_was_reached_in_another_way_is_told() {
        let mut recordings = synthetic::recordings();
        let before = analyse(&recordings);
        for recording in &mut recordings {
            recording.subject.wire = Some("HTTP/2, TCP".to_owned());
        }
        let text = compare(&before, &analyse(&recordings), false);
        let told =
            "jwt ES256 was reached over HTTP/1.1, TCP in the first run, over HTTP/2, TCP in the second";
        assert!(text.contains(told), "{text}");
    }
}
