//! Reads recordings of versions 1 to 3 as facts of version 4: what they do not know is absent, and nothing else of the program knows of them.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, from_value, json};

use crate::observation::{Recording, SCHEMA, Sealed};

/// Reads the facts of a trial of any version up to the present one.
pub(super) fn read(text: &str, version: u32) -> serde_json::Result<Recording> {
    let is_present = version == SCHEMA && !has_form_of_3(text)?;
    if is_present { serde_json::from_str(text) } else { from_value(upgraded(serde_json::from_str(text)?)) }
}

/// Version 4 had the form of 3, with gaps added, until its own was settled.
fn has_form_of_3(text: &str) -> serde_json::Result<bool> {
    #[derive(Deserialize)]
    struct Subjects {
        subject: Design,
    }
    #[derive(Deserialize)]
    struct Design {
        design: Option<IgnoredAny>,
    }
    let found: Subjects = serde_json::from_str(text)?;
    Ok(found.subject.design.is_none())
}

/// The same facts in the form of version 4.
fn upgraded(mut recording: Value) -> Value {
    subject(&mut recording["subject"]);
    workload(&mut recording["workload"]);
    if let Some(load) = recording.get_mut("load").filter(|load| load.is_object()) {
        self::load(load);
    }
    recording
}

/// Takes a member out of an object.
fn take(object: &mut Value, name: &str) -> Option<Value> {
    object.as_object_mut()?.remove(name)
}

/// Gives an object a member that it lacks.
fn supply(object: &mut Value, name: &str, value: Value) {
    if let Some(members) = object.as_object_mut() {
        members.entry(name).or_insert(value);
    }
}

/// How long a revoked token may be accepted was named by kind.
fn subject(subject: &mut Value) {
    let Some(staleness) = take(subject, "staleness") else { return };
    let asks = |kind: &str| json!({ "kind": kind });
    let number = |name: &str| staleness[name].clone();
    let (checks, asks, authenticates) = match staleness["kind"].as_str() {
        Some("unchecked") => ("nothing", asks("never"), false),
        Some("asked_every_time") => ("tokens", asks("every_request"), true),
        Some("cached") => {
            let lifetime = number("ttl_seconds");
            ("tokens", json!({ "kind": "on_miss", "cache_lifetime_seconds": lifetime }), true)
        }
        Some("until_expiry") => ("tokens", asks("never"), false),
        _ => ("unknown", asks("unknown"), false),
    };
    let mut design = json!({ "checks": checks, "asks": asks, "authenticates": authenticates });
    if staleness["kind"] == "until_expiry" {
        design["leeway_seconds"] = number("leeway_seconds");
    }
    supply(subject, "design", design);
}

fn workload(workload: &mut Value) {
    // Before version 3 there was one law, told by its exponent.
    if let Some(exponent) = take(workload, "zipf_exponent") {
        supply(workload, "reuse", json!({ "kind": "zipf", "exponent": exponent }));
    }
    supply(workload, "bad_weights", json!([]));
}

fn load(load: &mut Value) {
    for (name, nothing) in [("generators", json!([])), ("gaps", json!([])), ("lost", json!(0))] {
        supply(load, name, nothing);
    }
    let unseen = serde_json::to_value(Sealed::default()).expect("a distribution has a JSON form");
    for second in load["seconds"].as_array_mut().into_iter().flatten() {
        supply(second, "served", unseen.clone());
        supply(&mut second["outcomes"], "stale_accepted", json!(0));
        supply(&mut second["outcomes"], "sent_again", json!({}));
    }
}
