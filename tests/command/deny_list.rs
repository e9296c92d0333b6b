//! A run with resource servers that poll what the authorization server of the test bed publishes for them.

use serde_json::Value;

use crate::full_run::{parsed, text};
use crate::sandbox::{SMALL, Sandbox, is_starved};

#[test]
fn revoked_tokens_are_refused_soon_beside_a_polled_list_and_never_beside_none() {
    let scenario = SMALL.replace("duration = \"1s\"", "duration = \"3s\"").replace(
        "name = \"opaque\"\narchitecture = \"introspection\"",
        "name = \"local\"\narchitecture = \"jwt\"\nsignature = \"ES256\"",
    ) + "\n[[subject]]\nname = \"polled\"\narchitecture = { kind = \"jwt-deny-list\", poll = \"300ms\" }\nsignature = \"ES256\"\n";
    let sandbox = Sandbox::with(&scenario);
    let ended = sandbox.run(&["--json"]).exits_as_judged(&sandbox.out(), 0);
    let trials: Vec<Value> = text(&sandbox.out().join("recording.jsonl")).lines().map(parsed).collect();
    if is_starved(&trials) {
        return;
    }
    let summary = parsed(&ended.stdout);
    let metric = |subject: &str, metric: &str| {
        let subjects = summary["subjects"].as_array().unwrap();
        let subject = subjects.iter().find(|summary| summary["name"] == subject).unwrap();
        subject["metrics"][metric]["point"].as_f64()
    };
    assert_eq!(metric("polled", "wrong_answers"), Some(0.0));
    let last = metric("polled", "propagation.max").expect("the tokens were refused in the end");
    assert!(last < 1.0, "accepted for {last} s");
    let [polled, local] =
        ["polled", "local"].map(|subject| metric(subject, "unsafe_acceptances").expect("tokens were probed"));
    assert!(polled < local, "{polled} unsafe acceptances, {local} where nobody tells of a revocation");
}
