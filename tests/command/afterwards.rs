//! What is made of a recording afterwards: the report again, a comparison, thresholds.

use std::fs;

use serde_json::json;

use crate::full_run::{FIVE, RUN, SUBJECTS, parsed, text};
use crate::sandbox::{Sandbox, is_starved, recordings};

/// A copy of the recording alone.
fn recording_alone() -> Sandbox {
    let copy = Sandbox::with(FIVE);
    fs::create_dir(copy.out()).expect("a new folder");
    fs::copy(RUN.0.out().join("recording.jsonl"), copy.out().join("recording.jsonl")).expect("a copy");
    copy
}

#[test]
fn the_report_of_the_recording_alone_is_the_same_byte_for_byte() {
    let copy = recording_alone();
    let again = copy.ended(&["report", "out", "--json"]).exits_as_judged(&RUN.0.out(), 0);
    let again = again.says(&["report: out/report.html"]);
    assert_eq!(parsed(&again.stdout), parsed(&RUN.1.stdout));
    for file in ["summary.json", "report.html", "report.md", "jwt-ES256.hlog", "jwt-ES256.hgrm"] {
        assert!(text(&copy.out().join(file)) == text(&RUN.0.out().join(file)), "{file} differs");
    }
    for chart in fs::read_dir(RUN.0.out().join("charts")).unwrap() {
        let chart = chart.unwrap();
        let again = copy.out().join("charts").join(chart.file_name());
        assert!(text(&again) == text(&chart.path()), "{again:?} differs");
    }
}

#[test]
fn a_table_is_printed_for_people() {
    let table = recording_alone().ended(&["report", "out"]).exits_as_judged(&RUN.0.out(), 0).stdout;
    for subject in SUBJECTS {
        assert!(table.contains(subject), "no {subject:?} in {table}");
    }
}

#[test]
fn a_run_compared_with_itself_shows_every_subject_and_no_change() {
    let told = RUN.0.ended(&["compare", "out", "out"]).exits(0);
    for subject in SUBJECTS {
        assert!(told.stdout.contains(subject), "no {subject:?} in {told:#?}");
    }
    assert_eq!(told.stderr, "");
}

#[test]
fn a_crossed_threshold_is_told_and_ends_with_exit_code_99_unless_the_run_is_invalid() {
    let sandbox = Sandbox::with(FIVE);
    let more = ["--only", "introspection", "--set", "thresholds=[\"avg<1us\", \"errors<1%\"]", "--quiet"];
    let crossed = sandbox.run(&more);
    if is_starved(&recordings(&sandbox)) {
        return;
    }
    let crossed = crossed.exits_as_judged(&sandbox.out(), 99);
    assert!(crossed.stdout.contains("avg<1us"), "{crossed:#?}");
    assert_eq!(crossed.stderr, "", "quiet is quiet");
    sandbox.ended(&["report", "out"]).exits_as_judged(&sandbox.out(), 99);
    let summary = parsed(&text(&sandbox.out().join("summary.json")));
    let unusable = json!({ "not_shown": "unusable" });
    for (index, judged) in [(0, "crossed"), (1, "holds")] {
        let expected = if crossed.code == Some(12) { unusable.clone() } else { judged.into() };
        assert_eq!(summary["thresholds"][index]["outcome"], expected);
    }
}
