//! Sweeps, searches, closed loops and loads that end by count, from the scenario to the report.

use std::fs;

use rustix::process::Signal;
use serde_json::Value;

use crate::full_run::{parsed, text};
use crate::program::bearerbench;
use crate::running::Running;
use crate::sandbox::{SMALL, Sandbox, is_starved};

/// The small scenario with another pace, nothing revoked.
fn with(pace: &str) -> String {
    SMALL.replace("rate = 100", pace).replace("tokens = 2", "tokens = 0")
}

fn trials(sandbox: &Sandbox) -> Vec<Value> {
    text(&sandbox.out().join("recording.jsonl")).lines().map(parsed).collect()
}

fn rates(trials: &[Value]) -> Vec<f64> {
    trials.iter().map(|trial| trial["workload"]["rate"].as_f64().expect("a number")).collect()
}

#[test]
fn a_sweep_measures_every_subject_at_every_rate_and_merges_none() {
    let sandbox = Sandbox::with(&with("sweep = [100, 250]"));
    let ended = sandbox.run(&["--json", "--set", "thresholds=[\"p(99)<60s\"]"]);
    let trials = trials(&sandbox);
    assert_eq!(rates(&trials), [100.0, 100.0, 250.0, 250.0]);
    assert!(trials.iter().all(|trial| trial["step"]["kind"] == "sweep"));
    if is_starved(&trials) {
        return;
    }
    let summary = parsed(&ended.stdout);
    let subjects = summary["subjects"].as_array().unwrap();
    let names: Vec<&str> = subjects.iter().map(|subject| subject["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["control at 100/s", "control at 250/s", "opaque at 100/s", "opaque at 250/s"]);
    let points = summary["offered_load"][1]["points"].as_array().unwrap();
    assert_eq!(points.len(), 2, "{points:?}");
    let added = |index: usize| subjects[index]["metrics"]["latency.added.p50"]["point"].as_f64();
    assert!(added(0).is_none() && added(2) != added(3), "each is held against the control at its rate");
    let page = text(&sandbox.out().join("report.html"));
    assert!(page.contains("Latency against offered load") && page.contains("Every rate that was tried"));
    assert!(sandbox.out().join("charts/latency-by-load.svg").exists());
}

/// Half of the requests within 30 ms: few are enough to tell, and no machine holds it at every rate.
const SEARCH: &str = "search = \"med<30ms\"\nrate = 400";

#[test]
fn a_search_tries_rates_until_it_knows_and_records_every_step() {
    let sandbox = Sandbox::with(&with(SEARCH));
    let ended = sandbox.run(&["--json", "--only", "opaque"]).exits_as_judged(&sandbox.out(), 0);
    let (trials, summary) = (trials(&sandbox), parsed(&ended.stdout));
    let rates = rates(&trials);
    assert_eq!(rates[..1], [400.0]);
    assert!((2..=24).contains(&rates.len()), "{rates:?}");
    for (number, trial) in trials.iter().enumerate() {
        assert_eq!(trial["step"]["number"], number);
        assert_eq!(trial["step"]["threshold"], "med<30ms");
    }
    assert!(ended.stderr.lines().any(|line| line.starts_with("[1/1] opaque: 400 req/s ")), "{ended:#?}");
    let found = &summary["offered_load"][0];
    assert_eq!(found["steps"].as_array().unwrap().len(), trials.len());
    let at_limit = &summary["subjects"][0]["metrics"]["throughput_at_slo"];
    if let Some(highest) = found["highest"]["point"].as_f64() {
        assert!(rates.contains(&highest), "{highest} of {rates:?}");
        assert_eq!(at_limit["point"], highest);
        assert!(at_limit["high"].as_f64().is_none_or(|failed| failed > highest), "{at_limit}");
    }
    assert!(text(&sandbox.out().join("report.md")).contains("## Every rate that was tried"));
    let again = sandbox.ended(&["report", "out", "--json"]).exits_as_judged(&sandbox.out(), 0);
    assert_eq!(parsed(&again.stdout), summary, "what a step showed is in its recording");
}

#[test]
fn an_interrupted_search_keeps_the_steps_that_were_made() {
    let sandbox = Sandbox::with(&with("search = \"p(99.9)<30s\"\nrate = 200"));
    let arguments = ["run", "case.toml", "--out", "out", "--only", "opaque", "--set", "load.duration=2s"];
    // A step at 200 takes a minute, and there are several: the search is under way whenever the interrupt comes.
    let running = Running::start(bearerbench(sandbox.path(), arguments), sandbox.path());
    running.wait_for_words("[1/1] opaque: 200 req/s for");
    running.process().signal(Signal::INT);
    running.ended().exits(130).says(&["failed: interrupted", "report: out/report.html"]);
    let trials = trials(&sandbox);
    let last = trials.last().expect("the step under way is kept");
    assert_eq!((&last["failure"]["kind"], &last["step"]["kind"]), (&"interrupted".into(), &"search".into()));
    assert!(fs::metadata(sandbox.out().join("summary.json")).is_ok());
}

#[test]
fn users_in_a_closed_loop_are_recorded_with_what_they_sent() {
    let scenario = SMALL.replace("rate = 100", "closed = { think = \"20ms\" }");
    let sandbox = Sandbox::with(&scenario);
    let ended = sandbox.run(&["--only", "opaque"]);
    if is_starved(&trials(&sandbox)) {
        return;
    }
    ended.exits_as_judged(&sandbox.out(), 0);
    let trial = &trials(&sandbox)[0];
    let workload = &trial["workload"];
    assert_eq!(workload["think_seconds"], 0.02);
    // Eight users who think for 20 ms send at most 400 a second.
    let rate = workload["rate"].as_f64().unwrap();
    assert!(0.0 < rate && rate <= 400.0, "{rate}");
    assert!(trial["events"][0]["what"]["probes"].as_array().unwrap().len() > 3, "probes go on beside it");
    let page = text(&sandbox.out().join("report.md"));
    assert!(
        page.contains("8 users in a closed loop") && page.contains("closed loop, think time 20ms"),
        "{page}"
    );
}

#[test]
fn a_load_that_ends_by_count_ends_before_its_window() {
    let sandbox = Sandbox::with(&with("rate = 100\nrequests = 60"));
    sandbox.run(&["--only", "opaque", "--set", "load.duration=30s"]).exits_as_judged(&sandbox.out(), 0);
    let trial = &trials(&sandbox)[0];
    let seconds = trial["load"]["seconds"].as_array().unwrap();
    let classes =
        seconds.iter().flat_map(|second| second["outcomes"]["classes"].as_object().unwrap().values());
    let planned: u64 = classes.map(|ended| ended["planned"].as_u64().unwrap()).sum();
    assert!((20..=60).contains(&planned), "60 less those of the warm-up: {planned}");
    assert!(trial["load"]["measured_seconds"].as_f64() < Some(30.0));
    assert_eq!(trial["load"]["cut_short"], false);
    let looks = trial["nodes"][0]["looks"].as_array().unwrap();
    assert!(looks.len() >= 2, "one at the beginning and one at the end");
}
