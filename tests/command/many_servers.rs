//! Runs with more resource servers than have a process each.

use serde_json::Value;

use crate::full_run::{parsed, text};
use crate::sandbox::{Sandbox, is_starved};

const SCENARIO: &str = r#"question = "What do fifty gateways ask?"
thresholds = ["errors<=100%", "wrong_answers<1"]
repetitions = 1
[load]
rate = 400
warmup = "500ms"
duration = "3s"
resource_servers = 50
connections = 1

[tokens]
live = 10
bad = 0
reuse = "uniform"

[revocation]
tokens = 0

[[subject]]
name = "cached"
architecture = { kind = "introspection-cached", ttl = "1s" }
"#;

/// A machine of two cores has one for its servers.
const PROCESSES: usize = 8;

#[test]
fn fifty_resource_servers_share_processes_and_ask_as_often_as_the_closed_form_says() {
    let sandbox = Sandbox::with(SCENARIO);
    let plan = sandbox.ended(&["plan", "case.toml", "--json"]).stdout;
    let cores = parsed(&plan)["cores"]["servers"].as_array().unwrap().len();
    let processes = (PROCESSES * cores).min(50);
    assert_eq!(parsed(&plan)["resource_server_processes"], processes);
    if processes < 50 {
        let said = sandbox.ended(&["plan", "case.toml"]).stdout;
        assert!(said.contains(&format!("50 resource servers in {processes} processes of at most")), "{said}");
    }
    let ended = sandbox.run(&["--json"]).exits_as_judged(&sandbox.out(), 0);
    let trials: Vec<Value> = text(&sandbox.out().join("recording.jsonl")).lines().map(parsed).collect();
    if is_starved(&trials) {
        return;
    }
    let nodes = trials[0]["nodes"].as_array().unwrap();
    let servers: Vec<&Value> = nodes.iter().filter(|node| node["role"] == "resource_server").collect();
    assert_eq!(servers.len(), 50);
    let of_its_own = servers.iter().filter(|node| node["process_of"].is_null()).count();
    assert_eq!(of_its_own, processes);
    for server in servers {
        let last = server["looks"].as_array().unwrap().last().unwrap();
        // About 28 requests for each: every one has its own cache, which is asked.
        let count = |name: &str| last["counters"][name].as_u64().unwrap();
        assert!(count("cache_misses") >= 3 && count("requests") >= 5, "{server}");
        assert_eq!(last["cpu_nanos"].as_u64() > Some(0), server["process_of"].is_null(), "{server}");
        if let Some(first) = server["process_of"].as_str() {
            let first = nodes.iter().find(|node| node["name"] == first).unwrap();
            assert_eq!(first["looks"][0]["pid"], server["looks"][0]["pid"]);
        }
    }
    let expectations = parsed(&ended.stdout)["subjects"][0]["expectations"].clone();
    let calls = expectations.as_array().unwrap().iter().find(|check| check["metric"] == "amplification");
    let calls = calls.expect("a cache has a closed form");
    assert_eq!(calls["agreement"], "agrees", "{calls}");
    // A token comes to one server 0.8 times a second: most requests are asked about, where two servers would ask about one in ten.
    assert!(calls["measured"].as_f64() > Some(0.4), "{calls}");
}
