//! The JSON Schemas: what editors are told is what the program takes, and what other programs are told is what it records.

use std::fs;
use std::path::{Path, PathBuf};

use jsonschema::Validator;
use serde_json::{Value, json};

use crate::full_run::{RUN, trials};
use crate::sandbox::{SMALL, Sandbox};

fn printed() -> String {
    Sandbox::with(SMALL).ended(&["schema"]).exits(0).stdout
}

fn validator() -> Validator {
    validator_of(&printed())
}

fn validator_of(schema: &str) -> Validator {
    let schema: Value = serde_json::from_str(schema).expect("the schema is JSON");
    jsonschema::meta::validate(&schema).expect("the schema is one");
    jsonschema::validator_for(&schema).expect("the schema can be used")
}

fn errors(validator: &Validator, scenario: &str) -> Vec<String> {
    let scenario: Value = toml::from_str(scenario).expect("TOML");
    validator.iter_errors(&scenario).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

fn scenarios() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios")
}

#[test]
fn the_schema_file_is_what_the_program_prints() {
    let file = scenarios().join("scenario.schema.json");
    assert!(
        fs::read_to_string(&file).is_ok_and(|kept| kept == printed()),
        "{file:?} is out of date; run: cargo run -- schema > scenarios/scenario.schema.json"
    );
}

#[test]
fn every_shipped_scenario_fits_the_schema_names_it_and_can_be_planned() {
    let validator = validator();
    let mut seen = 0;
    for file in fs::read_dir(scenarios()).unwrap().map(|entry| entry.unwrap().path()) {
        if file.extension().is_some_and(|ending| ending == "toml") {
            let text = fs::read_to_string(&file).unwrap();
            assert!(text.starts_with("#:schema scenario.schema.json\n"), "{file:?}");
            assert_eq!(errors(&validator, &text), [""; 0], "{file:?}");
            Sandbox::with(&text).ended(&["plan", "case.toml"]).exits(0);
            seen += 1;
        }
    }
    assert!(seen > 0, "no scenario is shipped");
}

#[test]
fn the_schema_refuses_what_the_program_refuses() {
    let validator = validator();
    assert_eq!(errors(&validator, SMALL), [""; 0]);
    for (good, bad) in [
        ("rate = 100", "rte = 100"),
        ("rate = 100", "rate = -1"),
        ("rate = 100", "rate = \"fast\""),
        ("duration = \"1s\"", "duration = 1"),
        ("\"introspection\"", "\"introspecton\""),
        ("\"introspection\"", "{ kind = \"introspection-cached\", tll = \"2s\" }"),
        ("\"introspection\"", "{ kind = \"introspection-cached\" }"),
        ("connections = 4", "connections = 0"),
        ("live = 100", "zipf = 1"),
        ("live = 100", "reuse = { kind = \"zipf\", exponent = -1 }"),
        ("live = 100", "reuse = \"working-set\""),
        ("live = 100", "mix = { expird = 1 }"),
        ("live = 100", "mix = { expired = -1 }"),
        ("connections = 4", "wire = { http = \"3\" }"),
        ("connections = 4", "wire = { tls = { resumption = false } }"),
        ("connections = 4", "wire = { tls = { key_exchange = \"X448\" } }"),
        ("rate = 100", ""),
        ("rate = 100", "rate = 100\nsweep = [100]"),
        ("rate = 100", "sweep = [100]\nclosed = {}"),
        ("rate = 100", "sweep = [100]\nsearch = \"p(99)<5ms\""),
        ("rate = 100", "closed = { thinks = \"1s\" }"),
    ] {
        let scenario = SMALL.replace(good, bad);
        assert_ne!(errors(&validator, &scenario), [""; 0], "the schema allows {bad}");
        Sandbox::with(&scenario).refused(&["plan", "case.toml"]).exits(2);
    }
}

#[test]
fn what_a_run_records_fits_the_schema_of_recordings_and_nothing_else_does() {
    let validator = validator_of(&RUN.0.ended(&["schema", "recording"]).exits(0).stdout);
    let trials = trials();
    assert_eq!(trials.len(), 5);
    for trial in &trials {
        let errors = validator.iter_errors(trial).map(|error| format!("{}: {error}", error.instance_path()));
        assert_eq!(errors.collect::<Vec<_>>(), [""; 0]);
    }
    for (member, broken) in [
        ("/schema", json!(3)),
        ("/subject/parts", json!({ "architecture": { "ttl": "2s" } })),
        ("/subject/design/asks", json!({ "kind": "now and then" })),
        ("/load/seconds/0/latency", json!([1, 2, 3])),
        ("/load/seconds/0/slices/due", json!([1, 2, 3])),
        ("/load/seconds/0/outcomes/classes", json!({ "valid": { "planned": -1, "sent": 0 } })),
        ("/nodes/0/role", json!("bystander")),
        ("/nodes/0/looks", json!([{}])),
        ("/events/0/what", json!({ "kind": "earthquake" })),
    ] {
        let mut trial = trials[2].clone();
        *trial.pointer_mut(member).expect("the run recorded it") = broken;
        assert!(!validator.is_valid(&trial), "the schema allows another {member}");
    }
    for member in ["scenario", "subject", "workload", "environment", "events", "nodes"] {
        let mut trial = trials[2].clone();
        trial.as_object_mut().unwrap().remove(member);
        assert!(!validator.is_valid(&trial), "the schema does without {member}");
    }
    let mut trial = trials[2].clone();
    trial["verdict"] = json!("good");
    assert!(!validator.is_valid(&trial), "the schema allows what is no fact");
}
