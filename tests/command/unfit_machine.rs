//! What this machine cannot do is told before a server starts, with exit code 12.

use crate::program::{ended, through_shell};
use crate::sandbox::{SMALL, Sandbox};

#[test]
fn a_rate_that_no_core_can_send_is_refused_with_the_one_that_it_can() {
    let ended = Sandbox::with(SMALL).refused(&["run", "case.toml", "--set", "load.rate=1e9"]);
    ended
        .exits(12)
        .says(&["load.rate: 1000000000 req/s and 40 revocation.probes a second are more than", "lower them"]);
}

#[test]
fn probes_count_among_what_must_be_sent() {
    let sandbox = Sandbox::with(SMALL);
    let ended = sandbox.refused(&["run", "case.toml", "--set", "revocation.probes=1e8"]);
    ended.exits(12).says(&["revocation.probes", "can send"]);
}

#[test]
fn more_connections_than_files_may_be_open_are_refused_with_the_limit_to_raise() {
    let sandbox = Sandbox::with(SMALL);
    let ended = sandbox.refusal_of(|| {
        ended(through_shell(sandbox.path(), "ulimit -n 64; exec \"$0\" run case.toml", [""; 0]))
    });
    ended.exits(12).says(&["load.connections", "the limit is 64", "ulimit -n", "use fewer connections"]);
}

#[test]
fn a_soft_limit_of_files_is_raised_rather_than_refused() {
    let sandbox = Sandbox::with(SMALL);
    let script = "ulimit -Sn 64; exec \"$0\" check case.toml --only opaque";
    let ended = ended(through_shell(sandbox.path(), script, [""; 0]));
    // Whether every answer is right may depend on what else the machine does.
    assert!(ended.code != Some(12) && ended.stdout.contains("opaque"), "{ended:#?}");
}

#[test]
fn a_disk_without_room_for_the_recording_is_refused_with_what_is_missing() {
    // The process file system has no room at all, on every machine.
    let ended = Sandbox::with(SMALL).refused(&["run", "case.toml", "--out", "/proc/bearerbench"]);
    ended.exits(12).says(&["the recording would not fit", "has 0.0 MB of free disk", "--out"]);
}

#[test]
fn check_is_refused_on_an_unfit_machine_too() {
    let ended = Sandbox::with(SMALL).refused(&["check", "case.toml", "--set", "load.rate=1e9"]);
    ended.exits(12).says(&["load.rate"]);
}

#[test]
fn doctor_judges_the_machine_and_prints_what_it_found() {
    let sandbox = Sandbox::with(SMALL);
    let told = sandbox.ended(&["doctor"]);
    assert!(matches!(told.code, Some(0 | 12)), "{told:#?}");
    assert!(told.stdout.lines().count() > 5, "{told:#?}");

    let told = sandbox.ended(&["doctor", "--json"]);
    let examined: serde_json::Value = serde_json::from_str(&told.stdout).unwrap();
    assert_eq!(examined["fit"], told.code == Some(0), "{told:#?}");
    for check in examined["checks"].as_array().unwrap() {
        assert!(check["name"].is_string() && check["found"].is_string(), "{check}");
        assert_eq!(check["advice"].is_null(), check["mark"] == "ok", "{check}");
    }
}
