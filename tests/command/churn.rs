//! Runs in which tokens are replaced while they are in use.

use serde_json::Value;

use crate::full_run::{parsed, text};
use crate::sandbox::{SMALL, Sandbox, is_starved, refused};

const SCENARIO: &str = r#"question = "What does it cost that clients come and go?"
thresholds = ["errors<=100%", "wrong_answers<1"]
repetitions = 1
[load]
rate = 200
warmup = "300ms"
duration = "3s"
resource_servers = 2
connections = 8

[tokens]
live = 20
churn = 40
bad = 0
reuse = "uniform"

[revocation]
tokens = 0

[[subject]]
name = "control"
architecture = "none"

[[subject]]
name = "cached"
architecture = { kind = "introspection-cached", ttl = "60s" }

[[subject]]
name = "signed"
architecture = "jwt"
signature = "ES256"
"#;

#[test]
fn tokens_are_issued_under_the_load_and_no_cache_knows_them_yet() {
    let sandbox = Sandbox::with(SCENARIO);
    let ended = sandbox.run(&["--json"]).exits_as_judged(&sandbox.out(), 0);
    let trials: Vec<Value> = text(&sandbox.out().join("recording.jsonl")).lines().map(parsed).collect();
    if is_starved(&trials) {
        return;
    }
    let due: Vec<&Value> = trials.iter().map(|trial| &trial["churn"]["due"]).collect();
    for trial in &trials {
        let (churn, name) = (&trial["churn"], &trial["subject"]["name"]);
        assert_eq!((&churn["due"], &churn["failed"]), (due[0], &Value::from(0)), "the same for all: {name}");
        assert!(churn["replaced"].as_u64() > Some(100), "of 40 a second for 3.3 s: {churn}");
        let issued = |look: &Value| look["counters"]["/token"].as_u64().unwrap();
        let looks = trial["nodes"][1]["looks"].as_array().unwrap();
        assert!(issued(looks.last().unwrap()) - issued(&looks[0]) > 80, "{looks:?}");
    }
    let summary = parsed(&ended.stdout);
    let subject = |name: &str| {
        let subjects = summary["subjects"].as_array().unwrap();
        subjects.iter().find(|subject| subject["name"] == name).unwrap().clone()
    };
    let value = |name: &str, metric: &str| subject(name)["metrics"][metric]["point"].as_f64().unwrap();
    for name in ["control", "cached", "signed"] {
        assert!((25.0..55.0).contains(&value(name, "churn")) && value(name, "issue.p50") > 0.0, "{name}");
    }
    // Without churn 40 of 600 requests would miss, all of them before the window has well begun.
    assert!(value("cached", "hit_ratio") < 0.85);
    let expectations = subject("cached")["expectations"].to_string();
    assert!(expectations.contains("share of decisions taken from the cache"), "{expectations}");
    assert!(!expectations.contains("disagrees"), "{expectations}");
}

#[test]
fn churn_that_nothing_could_follow_and_of_tokens_that_are_sent_once_is_refused() {
    let with = |churn: &str| SMALL.replace("live = 100\n", &format!("live = 100\n{churn}\n"));
    refused(&with("churn = 1e6"), &["case.toml:13: tokens.churn", "at most 10000 tokens per second"]);
    refused(&with("churn = 0"), &["case.toml:13: tokens.churn", "above 0"]);
    let once = with("churn = 1\nreuse = \"unique\"").replace("live = 100", "live = 10_000");
    refused(&once, &["case.toml:13: tokens.churn", "sends every token once", "leave `churn` away"]);
}
