//! A run while something else takes a fifth of every core: it ends with an answer, and says what was taken.

use std::io::{Write as _, stderr};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::full_run::FIVE;
use crate::program::ended;
use crate::sandbox::{Sandbox, recordings};

#[test]
fn a_run_on_a_disturbed_machine_ends_with_an_answer_and_says_what_was_taken() {
    let sandbox = Sandbox::with(FIVE);
    let mut command = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/disturb"));
    command.args(["20", "1", "10", "--", env!("CARGO_BIN_EXE_bearerbench")]);
    command.args(["run", "case.toml", "--out", "out", "--json"]).current_dir(sandbox.path());
    let told = ended(command);
    let trials = recordings(&sandbox);
    if trials.iter().any(|trial| taken(trial, "generator").max(taken(trial, "servers")) > Some(MOST_TAKEN)) {
        // Past the harness, which shows only what a failed test prints.
        let _ = writeln!(
            stderr().lock(),
            "not judged: others took more than half of a core beside what the test takes"
        );
        return;
    }
    let summary: Value = serde_json::from_str(&told.stdout).unwrap_or_else(|_| panic!("{told:#?}"));
    assert_ne!(told.code, Some(12), "refused: {told:#?}");
    for subject in summary["subjects"].as_array().unwrap() {
        let metric = |id: &str| &subject["metrics"][id];
        if subject["control"] == false {
            assert_eq!(metric("wrong_answers")["point"], 0.0, "{subject}");
        }
        assert_eq!(metric("errors")["standing"], "sound", "{subject}");
        assert!(metric("latency.p50")["all_requests"].is_number(), "{subject}");
    }
    for trial in &trials {
        // Where it may not take them, what is disturbed competes for the cores, and gets most of them.
        assert!(taken(trial, "generator") > Some(1_000_000), "{}", trial["load"]["gaps"]);
        assert!(taken(trial, "servers") > Some(20_000_000), "{}", trial["load"]["gaps"]);
    }
}

/// Of a window of a second, in nanoseconds: this much more than the fifth that the test takes is a machine on which nothing may be left.
const MOST_TAKEN: u64 = 700_000_000;

/// Nanoseconds that were taken from the core of that side that lost most.
fn taken(trial: &Value, side: &str) -> Option<u64> {
    let gaps = trial["load"]["gaps"].as_array().expect("it was watched");
    let cores = gaps.iter().filter(|core| core["side"] == side);
    cores.map(|core| core["nanos"].as_u64().expect("a count")).max()
}
