//! Runs whose resource servers are pushed to.

use serde_json::Value;

use crate::full_run::{parsed, text};
use crate::sandbox::{Sandbox, is_starved};

const SCENARIO: &str = r#"question = "How soon does a push arrive?"
thresholds = ["errors<=100%"]
repetitions = 1
[load]
rate = 100
warmup = "300ms"
duration = "3s"
resource_servers = 2
connections = 8

[tokens]
live = 20

[revocation]
tokens = 4

[[subject]]
name = "listed"
architecture = "jwt-deny-list-pushed"
signature = "ES256"
thresholds = ["channel.delay(p(99))<10s"]

[[subject]]
name = "cached"
architecture = { kind = "introspection-cached", ttl = "60s", push = true }
thresholds = ["channel.delay(med)<10s"]

[[subject]]
name = "asking"
architecture = "introspection"
"#;

#[test]
fn every_server_to_which_revocations_are_pushed_says_when_it_knew_of_each() {
    let sandbox = Sandbox::with(SCENARIO);
    let ended = sandbox.run(&["--json"]).exits_as_judged(&sandbox.out(), 0);
    let trials: Vec<Value> = text(&sandbox.out().join("recording.jsonl")).lines().map(parsed).collect();
    for trial in &trials {
        let name = trial["subject"]["name"].as_str().unwrap();
        let learned = trial["learned"].as_array().unwrap();
        let mut pairs: Vec<[u64; 2]> = learned
            .iter()
            .map(|learned| ["node", "event"].map(|part| learned[part].as_u64().unwrap()))
            .collect();
        pairs.sort_unstable();
        let all: Vec<[u64; 2]> = (2..4).flat_map(|node| (0..4).map(move |event| [node, event])).collect();
        assert_eq!(pairs, if name == "asking" { Vec::new() } else { all }, "{name}");
        for learned in learned {
            let event = &trial["events"][usize::try_from(learned["event"].as_u64().unwrap()).unwrap()];
            let [at, began] = [&learned["at"], &event["began"]].map(|instant| instant.as_u64().unwrap());
            assert!(at > began, "{name}: not before it was revoked: {learned} {event}");
            // What it was told it goes by: no probe that was sent later is accepted.
            let probes = event["what"]["probes"].as_array().unwrap().iter();
            let later =
                probes.filter(|probe| probe["node"] == learned["node"] && probe["sent"].as_u64() > Some(at));
            for probe in later {
                assert_eq!(probe["accepted"], false, "{name}: {learned} {probe}");
            }
        }
    }
    if is_starved(&trials) {
        return;
    }
    let summary = parsed(&ended.stdout);
    let delay = |name: &str| {
        let subjects = summary["subjects"].as_array().unwrap();
        let subject = subjects.iter().find(|subject| subject["name"] == name).unwrap();
        let of = |metric: &str| subject["metrics"][metric]["point"].as_f64();
        ["channel.delay.p50", "channel.delay.p99"].map(of)
    };
    for name in ["listed", "cached"] {
        let [median, p99] = delay(name).map(Option::unwrap);
        assert!(median <= p99 && p99 < 10.0, "{name}: {median} {p99}");
    }
    assert_eq!(delay("asking"), [None; 2]);
    let holding = summary["thresholds"].as_array().unwrap().iter();
    let holding = holding.filter(|verdict| verdict["threshold"].as_str().unwrap().starts_with("channel"));
    assert!(holding.clone().count() == 2 && holding.clone().all(|verdict| verdict["outcome"] == "holds"));
    let report = text(&sandbox.out().join("report.md"));
    assert!(report.contains("channel delay p50") && report.contains("**channel delay**"));
}
