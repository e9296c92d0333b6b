//! Disks that are full, or fill up while trials are recorded.

use std::fs;

use rustix::process::{Resource, Signal};

use crate::program::{Ended, ended, through_shell};
use crate::running::Running;
use crate::sandbox::{SMALL, Sandbox};

const RUN: &[&str] = &["run", "case.toml", "--out", "out"];

/// The small scenario on a disk of its own of that size, while `meanwhile` happens in the shell.
fn on_a_disk_of(megabytes: u32, sandbox: &Sandbox, meanwhile: &str) -> Ended {
    let script = format!(
        "unshare --map-root-user --mount sh -c 'mkdir disk && mount -t tmpfs -o size={megabytes}m tmpfs disk || exit 77
         \"$0\" run case.toml --out disk/out & {meanwhile}
         wait $!; code=$?; cp disk/out/recording.jsonl . 2>/dev/null; exit $code' \"$0\""
    );
    ended(through_shell(sandbox.path(), &script, [""; 0]))
}

#[test]
#[ignore = "needs mount namespaces"]
fn a_disk_that_is_too_small_is_refused_before_anything_starts() {
    let sandbox = Sandbox::with(SMALL);
    let ended = on_a_disk_of(1, &sandbox, "").exits(12);
    ended.says(&["the recording would not fit", "\"disk/out\" has", "free some", "--out"]);
}

#[test]
#[ignore = "needs mount namespaces"]
fn a_real_disk_that_fills_up_keeps_every_whole_trial() {
    let sandbox = Sandbox::with(SMALL);
    // The second trial finds no room: the rest of the disk is taken once the first one is recorded.
    let fill = "pid=$!; until [ -s disk/out/recording.jsonl ]; do kill -0 $pid || exit 1; done
        cat /dev/zero > disk/filler 2>/dev/null";
    let ended = on_a_disk_of(4, &sandbox, fill).exits(1);
    ended.says(&["cannot write a trial", "No space left on device", "the trials before it are kept"]);
    fs::create_dir(sandbox.out()).unwrap();
    fs::copy(sandbox.path().join("recording.jsonl"), sandbox.out().join("recording.jsonl")).unwrap();
    let kept = sandbox.ended(&["report", "out"]).exits_as_judged(&sandbox.out(), 0);
    assert!(kept.stdout.contains("control"), "{kept:#?}");
}

#[test]
fn a_disk_that_fills_up_in_the_middle_keeps_every_whole_trial() {
    let sandbox = Sandbox::with(SMALL);
    let running = Running::start(
        through_shell(sandbox.path(), "trap '' XFSZ; exec \"$0\" \"$@\"", RUN),
        sandbox.path(),
    );
    running.wait_for_words("[2/2] opaque");
    // Once the first trial is recorded its file may not grow any more; a write beyond fails as on a full disk.
    running.process().signal(Signal::STOP);
    let length = fs::metadata(sandbox.out().join("recording.jsonl")).unwrap().len();
    running.process().limit(Resource::Fsize, length);
    running.process().signal(Signal::CONT);
    let full = running.ended().exits(1);
    full.says(&[
        "cannot write a trial",
        "recording.jsonl",
        "the trials before it are kept",
        "bearerbench report",
    ]);

    let kept = sandbox.ended(&["report", "out", "--json"]).exits_as_judged(&sandbox.out(), 0);
    let summary: serde_json::Value = serde_json::from_str(&kept.stdout).unwrap();
    assert_eq!(summary["subjects"].as_array().unwrap().len(), 1);
}
