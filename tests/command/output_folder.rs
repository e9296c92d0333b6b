//! Where a run writes: a folder of its own, made sure of before anything starts.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::sandbox::{SMALL, Sandbox};

const RUN: &[&str] = &["run", "case.toml", "--out", "out"];

#[test]
fn a_file_where_the_folder_should_be_is_refused() {
    let sandbox = Sandbox::with(SMALL);
    fs::write(sandbox.out(), "").unwrap();
    sandbox.refused(RUN).exits(2).says(&["cannot write \"out\"", "--out", "File exists"]);
    let ended = sandbox.refused(&["run", "case.toml", "--out", "out/deeper"]);
    ended.says(&["\"out/deeper\"", "Not a directory"]);
}

#[test]
fn a_folder_that_may_not_be_written_is_refused() {
    let sandbox = Sandbox::with(SMALL);
    fs::create_dir(sandbox.out()).unwrap();
    fs::set_permissions(sandbox.out(), fs::Permissions::from_mode(0o500)).unwrap();
    if fs::write(sandbox.out().join("probe"), "").is_ok() {
        // This user may write anywhere, as root may.
        return;
    }
    let ended = sandbox.refused(RUN).exits(2);
    ended.says(&["cannot write \"out/recording.jsonl\"", "--out", "Permission denied"]);
}

#[test]
fn a_folder_that_holds_a_recording_is_refused_and_left_as_it_was() {
    let sandbox = Sandbox::with(SMALL);
    fs::create_dir(sandbox.out()).unwrap();
    let recording = sandbox.out().join("recording.jsonl");
    fs::write(&recording, "facts\n").unwrap();
    sandbox.refused(RUN).exits(2).says(&["\"out\" holds a recording or other files already", "--out"]);
    assert_eq!(fs::read_to_string(recording).unwrap(), "facts\n");
}

#[test]
fn a_run_that_may_choose_writes_to_reports_by_scenario_and_time() {
    let sandbox = Sandbox::with(SMALL);
    let ended = sandbox.ended(&["run", "case.toml", "--only", "opaque", "--quiet"]);
    let runs: Vec<_> = fs::read_dir(sandbox.path().join("reports/case")).unwrap().collect();
    let [Ok(run)] = &runs[..] else { panic!("{runs:?}") };
    let time = run.file_name().into_string().unwrap();
    assert!(time.starts_with("20") && time.ends_with('Z') && !time.contains(':'), "{time}");
    assert!(run.path().join("report.html").exists());
    ended.exits_as_judged(&run.path(), 0);
}

#[test]
fn a_report_of_nothing_says_what_is_missing() {
    let sandbox = Sandbox::with(SMALL);
    let ended = sandbox.refused(&["report", "nowhere"]).exits(2);
    ended.says(&["cannot read \"nowhere/recording.jsonl\"", "`bearerbench run` writes it"]);

    fs::create_dir(sandbox.out()).unwrap();
    let recording = sandbox.out().join("recording.jsonl");
    fs::write(&recording, "").unwrap();
    sandbox.refused(&["report", "out"]).exits(2).says(&["holds no trial"]);
    fs::write(&recording, "{\"schema\": 999}\n").unwrap();
    sandbox
        .refused(&["compare", "out", "out"])
        .exits(2)
        .says(&["schema 999 is newer", "a newer bearerbench"]);
    fs::write(&recording, "rubbish\n").unwrap();
    sandbox.refused(&["report", "out"]).exits(2).says(&["recording.jsonl:1", "not the facts of a trial"]);
    for malformed in ["[3]\n", "{\"schema\":3,\"subject\":{},\"load\":{\"seconds\":[1]}}\n"] {
        fs::write(&recording, malformed).unwrap();
        sandbox.refused(&["report", "out"]).exits(2).says(&["recording.jsonl:1", "not the facts of a trial"]);
    }
}
