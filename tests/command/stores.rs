//! Runs whose tokens are kept by another program.

use std::fs;

use rustix::process::Signal;
use serde_json::Value;

use crate::full_run::{parsed, text};
use crate::program::bearerbench;
use crate::running::{Running, wait_for};
use crate::sandbox::{SMALL, Sandbox, refused};

/// Three stores, each with the service that it needs.
fn stores() -> String {
    let (head, _) = SMALL.split_once("[[subject]]").expect("it has subjects");
    let subject = |store: &str| format!("[[subject]]\narchitecture = \"introspection\"\nstore = {store}\n");
    let subjects = ["\"memory\"", "\"redis\"", "{ kind = \"postgresql\", synchronous_commit = false }"];
    let services = "[services]\nredis = \"private\"\npostgresql = \"private\"\n";
    // More than the memory of a process changes by itself.
    let head = head.replace("live = 100", "live = 20_000");
    format!("{head}{services}{}", subjects.map(subject).concat())
}

#[test]
#[ignore = "needs redis-server and postgresql"]
fn what_a_store_costs_is_told_of_it() {
    let sandbox = Sandbox::with(&stores());
    sandbox.run(&["--json"]).exits_as_judged(&sandbox.out(), 0);
    let trials: Vec<Value> = text(&sandbox.out().join("recording.jsonl")).lines().map(parsed).collect();
    let trial = |store: &str| {
        let is_it =
            |trial: &&Value| trial["subject"]["store"].as_str().is_some_and(|it| it.starts_with(store));
        trials.iter().find(is_it).unwrap_or_else(|| panic!("no {store}"))
    };
    for (store, has_node) in [("memory", false), ("redis", true), ("postgresql", true)] {
        let nodes = trial(store)["nodes"].as_array().expect("nodes");
        let node = nodes.iter().find(|node| node["role"] == "store");
        assert_eq!(node.is_some(), has_node, "{store}");
        assert!(node.is_none_or(|node| node["name"] == store && node["resident_before_tokens"].is_u64()));
    }
    // Neither where it was nor its password is anybody's business.
    assert!(!text(&sandbox.out().join("recording.jsonl")).contains("127.0.0.1"));
    let summary = parsed(&text(&sandbox.out().join("summary.json")));
    for subject in summary["subjects"].as_array().expect("subjects") {
        let metrics = &subject["metrics"];
        assert_eq!(metrics["wrong_answers"]["point"], 0.0, "{metrics}");
        assert_eq!(metrics["errors"]["point"], 0.0, "{metrics}");
        let is_kept = subject["name"] != "introspection";
        assert_eq!(metrics["store.cpu"]["point"].as_f64().is_some_and(|cpu| cpu > 0.0), is_kept, "{metrics}");
        // A record has some 330 bytes.
        let memory = metrics["store.memory"]["point"].as_f64();
        assert_eq!(memory.is_some_and(|bytes| (1e8..5e9).contains(&bytes)), is_kept, "{memory:?}");
    }
    let report = text(&sandbox.out().join("report.md"));
    for words in ["What each server uses", "| redis |", "| postgresql |"] {
        assert!(report.contains(words), "no {words:?} in {report}");
    }
}

#[test]
fn a_store_without_its_service_is_refused_with_what_to_write() {
    refused(
        &format!("{SMALL}store = \"redis\"\n"),
        &[
            "case.toml:22: subject[1]",
            "store \"redis\" is in a redis-server",
            "add services.redis = \"private\"",
            "redis://:password@127.0.0.1:6379",
        ],
    );
}

#[test]
fn a_service_that_is_none_is_refused_at_its_line() {
    let with = |services: &str| SMALL.replace("[load]", &format!("[services]\n{services}\n[load]"));
    refused(
        &with("redsi = \"private\""),
        &["case.toml:", "services", "unknown service \"redsi\"; did you mean \"redis\"?"],
    );
    refused(
        &with("redis = \"http://:hush@h\""),
        &[
            "case.toml:5: services.redis",
            "expected \"private\", so that a redis-server is started",
            "redis://",
        ],
    );
}

#[test]
fn a_service_that_is_not_there_is_told_before_anything_starts() {
    let scenario = SMALL.replace("[load]", "[services]\nredis = \"redis://:hush@127.0.0.1:1\"\n[load]");
    let sandbox = Sandbox::with(&format!("{scenario}store = \"redis\"\n"));
    let told = sandbox.refused(&["run", "case.toml"]).exits(12);
    let told = told.says(&[
        "a subject cannot have its tokens kept",
        "services.redis",
        "Redis at 127.0.0.1:1",
        "onnection refused",
        "start it, or correct its URL",
    ]);
    assert!(!told.stderr.contains("hush"), "{told:#?}");
}

#[test]
fn a_plan_says_where_tokens_are_kept() {
    let told = Sandbox::with(&stores()).ended(&["plan", "case.toml"]).exits(0);
    for words in [
        "store memory",
        "store redis (started for the trial)",
        "store postgresql synchronous_commit false (started for the trial)",
        "introspection, redis",
    ] {
        assert!(told.stdout.contains(words), "no {words:?} in {told:#?}");
    }
}

#[test]
#[ignore = "needs redis-server"]
fn a_run_that_is_killed_leaves_no_folder_and_no_program_behind() {
    let scenario = SMALL.replace("[load]", "[services]\nredis = \"private\"\n[load]");
    let scenario = scenario.replace("duration = \"1s\"", "duration = \"60s\"");
    let sandbox = Sandbox::with(&format!("{scenario}store = \"redis\"\n"));
    let temporary = sandbox.path().join("temporary");
    fs::create_dir(&temporary).expect("a new folder");
    let mut command = bearerbench(sandbox.path(), ["run", "case.toml", "--out", "out", "--only", "opaque"]);
    command.env("TMPDIR", &temporary);
    let running = Running::start(command, sandbox.path());
    let folders = || fs::read_dir(&temporary).expect("it is there").count();
    running.wait_for("the folder of a redis-server", || (folders() > 0).then_some(()));
    // The authorization server, both resource servers, redis-server; and who takes care of the last when this program cannot.
    running.wait_for("all servers", || (running.process().children().len() >= 4).then_some(()));
    let children = running.process().children();
    running.process().signal(Signal::KILL);
    drop(running);
    wait_for("the end of all", || children.iter().all(|child| child.is_gone()).then_some(()));
    wait_for("the end of the folder", || (folders() == 0).then_some(()));
}
