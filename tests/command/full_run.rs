//! A run from its scenario to its report.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::program::Ended;
use crate::sandbox::{Sandbox, is_starved};

/// A subject of every kind, a second each.
pub(crate) const FIVE: &str = r#"question = "Which one?"
thresholds = ["errors<=100%", "wrong_answers<1"]
repetitions = 1
[load]
rate = 150
warmup = "300ms"
duration = "1s"
resource_servers = 2
connections = 8

[tokens]
live = 200
bad_per_kind = 10

[revocation]
tokens = 3

[[subject]]
architecture = "none"

[[subject]]
architecture = "introspection"

[[subject]]
architecture = { kind = "introspection-cached", ttl = "2s" }

[[subject]]
architecture = "jwt"
signature = "ES256"

[[subject]]
architecture = "jwt"
signature = "ML-DSA-65"
"#;

pub(crate) const SUBJECTS: [&str; 5] =
    ["none", "introspection", "introspection-cached ttl 2s", "jwt ES256", "jwt ML-DSA-65"];

/// One run that many tests look at.
pub(crate) static RUN: LazyLock<(Sandbox, Ended)> = LazyLock::new(|| {
    let sandbox = Sandbox::lasting("full-run", FIVE);
    let ended = sandbox.run(&["--json"]).exits_as_judged(&sandbox.out(), 0);
    (sandbox, ended)
});

pub(crate) fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub(crate) fn parsed(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON and nothing else")
}

pub(crate) fn trials() -> Vec<Value> {
    text(&RUN.0.out().join("recording.jsonl")).lines().map(parsed).collect()
}

#[test]
fn a_run_writes_every_file_and_json_to_standard_output_only() {
    let (sandbox, ended) = &*RUN;
    for file in ["recording.jsonl", "summary.json", "report.html", "report.md"] {
        assert!(!text(&sandbox.out().join(file)).is_empty(), "{file} is empty");
    }
    for subject in ["none", "introspection-cached-ttl-2s", "jwt-ML-DSA-65"] {
        for (ending, first) in [("hlog", "#[Histogram log format version 1.3]"), ("hgrm", "       Value")] {
            let file = sandbox.out().join(format!("{subject}.{ending}"));
            assert!(text(&file).starts_with(first), "{}", file.display());
        }
    }
    let charts: Vec<_> = fs::read_dir(sandbox.out().join("charts")).unwrap().collect();
    assert!(charts.len() >= 3, "{charts:?}");
    assert_eq!(parsed(&ended.stdout), parsed(&text(&sandbox.out().join("summary.json"))));
    assert!(fs::metadata(sandbox.out().join("report.html")).unwrap().len() < 1_000_000);
}

#[test]
fn progress_is_plain_lines_where_standard_error_is_no_terminal() {
    let (_, ended) = &*RUN;
    let (invalid, lines): (Vec<&str>, Vec<&str>) =
        ended.stderr.lines().partition(|line| line.starts_with("bearerbench: the run is invalid"));
    assert_eq!((invalid.len(), lines.len()), (usize::from(ended.code == Some(12)), 6), "{ended:#?}");
    for (line, number) in lines.iter().zip(1..=5) {
        assert!(line.starts_with(&format!("[{number}/5] ")) && line.contains("150 req/s for 1s"), "{line}");
    }
    assert_eq!(lines[5], "report: out/report.html");
    assert!(!ended.stderr.contains(['\r', '\x1b']), "{ended:#?}");
}

#[test]
fn the_summary_has_every_subject_in_the_order_of_the_scenario_and_all_answers_right() {
    if is_starved(&trials()) {
        return;
    }
    let summary = parsed(&RUN.1.stdout);
    assert_eq!(
        (summary["scenario"].as_str(), summary["question"].as_str()),
        (Some("case"), Some("Which one?"))
    );
    let subjects = summary["subjects"].as_array().unwrap();
    let names: Vec<&str> = subjects.iter().map(|subject| subject["name"].as_str().unwrap()).collect();
    assert_eq!(names, SUBJECTS);
    for subject in subjects {
        let point = |metric: &str| subject["metrics"][metric]["point"].as_f64();
        let name = &subject["name"];
        assert_eq!(point("errors"), Some(0.0), "{name}");
        assert!(point("throughput") > Some(50.0), "{name}: {:?}", point("throughput"));
        assert!(point("latency.p50") > Some(0.0), "{name}");
        assert_eq!(point("wrong_answers") == Some(0.0), subject["control"] == false, "{name}");
        assert!(["valid", "suspect", "invalid"].iter().any(|word| subject["verdict"] == *word), "{name}");
        assert!(point("latency.max") >= point("latency.p999"), "{name}");
        assert!(point("latency.first_byte.p50") > Some(0.0) && point("connect.p50") > Some(0.0), "{name}");
        assert!(point("latency.wait.p99").is_some() && point("generator.cpu") > Some(0.0), "{name}");
        let answered: f64 = subject["classes"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|class| class["requests"].as_f64())
            .sum();
        assert!(answered > 50.0, "{name}: {answered}");
        assert!(subject["metrics"]["cpu.resource_server"]["unit"].is_string(), "{name}");
    }
    let amplification = |index: usize| subjects[index]["metrics"]["amplification"]["point"].as_f64().unwrap();
    // Servers are read one after the other: on a busy machine some requests fall between two readings.
    let [asked, cached, local] = [1, 2, 3].map(amplification);
    assert!((asked - 1.0).abs() < 0.3, "introspection asks once a request: {asked}");
    assert!(cached < 0.6, "a cache asks less often: {cached}");
    assert!(local < 0.1, "a JWT asks nobody: {local}");
    for verdict in summary["thresholds"].as_array().unwrap() {
        let unusable = json!({ "not_shown": "unusable" });
        assert!(verdict["outcome"] == "holds" || verdict["outcome"] == unusable, "{verdict}");
    }
}

#[test]
fn the_generator_stays_below_150_megabytes() {
    for trial in trials() {
        let generator = &trial["nodes"][0];
        assert_eq!(generator["role"], "client");
        let looks = generator["looks"].as_array().unwrap();
        let peak = looks.last().expect("a look at the end")["peak_bytes"].as_u64().unwrap();
        assert!(peak < 150_000_000, "{}: {peak}", trial["subject"]["name"]);
        assert!(peak > 1_000_000, "no process is that small: {peak}");
    }
}

#[test]
fn the_facts_say_on_what_and_how_they_were_taken() {
    let trials = trials();
    assert_eq!(trials.len(), 5);
    for trial in &trials {
        assert!(trial["failure"].is_null(), "{}", trial["failure"]);
        assert_eq!(trial["seed"], trials[0]["seed"]);
        assert_eq!(trial["environment"]["bearerbench"], env!("CARGO_PKG_VERSION"));
        let roles: Vec<_> = trial["nodes"].as_array().unwrap().iter().map(|node| &node["role"]).collect();
        assert_eq!(roles, ["client", "authorization_server", "resource_server", "resource_server"]);
        let last = trial["nodes"][2]["looks"].as_array().unwrap().last().expect("a look at the end");
        assert!(last["counters"]["requests"].as_u64() > Some(0) && last["pid"].as_u64() > Some(1), "{last}");
        assert_eq!((trial["events"].as_array().unwrap().len(), &trial["learned"]), (3, &json!([])));
        let event = &trial["events"][0];
        assert_eq!((&event["what"]["kind"], &event["failure"]), (&json!("revocation"), &Value::Null));
        assert!(event["ended"].as_u64() > event["began"].as_u64(), "{event}");
        assert!(event["what"]["probes"].as_array().unwrap().len() > 3);
    }
}
