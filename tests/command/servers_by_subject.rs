//! Runs in which subjects have numbers of resource servers of their own.

use serde_json::Value;

use crate::full_run::{parsed, text};
use crate::sandbox::{Sandbox, is_starved};

const SCENARIO: &str = r#"question = "What do more gateways ask?"
thresholds = ["errors<=100%", "wrong_answers<1"]
repetitions = 1
[load]
rate = 400
warmup = "300ms"
duration = "3s"
resource_servers = 4
connections = 4

[tokens]
live = 60
bad = 0.1
bad_per_kind = 5

[revocation]
tokens = 2
probes = 5

[[subject]]
name = "local"
architecture = "jwt"
signature = "ES256"

[[subject]]
name = "one"
architecture = { kind = "introspection-cached", ttl = "700ms" }
resource_servers = 1

[[subject]]
name = "four"
architecture = { kind = "introspection-cached", ttl = "700ms" }
"#;

#[test]
fn subjects_with_one_and_four_servers_have_the_same_requests_and_caches_as_the_closed_form_says() {
    let sandbox = Sandbox::with(SCENARIO);
    let plan = sandbox.ended(&["plan", "case.toml"]).stdout;
    assert!(
        plan.contains("resource servers by subject: 1 (one); 4 (local, four), 4 connections to each"),
        "{plan}"
    );
    assert!(plan.contains("probed 20 times a second each, spread over the resource servers"), "{plan}");
    let instants = sandbox.ended(&["plan", "case.toml", "--instants", "3"]).stdout;
    assert!(instants.contains("due_seconds,place,token_class,token_index"), "{instants}");
    let same = sandbox.ended(&["plan", "case.toml", "--instants", "3", "--only", "four"]).stdout;
    assert!(same.contains("due_seconds,resource_server,token_class,token_index"), "{same}");

    let ended = sandbox.run(&["--json"]).exits_as_judged(&sandbox.out(), 0);
    let trials: Vec<Value> = text(&sandbox.out().join("recording.jsonl")).lines().map(parsed).collect();
    let trial = |name: &str| trials.iter().find(|trial| trial["subject"]["name"] == name).unwrap();
    let [one, four] = [trial("one"), trial("four")];
    for (trial, servers, probes) in [(one, 1, 20.0), (four, 4, 5.0)] {
        assert_eq!(trial["workload"]["resource_servers"], servers);
        assert_eq!(trial["workload"]["probe_rate"], probes);
        let nodes = trial["nodes"].as_array().unwrap().iter();
        assert_eq!(nodes.filter(|node| node["role"] == "resource_server").count(), servers);
    }
    let by_tenth = |trial: &Value, of: &str| -> Vec<u64> {
        let tenths = trial["popularity"].as_array().expect("it keeps answers");
        tenths.iter().map(|tenth| tenth[of].as_u64().unwrap()).collect()
    };
    assert!(trial("local").get("popularity").is_none(), "it keeps none");
    assert_eq!(by_tenth(one, "tokens"), [6; 10]);
    assert_eq!(
        by_tenth(one, "requests"),
        by_tenth(four, "requests"),
        "the same requests with the same tokens"
    );
    if is_starved(&trials) {
        return;
    }
    let planned = |trial: &Value, class: &str| -> u64 {
        let seconds = trial["load"]["seconds"].as_array().unwrap().iter();
        seconds.filter_map(|second| second["outcomes"]["classes"][class]["planned"].as_u64()).sum()
    };
    for class in ["valid", "expired", "unknown"] {
        assert_eq!(planned(one, class), planned(four, class), "{class}");
    }
    assert_eq!(planned(one, "valid"), by_tenth(one, "requests").iter().sum::<u64>());

    let summary = parsed(&ended.stdout);
    let subject = |name: &str| {
        let subjects = summary["subjects"].as_array().unwrap();
        subjects.iter().find(|subject| subject["name"] == name).unwrap().clone()
    };
    let hits = |name: &str, tenth: usize| subject(name)["popularity"][tenth]["hit_ratio"].as_f64().unwrap();
    for (name, servers) in [("one", 1), ("four", 4)] {
        assert_eq!(subject(name)["resource_servers"], servers);
        for tenth in subject(name)["popularity"].as_array().unwrap() {
            assert_eq!(tenth["agreement"], "agrees", "{name}: {tenth}");
        }
        assert!(hits(name, 0) > hits(name, 9) + 0.05, "{name}: {} and {}", hits(name, 0), hits(name, 9));
    }
    assert!(hits("one", 9) > hits("four", 9) + 0.1, "{} and {}", hits("one", 9), hits("four", 9));
    let report = text(&sandbox.out().join("report.md"));
    assert!(report.contains("by 1 to 4 resource servers"), "{report}");
    assert!(report.contains("## Hit ratio by popularity of the token\n"), "{report}");
    assert!(text(&sandbox.out().join("report.html")).contains("tenth of the tokens"));
}
