//! Runs whose clients have short-lived tokens refreshed.

use serde_json::Value;

use crate::full_run::{parsed, text};
use crate::sandbox::{Sandbox, is_starved};

const SCENARIO: &str = r#"question = "What does a short life of tokens cost?"
thresholds = ["errors<=100%", "wrong_answers<1"]
repetitions = 1
[load]
rate = 100
warmup = "500ms"
duration = "8s"
resource_servers = 2
connections = 8

[tokens]
live = 60
bad_per_kind = 5
lifetime = "5m"

[revocation]
tokens = 4

[[subject]]
name = "long"
architecture = "jwt"
signature = "ES256"

[[subject]]
name = "short"
architecture = { kind = "jwt-refresh", life = "3s" }
signature = "ES256"
"#;

#[test]
fn clients_keep_short_lived_tokens_usable_and_a_revocation_ends_that() {
    let sandbox = Sandbox::with(SCENARIO);
    let ended = sandbox.run(&["--json"]).exits_as_judged(&sandbox.out(), 0);
    let trials: Vec<Value> = text(&sandbox.out().join("recording.jsonl")).lines().map(parsed).collect();
    let short = trials.iter().find(|trial| trial["subject"]["name"] == "short").unwrap();
    let refreshing = &short["subject"]["design"]["refreshing"];
    assert_eq!(
        (&refreshing["token_life_seconds"], &refreshing["refresh_margin_seconds"]),
        (&3.0.into(), &2.0.into())
    );
    for event in short["events"].as_array().unwrap() {
        let revoked = event["ended"].as_f64().expect("it was acknowledged") / 1e9;
        let expires = event["what"]["expires_seconds"].as_f64().unwrap();
        assert!(expires > revoked - 0.5 && expires < revoked + 3.0, "{revoked} {expires}");
    }
    if is_starved(&trials) {
        return;
    }

    let summary = parsed(&ended.stdout);
    let metric = |subject: &str, metric: &str| {
        let subjects = summary["subjects"].as_array().unwrap();
        let subject = subjects.iter().find(|summary| summary["name"] == subject).unwrap();
        subject["metrics"][metric]["point"].as_f64().unwrap_or_else(|| panic!("no {metric}: {subject}"))
    };
    assert!(metric("short", "wrong_answers") < 1.0);
    assert!(metric("short", "errors") < 1e-9, "every token was followed by the next in time");
    let last = metric("short", "propagation.max");
    assert!(last > 0.0 && last < 3.1, "accepted for {last} s, and no token lives for more than 3 s");
    assert!(metric("long", "propagation.max") > 3.5, "it lives for 5 min");
    let calls = metric("short", "amplification");
    // A refresh a second for each of 60 tokens, beside 100 requests a second and 160 probes at the most.
    assert!(calls > 0.18 && calls < 0.7, "{calls} calls per request");
    assert!(metric("long", "amplification") < 0.01, "nobody is asked");
}
