//! Runs in which servers are killed and started again on purpose.

use serde_json::Value;

use crate::full_run::{parsed, text};
use crate::sandbox::{Sandbox, is_starved_within, recordings, refused};

const OUTAGE: &str = r#"question = "Who goes on?"
thresholds = ["wrong_answers<1"]
repetitions = 1
[load]
rate = 200
arrivals = "constant"
warmup = "300ms"
duration = "6s"
resource_servers = 2
connections = 8

[tokens]
live = 50
bad_per_kind = 10

[revocation]
tokens = 16

[[event]]
at = "2s"
kill = "authorization-server"

[[event]]
at = "4s"
start = "authorization-server"

[[subject]]
name = "asks"
architecture = "introspection"

[[subject]]
name = "keeps"
architecture = { kind = "introspection-cached", ttl = "1500ms", stale_if_error = "30s" }

[[subject]]
name = "verifies"
architecture = "jwt"
signature = "ES256"
"#;

/// Seconds that each subject is measured.
const WINDOW: u64 = 6;

#[test]
fn an_outage_shows_who_goes_on_and_what_that_lets_pass() {
    let sandbox = Sandbox::with(OUTAGE);
    let ended = sandbox.run(&["--json"]).exits_as_judged(&sandbox.out(), 0);
    let trials = recordings(&sandbox);
    assert_eq!(trials.len(), 3);
    for trial in &trials {
        assert!(
            trial["failure"].is_null(),
            "an outage that was planned fails no trial: {}",
            trial["failure"]
        );
        let done: Vec<&Value> = trial["events"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|event| event["what"]["kind"] != "revocation")
            .collect();
        let kinds: Vec<&str> = done.iter().filter_map(|event| event["what"]["kind"].as_str()).collect();
        assert_eq!(kinds, ["kill", "start"]);
        assert!(
            done.iter()
                .all(|event| event["ended"].is_u64() && event["what"]["nodes"] == serde_json::json!([1]))
        );
        let looks = trial["nodes"][1]["looks"].as_array().unwrap();
        let lives: std::collections::BTreeSet<u64> =
            looks.iter().filter_map(|look| look["pid"].as_u64()).collect();
        assert_eq!(lives.len(), 2, "it was looked at before and afterwards: {looks:?}");
    }
    if is_starved_within(&trials, WINDOW) {
        return;
    }
    let summary = parsed(&ended.stdout);
    let metric = |subject: &str, metric: &str| {
        let subjects = summary["subjects"].as_array().unwrap();
        let subject = subjects.iter().find(|summary| summary["name"] == subject).unwrap();
        subject["metrics"][metric]["point"].as_f64().unwrap_or_else(|| panic!("{subject:#}"))
    };
    let meanwhile = "availability.disturbed";
    assert!(metric("asks", meanwhile) < 0.2, "{}", metric("asks", meanwhile));
    assert!(metric("asks", "availability") < 0.8 && metric("asks", "unsafe_acceptances.disturbed") < 1.0);
    assert!(metric("keeps", meanwhile) > metric("asks", meanwhile) + 0.3, "{}", metric("keeps", meanwhile));
    assert!(metric("keeps", "unsafe_acceptances.disturbed") > 0.0, "revoked ones that were kept count too");
    for id in [meanwhile, "availability"] {
        let available = metric("verifies", id);
        assert!((available - 1.0).abs() < f64::EPSILON, "{id}: {available}");
    }
    assert!(metric("verifies", "unsafe_acceptances.disturbed") > 0.0);
    // Nothing had to recover; on a busy machine requests may be under way for other reasons.
    assert!(metric("verifies", "recovery") < 1.0);
    assert!(
        summary["subjects"][2]["metrics"]["recovery"]["high"].is_number(),
        "it was back within the window"
    );
    for subject in ["asks", "keeps", "verifies"] {
        assert_eq!(Some(metric(subject, "wrong_answers")), Some(0.0), "{subject}");
    }
    // The store was in memory: nobody who asks recovers.
    let subjects = summary["subjects"].as_array().unwrap();
    assert!(subjects[0]["metrics"]["recovery"]["high"].is_null(), "{}", subjects[0]["metrics"]["recovery"]);
    let phases: Vec<&str> = subjects[0]["phases"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|phase| phase["phase"].as_str())
        .collect();
    assert_eq!(phases, ["undisturbed", "disturbed", "recovering"]);
    for file in ["report.md", "report.html"] {
        let report = text(&sandbox.out().join(file));
        assert!(
            report.contains("authorization-server down")
                && report.contains("kept tokens and revocations in memory")
        );
    }
    // A report is made again from the recording alone.
    let again = sandbox.ended(&["report", "out", "--json"]);
    let phases = |summary: &Value| summary["subjects"][1]["phases"][1]["requests"].clone();
    assert_eq!(phases(&parsed(&again.stdout)), phases(&summary));
}

#[test]
fn a_resource_server_that_comes_back_is_found_where_it_was() {
    let scenario = OUTAGE
        .replace("kill = \"authorization-server\"", "kill = \"resource-server 1\"")
        .replace("start = \"authorization-server\"", "start = \"resource-server 1\"");
    let sandbox = Sandbox::with(&scenario);
    let ended = sandbox.run(&["--json", "--only", "verifies"]).exits_as_judged(&sandbox.out(), 0);
    let trials = recordings(&sandbox);
    assert!(trials[0]["failure"].is_null(), "{}", trials[0]["failure"]);
    if is_starved_within(&trials, WINDOW) {
        return;
    }
    let subject = &parsed(&ended.stdout)["subjects"][0];
    let phases = subject["phases"].as_array().unwrap();
    let availability = |phase: &Value| phase["availability"].as_f64().unwrap();
    // Half of the requests are for the other one.
    assert!((0.3..0.8).contains(&availability(&phases[1])), "{phases:#?}");
    assert_eq!(phases[1]["by"], "resource-server 1 down");
    assert!(
        phases[1]["failures"].as_object().unwrap().keys().any(|kind| kind == "cannot connect"),
        "{phases:#?}"
    );
    assert_eq!(Some(availability(&phases[0])), Some(1.0));
    let recovery = &subject["metrics"]["recovery"];
    assert!(recovery["point"].as_f64() < Some(1.5) && !recovery["high"].is_null(), "{recovery}");
}

#[test]
fn the_plan_tells_what_is_done_when_and_what_that_means_for_tokens() {
    let sandbox = Sandbox::with(OUTAGE);
    let said = sandbox.ended(&["plan", "case.toml"]).stdout;
    assert!(said.contains("kill authorization-server at 2 s, start authorization-server at 4 s"), "{said}");
    assert!(said.contains("a store in memory is lost with its authorization server"), "{said}");
    let told = parsed(&sandbox.ended(&["plan", "case.toml", "--json"]).stdout);
    assert_eq!(told["trials"][0]["events"][1]["at_seconds"], 4.0);
    assert_eq!(told["trials"][0]["events"][1]["what"], "start");
}

#[test]
fn an_event_that_cannot_happen_is_refused_before_anything_is_started() {
    refused(
        &OUTAGE.replace("kill = \"authorization-server\"", "kill = \"authorisation-server\""),
        &["case.toml:21: event[0].kill", "did you mean \"authorization-server\"?"],
    );
    refused(
        &OUTAGE.replace("at = \"4s\"", "at = \"7s\""),
        &["case.toml:24: event[1].at", "7s is not within the measured time", "load.duration = 6s"],
    );
}
