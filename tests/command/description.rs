//! Commands that tell what is there and what would be done.

use serde_json::Value;

use crate::sandbox::{SMALL, Sandbox};

#[test]
fn plan_tells_subjects_load_cores_and_time_and_starts_nothing() {
    let sandbox = Sandbox::with(SMALL);
    let told = sandbox.ended(&["plan", "case.toml", "--set", "repetitions=3"]).exits(0);
    for words in
        ["Does it work?", "100 req/s", "control", "opaque", "cores", "trials", ": 6", "errors<100%", "7s"]
    {
        assert!(told.stdout.contains(words), "no {words:?} in {told:#?}");
    }
    assert_eq!(std::fs::read_dir(sandbox.path()).unwrap().count(), 1);
}

#[test]
fn plan_is_the_same_for_the_same_seed_and_another_for_another() {
    let sandbox = Sandbox::with(SMALL);
    let plan = |seed: &str| {
        let told = sandbox.ended(&["plan", "case.toml", "--json", "--set", seed]).exits(0);
        serde_json::from_str::<Value>(&told.stdout).unwrap()
    };
    assert_eq!(plan("seed=5"), plan("seed=5"));
    assert_ne!(plan("seed=5")["trials"][0]["seed"], plan("seed=6")["trials"][0]["seed"]);
}

#[test]
fn every_repetition_measures_every_subject_in_an_order_of_its_own() {
    let sandbox = Sandbox::with(SMALL);
    let told = sandbox.ended(&["plan", "case.toml", "--json", "--set", "repetitions=20"]).exits(0);
    let plan: Value = serde_json::from_str(&told.stdout).unwrap();
    let trials = plan["trials"].as_array().unwrap();
    let first: Vec<&str> = trials.chunks(2).map(|pair| pair[0]["subject"].as_str().unwrap()).collect();
    for pair in trials.chunks(2) {
        assert_eq!(pair[0]["repetition"], pair[1]["repetition"]);
        assert_ne!(pair[0]["subject"], pair[1]["subject"]);
    }
    assert!(first.contains(&"control") && first.contains(&"opaque"), "{first:?}");
}

#[test]
fn check_says_of_every_subject_whether_its_answers_were_right() {
    let sandbox = Sandbox::with(SMALL);
    let told = sandbox.ended(&["check", "case.toml"]).exits(0);
    let lines: Vec<&str> = told.stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{told:#?}");
    assert!(lines.iter().all(|line| line.starts_with("ok")), "{told:#?}");
    assert!(lines.iter().all(|line| line.contains("0 wrong answers, 0 errors")), "{told:#?}");
    assert_eq!(std::fs::read_dir(sandbox.path()).unwrap().count(), 1, "a check leaves nothing behind");
}

/// `SMALL` with a subject that keeps answers and one that asks nobody.
fn cached_and_local() -> String {
    let cached = "{ kind = \"introspection-cached\", ttl = \"1s\" }";
    let jwt = "\n[[subject]]\nname = \"local\"\narchitecture = \"jwt\"\nsignature = \"ES256\"\n";
    SMALL.replace(
        "name = \"opaque\"\narchitecture = \"introspection\"",
        &format!("name = \"cached\"\narchitecture = {cached}"),
    ) + jwt
}

#[test]
fn plan_tells_the_law_of_reuse_and_how_often_a_cache_should_decide() {
    let sandbox = Sandbox::with(&cached_and_local());
    let told = sandbox.ended(&["plan", "case.toml"]).exits(0);
    for words in ["100 live, reused by zipf", "by weights expired 1, garbage 1", "expected of cached: "] {
        assert!(told.stdout.contains(words), "no {words:?} in {told:#?}");
    }
    assert_eq!(told.stdout.matches("expected of").count(), 1, "{told:#?}");
    let change = ["--set", "tokens.reuse={ kind = \"working-set\", size = 9, churn = 2 }"];
    let told = sandbox.ended(&[&["plan", "case.toml", "--json"], &change[..]].concat()).exits(0);
    let plan: Value = serde_json::from_str(&told.stdout).unwrap();
    assert_eq!(plan["tokens"]["live"], 100);
    assert_eq!(plan["tokens"]["reuse"]["size"], 9);
    assert_eq!(plan["tokens"]["mix"]["expired"], 1);
    for trial in plan["trials"].as_array().unwrap() {
        let ratio = trial["expected_hit_ratio"].as_f64();
        assert_eq!(
            ratio.is_some_and(|ratio| 0.0 < ratio && ratio < 1.0),
            trial["subject"] == "cached",
            "{trial}"
        );
    }
}

#[test]
fn a_revoked_token_is_refused_by_who_asks_and_not_called_wrong_where_nobody_does() {
    let sandbox = Sandbox::with(&cached_and_local());
    let change = ["--set", "tokens.bad=0.5", "--set", "tokens.mix={ revoked = 1 }"];
    let told = sandbox.ended(&[&["check", "case.toml"], &change[..]].concat()).exits(0);
    assert_eq!(told.stdout.matches("0 wrong answers, 0 errors").count(), 3, "{told:#?}");
    let by_design = |subject: &str| {
        let line = told.stdout.lines().find(|line| line.contains(subject)).unwrap();
        line.contains("revoked tokens accepted: by design")
    };
    assert!(by_design("local") && !by_design("cached"), "{told:#?}");
}

#[test]
fn list_tells_every_name_with_a_summary_as_text_and_as_json() {
    let sandbox = Sandbox::with(SMALL);
    let told = sandbox.ended(&["list"]).exits(0).stdout;
    let listed: Value = serde_json::from_str(&sandbox.ended(&["list", "--json"]).exits(0).stdout).unwrap();
    let sections = listed.as_object().unwrap();
    assert!(sections.len() >= 5, "{:?}", sections.keys());
    for (role, rows) in sections {
        assert!(told.contains(role.as_str()), "no {role:?} in {told}");
        for row in rows.as_array().unwrap() {
            let (name, summary) = (row["name"].as_str().unwrap(), row["summary"].as_str().unwrap());
            assert!(!summary.is_empty() && told.contains(name) && told.contains(summary), "{row}");
        }
    }
}

#[test]
fn every_listed_architecture_can_be_planned_by_the_name_it_is_listed_under() {
    let sandbox = Sandbox::with(SMALL);
    let listed: Value = serde_json::from_str(&sandbox.ended(&["list", "--json"]).exits(0).stdout).unwrap();
    for row in listed["validation architecture"].as_array().unwrap() {
        let name = row["name"].as_str().unwrap();
        let subject = format!("subject=[{{ architecture = \"{name}\", signature = \"ES256\" }}]");
        let told = sandbox.ended(&["plan", "case.toml", "--set", &subject]);
        // A setting without a default is the one thing that may be missing.
        assert!(told.code == Some(0) || told.stderr.contains("missing field"), "{told:#?}");
    }
}

#[test]
fn help_that_was_asked_for_is_data() {
    let sandbox = Sandbox::with(SMALL);
    assert!(sandbox.ended(&["--help"]).exits(0).stdout.contains("Exit codes"));
    assert!(sandbox.ended(&["--version"]).exits(0).stdout.starts_with("bearerbench "));
}
