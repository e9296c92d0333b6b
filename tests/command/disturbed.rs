//! A run while something else takes a fifth of every core: it ends with an answer, and says what was taken.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::full_run::FIVE;
use crate::program::ended;
use crate::sandbox::{Sandbox, is_starved, recordings, taken};

#[test]
fn a_run_on_a_disturbed_machine_ends_with_an_answer_and_says_what_was_taken() {
    let sandbox = Sandbox::with(FIVE);
    let mut command = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/disturb"));
    command.args(["20", "1", "10", "--", env!("CARGO_BIN_EXE_bearerbench")]);
    command.args(["run", "case.toml", "--out", "out", "--json"]).current_dir(sandbox.path());
    let told = ended(command);
    let trials = recordings(&sandbox);
    if is_starved(&trials) {
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
