//! Commands that tell what is there and what would be done.

use serde_json::Value;

use crate::sandbox::{SMALL, Sandbox};

#[test]
fn plan_tells_subjects_load_cores_and_time_and_starts_nothing() {
    let sandbox = Sandbox::with(SMALL);
    let told = sandbox.ended(&["plan", "case.toml", "--set", "repetitions=3"]).exits(0);
    for words in
        ["Does it work?", "100 req/s", "control", "opaque", "cores", "trials", ": 6", "errors<=100%", "7s"]
    {
        assert!(told.stdout.contains(words), "no {words:?} in {told:#?}");
    }
    assert_eq!(std::fs::read_dir(sandbox.path()).unwrap().count(), 1);
}

#[test]
fn plan_tells_how_requests_travel_and_names_subjects_that_differ_in_it_alone() {
    let subject = "architecture = \"introspection\"";
    let own = "wire = { http = \"2\", tls = { key_exchange = \"X25519MLKEM768\" } }";
    let scenario = SMALL.replace("name = \"opaque\"", "").replace(subject, &format!("{subject}\n{own}"));
    let scenario = scenario.replace("connections = 4", "connections = 4\nwire = { socket = \"unix\" }");
    let sandbox = Sandbox::with(&format!("{scenario}\n[[subject]]\n{subject}"));
    let told = sandbox.ended(&["plan", "case.toml"]).exits(0);
    let own = "HTTP/2 over TLS 1.3 (X25519MLKEM768), TCP";
    for words in [&format!("introspection, {own} (round 1)"), "store memory, HTTP/1.1, Unix socket"] {
        assert!(told.stdout.contains(words), "no {words:?} in {told:#?}");
    }
    let plan: Value =
        serde_json::from_str(&sandbox.ended(&["plan", "case.toml", "--json"]).exits(0).stdout).unwrap();
    let trials = plan["trials"].as_array().unwrap();
    let wire = |name: &str| trials.iter().find(|trial| trial["subject"] == name).unwrap()["wire"].clone();
    assert_eq!(wire("introspection")["socket"], "unix");
    assert_eq!(wire(&format!("introspection, {own}"))["http"], "2");
}

#[test]
fn plan_tells_that_answers_are_signed_where_no_tokens_are_and_lets_their_claims_be_large() {
    let signed = "architecture = \"introspection-signed\"\nsignature = \"ES256\"\nextra_claims = \"60KB\"";
    let sandbox = Sandbox::with(&SMALL.replace("architecture = \"introspection\"", signed));
    let told = sandbox.ended(&["plan", "case.toml"]).exits(0);
    for words in [
        "introspection-signed, opaque tokens, answers about them signed with ES256, store memory",
        "of groups in the answers of the authorization server, none in its tokens",
    ] {
        assert!(told.stdout.contains(words), "no {words:?} in {told:#?}");
    }
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
fn the_first_instants_of_a_plan_are_the_same_for_every_subject_and_as_json() {
    let sandbox = Sandbox::with(SMALL);
    let told = |more: &[&str]| {
        let arguments = [&["plan", "case.toml", "--instants", "12"], more].concat();
        sandbox.ended(&arguments).exits(0).stdout
    };
    let lines = told(&[]);
    assert_eq!(lines, told(&["--only", "control"]));
    assert_eq!(lines, told(&["--only", "opaque"]));
    assert!(lines.starts_with("# case: requests of repetition 1, seed "), "{lines}");
    assert_eq!(lines.lines().count(), 2 + 12, "{lines}");
    let plan: Value = serde_json::from_str(&told(&["--json"])).unwrap();
    let requests = plan["requests"].as_array().unwrap().iter().map(|request| {
        let nanos = request["due_nanos"].as_u64().unwrap();
        let (seconds, rest) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
        let (server, index) = (&request["resource_server"], &request["token_index"]);
        format!("{seconds}.{rest:09},{server},{},{index}", request["token_class"].as_str().unwrap())
    });
    assert_eq!(lines.lines().skip(2).collect::<Vec<_>>(), requests.collect::<Vec<_>>());
}

#[test]
fn what_a_plan_prints_can_be_replayed_as_a_trace() {
    let sandbox = Sandbox::with(&SMALL.replace("tokens = 2", "tokens = 0"));
    let told = |changes: &[&str]| {
        let arguments = [&["plan", "case.toml", "--instants", "50"], changes].concat();
        sandbox.ended(&arguments).exits(0).stdout
    };
    let instants = |lines: &str| {
        let rows = lines.lines().skip(2).map(|line| line.split(',').next().unwrap().to_owned());
        let nanos = rows.map(|seconds| seconds.replace('.', "").parse::<u64>().unwrap());
        nanos.collect::<Vec<_>>()
    };
    let written = told(&[]);
    std::fs::write(sandbox.path().join("trace.csv"), &written).unwrap();
    let trace = "load.arrivals={ kind = \"trace\", file = \"trace.csv\", speed = \"as recorded\" }";
    let first = instants(&written)[0];
    let shifted: Vec<u64> = instants(&written).iter().map(|at| at - first).collect();
    assert_eq!(instants(&told(&["--set", trace])), shifted);
    let described = sandbox.ended(&["plan", "case.toml", "--set", trace]).exits(0).stdout;
    assert!(described.contains("trace file trace.csv, speed as recorded, its own rate "), "{described}");
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
    for words in [
        "100 live, reused by zipf",
        "by weights expired 1, garbage 1",
        "by design cached accepts a revoked token for at most 1 s; cache lifetime 1 s\n",
        "expected of cached: ",
    ] {
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
        assert_eq!(trial["design"]["authenticates"], trial["subject"] == "cached");
        let ratio = trial["expected_hit_ratio"].as_f64();
        assert_eq!(
            ratio.is_some_and(|ratio| 0.0 < ratio && ratio < 1.0),
            trial["subject"] == "cached",
            "{trial}"
        );
    }
}

#[test]
fn plan_tells_what_bounds_a_revoked_token_in_an_outage_where_that_is_another_time() {
    let all = "ttl = \"1s\", negative = \"500ms\", refresh_ahead = 0.2, stale_if_error = \"30s\"";
    let sandbox = Sandbox::with(&cached_and_local().replace("ttl = \"1s\"", all));
    let told = sandbox.ended(&["plan", "case.toml"]).exits(0);
    let words = "by design cached accepts a revoked token for at most 1 s, and for at most 31 s while the authorization server \
                 cannot be asked; cache lifetime 1 s; negative lifetime 0.5 s; refresh ahead 0.2 s; stale if error 30 s\n";
    assert!(told.stdout.contains(words), "{told:#?}");
    assert_eq!(told.stdout.matches("cannot be asked").count(), 1, "{told:#?}");
}

#[test]
fn beside_a_polled_list_a_plan_counts_the_fetch_and_a_check_says_what_is_fetched() {
    let list = "{ kind = \"jwt-deny-list\", poll = \"5s\" }";
    let sandbox = Sandbox::with(&SMALL.replace(
        "name = \"opaque\"\narchitecture = \"introspection\"",
        &format!("name = \"polled\"\nsignature = \"ES256\"\narchitecture = {list}"),
    ));
    let told = sandbox.ended(&["plan", "case.toml"]).exits(0);
    let words = "polled accepts a revoked token for at most 5 s and the time of one fetch; poll interval 5 s";
    assert!(told.stdout.contains(words), "{told:#?}");
    let change = ["--set", "tokens.bad=0.5", "--set", "tokens.mix={ revoked = 1 }"];
    let told = sandbox.ended(&[&["check", "case.toml"], &change[..]].concat()).exits(0);
    assert!(!told.stdout.contains("nobody is asked"), "{told:#?}");
}

#[test]
fn a_revoked_token_is_refused_by_who_asks_and_not_called_wrong_where_nobody_does() {
    let sandbox = Sandbox::with(&cached_and_local());
    let change = ["--set", "tokens.bad=0.5", "--set", "tokens.mix={ revoked = 1 }"];
    let told = sandbox.ended(&[&["check", "case.toml"], &change[..]].concat()).exits(0);
    assert_eq!(told.stdout.matches("0 wrong answers, 0 errors").count(), 3, "{told:#?}");
    let by_design = |subject: &str| {
        let line = told.stdout.lines().find(|line| line.contains(subject)).unwrap();
        line.contains("revoked tokens accepted: by design, nobody is asked")
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
fn every_listed_architecture_and_sender_constraint_is_explained_by_its_name_and_a_slip_of_one_is_told() {
    let sandbox = Sandbox::with(SMALL);
    let topics = sandbox.ended(&["explain"]).exits(0).stdout;
    let listed: Value = serde_json::from_str(&sandbox.ended(&["list", "--json"]).exits(0).stdout).unwrap();
    for row in listed["validation architecture"].as_array().unwrap() {
        let (name, summary) = (row["name"].as_str().unwrap(), row["summary"].as_str().unwrap());
        assert!(topics.contains(summary), "no {summary:?} in {topics}");
        let told = sandbox.ended(&["explain", name]).exits(0).stdout;
        assert!(told.contains("Data flow") && told.contains("Settings"), "{told}");
        let facts: Value =
            serde_json::from_str(&sandbox.ended(&["explain", name, "--json"]).exits(0).stdout).unwrap();
        assert_eq!((&facts["name"], &facts["summary"]), (&row["name"], &row["summary"]));
        let settings = facts["settings"].as_array().unwrap().iter();
        for setting in settings.filter(|setting| setting["required"] == true) {
            // One of a table stands behind the name of that and a dot.
            let place = format!("/{}", setting["name"].as_str().unwrap().replace('.', "/"));
            assert!(facts["example"].pointer(&place).is_some(), "no {place} in {facts}");
        }
    }
    for row in listed["sender constraint"].as_array().unwrap() {
        let (name, summary) = (row["name"].as_str().unwrap(), row["summary"].as_str().unwrap());
        assert!(topics.contains(summary), "no {summary:?} in {topics}");
        let told = sandbox.ended(&["explain", name]).exits(0).stdout;
        assert!(told.contains("What a stolen token is worth") && told.contains("Settings"), "{told}");
        let facts: Value =
            serde_json::from_str(&sandbox.ended(&["explain", name, "--json"]).exits(0).stdout).unwrap();
        assert_eq!((&facts["name"], &facts["summary"]), (&row["name"], &row["summary"]));
    }
    let slip = sandbox.refused(&["explain", "jwt-deny-lst"]).exits(2);
    slip.says(&["unknown topic \"jwt-deny-lst\"", "did you mean \"jwt-deny-list\"?"]);
}

#[test]
fn help_that_was_asked_for_is_data() {
    let sandbox = Sandbox::with(SMALL);
    assert!(sandbox.ended(&["--help"]).exits(0).stdout.contains("Exit codes"));
    assert!(sandbox.ended(&["--version"]).exits(0).stdout.starts_with("bearerbench "));
}
