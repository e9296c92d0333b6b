//! Whoever reads what the program says may leave early, or have no room: the run goes on.

use crate::program::{ended, judged, through_shell};
use crate::sandbox::{SMALL, Sandbox};

/// Runs the script, which keeps the exit code of the program in `code`, and tells it.
fn exit_code(sandbox: &Sandbox, script: &str) -> String {
    ended(through_shell(sandbox.path(), script, [""; 0])).exits(0);
    std::fs::read_to_string(sandbox.path().join("code")).expect("the script writes it").trim().to_owned()
}

#[test]
fn a_reader_of_progress_who_leaves_does_not_end_the_run() {
    let sandbox = Sandbox::with(SMALL);
    let script = "{ \"$0\" run case.toml --out out 2>&1 >/dev/null; echo $? >code; } | true";
    assert_eq!(exit_code(&sandbox, script), judged(&sandbox.out(), 0).to_string());
    assert!(sandbox.out().join("report.html").exists());
}

#[test]
fn a_reader_of_the_result_who_leaves_does_not_change_the_exit_code() {
    let sandbox = Sandbox::with(SMALL);
    let run = "\"$0\" run case.toml --out out --only opaque --set 'thresholds=[\"p(99)<1us\"]'";
    let code = exit_code(&sandbox, &format!("{{ {run}; echo $? >code; }} | true"));
    assert_eq!(code, judged(&sandbox.out(), 99).to_string());
    assert_eq!(exit_code(&sandbox, "{ \"$0\" schema; echo $? >code; } | true"), "0");
}

#[test]
fn a_result_that_cannot_be_written_is_an_error_and_the_report_is_kept() {
    let sandbox = Sandbox::with(SMALL);
    let script = "\"$0\" run case.toml --out out --only opaque >/dev/full";
    let ended = ended(through_shell(sandbox.path(), script, [""; 0])).exits(1);
    ended.says(&["cannot write to standard output", "No space left on device"]);
    assert!(sandbox.out().join("report.html").exists());
}
