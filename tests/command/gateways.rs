//! Runs with a gateway before each resource server.

use serde_json::{Value, json};

use crate::full_run::{parsed, text};
use crate::sandbox::{Sandbox, is_starved, refused};

const SCENARIO: &str = r#"question = "What does a gateway cost?"
thresholds = ["errors<=100%", "wrong_answers<1"]
repetitions = 1
[load]
rate = 150
warmup = "300ms"
duration = "3s"
resource_servers = 2
connections = 8

[tokens]
live = 50
bad_per_kind = 5
mix = { expired = 1, garbage = 1, "wrong audience" = 1, tampered = 1, unknown = 1, revoked = 1 }

[revocation]
tokens = 3

[[subject]]
name = "jwt"
architecture = "jwt"
signature = "ES256"

[[subject]]
name = "phantom"
architecture = { kind = "phantom-token", gateway = { ttl = "500ms" } }
signature = "ES256"

[[subject]]
name = "split"
architecture = { kind = "split-token", gateway = { ttl = "500ms" } }
signature = "ES256"

[[subject]]
name = "exchange"
architecture = { kind = "token-exchange", gateway = { ttl = "500ms" } }
signature = "ES256"
extra_claims = "2KB"

[[subject]]
name = "hybrid"
architecture = { kind = "hybrid", gateway = { ttl = "500ms" } }
signature = "ES256"
"#;

#[test]
fn a_gateway_and_the_server_behind_it_answer_rightly_and_cost_what_both_take() {
    let sandbox = Sandbox::with(SCENARIO);
    let ended = sandbox.run(&["--json"]).exits_as_judged(&sandbox.out(), 0);
    let trials: Vec<Value> = text(&sandbox.out().join("recording.jsonl")).lines().map(parsed).collect();
    let trial = |name: &str| trials.iter().find(|trial| trial["subject"]["name"] == name).unwrap();
    let phantom = trial("phantom");
    let nodes = phantom["nodes"].as_array().unwrap();
    let found: Vec<Value> =
        nodes.iter().map(|node| json!([node["name"], node["role"], node["hop"]])).collect();
    let expected = json!([
        ["load generator", "client", 0],
        ["authorization server", "authorization_server", 0],
        ["gateway 1", "gateway", 0],
        ["gateway 2", "gateway", 0],
        ["resource server 1", "resource_server", 1],
        ["resource server 2", "resource_server", 1],
    ]);
    assert_eq!(json!(found), expected);
    let bytes = |name: &str| trial(name)["subject"]["readable_claims"]["bytes"].as_u64().unwrap();
    for (name, format, longest, readable) in [
        ("jwt", "jwt", 1_000, 8),
        ("phantom", "opaque", 43, 0),
        ("split", "signature", 86, 0),
        ("exchange", "jwt", 4_000, 9),
        ("hybrid", "opaque", 43, 0),
    ] {
        let subject = &trial(name)["subject"];
        assert_eq!(subject["token_format"], format);
        assert!(subject["token_characters"][2].as_u64() <= Some(longest), "{subject}");
        assert_eq!(subject["readable_claims"]["members"], readable, "{subject}");
        assert_eq!(bytes(name) > 0, readable > 0, "{subject}");
    }
    for (name, unreadable) in [("jwt", 5), ("phantom", 0), ("split", 0), ("exchange", 5), ("hybrid", 0)] {
        let bad = trial(name)["workload"]["bad_tokens"].as_array().unwrap();
        let of = |kind: &str| bad.iter().find(|bad| bad["kind"] == kind).unwrap()["unreadable"].as_u64();
        let [garbage, unknown] = ["garbage", "unknown"].map(|kind| of(kind).unwrap_or(0));
        assert_eq!([garbage, unknown], [unreadable, 0], "{name}: {bad:?}");
    }
    assert_eq!(bytes("exchange"), bytes("jwt") + 2_000);
    for event in phantom["events"].as_array().unwrap() {
        for probe in event["what"]["probes"].as_array().unwrap() {
            assert!([2, 3].iter().any(|gateway| probe["node"] == *gateway), "decided inside: {probe}");
        }
    }
    let hops = |trial: &Value, hop: u64| {
        let nodes = trial["nodes"].as_array().unwrap().iter().filter(|node| node["hop"] == hop);
        nodes.map(|node| node["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let mut behind = hops(trial("hybrid"), 1);
    behind.sort_unstable();
    let services = ["1 (introspection)", "1 (jwt)", "2 (introspection)", "2 (jwt)"];
    assert_eq!(behind, services.map(|which| format!("resource server {which}")));
    if is_starved(&trials) {
        return;
    }

    let summary = parsed(&ended.stdout);
    let metric = |subject: &str, metric: &str| {
        let subjects = summary["subjects"].as_array().unwrap();
        let subject = subjects.iter().find(|summary| summary["name"] == subject).unwrap();
        subject["metrics"][metric]["point"].as_f64().unwrap_or_else(|| panic!("no {metric}: {subject}"))
    };
    for subject in ["phantom", "split", "exchange"] {
        assert!(metric(subject, "wrong_answers") < 1.0, "{subject}");
        let last = metric(subject, "propagation.max");
        assert!(last < 1.5, "{subject}: accepted for {last} s, while the gateway keeps answers for 0.5 s");
        let calls = metric(subject, "amplification");
        assert!(calls > 0.1 && calls < 0.9, "{subject}: some of the answers are kept: {calls}");
        let hits = metric(subject, "hit_ratio");
        assert!((1.0 - hits - calls).abs() < 0.1, "{subject}: nobody but the gateway asks: {hits}, {calls}");
        let [one, two] = ["jwt", subject].map(|subject| metric(subject, "cpu.resource_server"));
        assert!(two > 1.3 * one, "{subject}: CPU time of both servers counts: {two} beside {one}");
    }
    let nodes = |subject: &str| {
        let subjects = summary["subjects"].as_array().unwrap();
        let subject = subjects.iter().find(|summary| summary["name"] == subject).unwrap();
        subject["nodes"].as_array().cloned().unwrap_or_default()
    };
    assert!(metric("hybrid", "wrong_answers") < 1.0);
    assert!(metric("hybrid", "propagation.max") < 1.5);
    // Every other request that is passed on is one more call.
    let calls = metric("hybrid", "amplification") - (1.0 - metric("hybrid", "hit_ratio"));
    assert!(calls > 0.35 && calls < 0.55, "{calls} calls per request of those behind the gateway");
    assert_eq!((nodes("jwt").len(), nodes("phantom").len(), nodes("hybrid").len()), (0, 5, 7));
    let cpu = nodes("hybrid")
        .iter()
        .filter_map(|node| node["cpu_seconds_per_million_requests"].as_f64())
        .sum::<f64>();
    let whole = metric("hybrid", "cpu.resource_server") + metric("hybrid", "cpu.authorization_server");
    assert!((cpu / whole - 1.0).abs() < 0.05, "{cpu} beside {whole}");
}

#[test]
fn jwts_that_nobody_signs_are_refused_before_anything_starts() {
    let unsigned = SCENARIO.replace("\"500ms\" } }\nsignature = \"ES256\"", "\"500ms\" } }");
    refused(&unsigned, &["\"phantom-token\" verifies signatures", "signature = \"ES256\""]);
}
