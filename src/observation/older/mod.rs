//! Reads recordings of versions 1 to 3 as facts of version 4: what they do not know is absent, and nothing else of the program knows of them.

use serde::Deserialize;
use serde::de::{Error as _, IgnoredAny};
use serde_json::{Error, Value, from_value, json};

use crate::observation::{NOT_TOLD_APART, REVOKED, Recording, SCHEMA, Sealed, VALID};

/// Reads the facts of a trial of any version up to the present one.
pub(super) fn read(text: &str, version: u32) -> serde_json::Result<Recording> {
    let is_present = version == SCHEMA && !has_form_of_3(text)?;
    if is_present { serde_json::from_str(text) } else { from_value(upgraded(serde_json::from_str(text)?)?) }
}

/// Version 4 had the form of 3, with gaps added, until its own was settled.
fn has_form_of_3(text: &str) -> serde_json::Result<bool> {
    #[derive(Deserialize)]
    struct Form {
        subject: SubjectForm,
    }
    #[derive(Deserialize)]
    struct SubjectForm {
        design: Option<IgnoredAny>,
    }
    let found: Form = serde_json::from_str(text)?;
    Ok(found.subject.design.is_none())
}

/// The same facts in the form of version 4. What has no form at all is left as it is: reading it as a recording tells what is wrong.
fn upgraded(mut recording: Value) -> serde_json::Result<Value> {
    replace(&mut recording, "schema", json!(SCHEMA));
    recording.get_mut("subject").map_or(Ok(()), subject)?;
    recording.get_mut("workload").into_iter().for_each(workload);
    let nodes = nodes(&recording)?;
    take(&mut recording, "usage");
    supply(&mut recording, "nodes", nodes);
    let events = listed(&recording, "revocations")?.into_iter().map(event).collect();
    take(&mut recording, "revocations");
    supply(&mut recording, "events", events);
    supply(&mut recording, "learned", json!([]));
    if let Some(reason) = recording["failure"].as_str() {
        let failure = match reason {
            "interrupted" => json!({ "kind": "interrupted" }),
            reason => json!({ "kind": "error", "reason": reason }),
        };
        replace(&mut recording, "failure", failure);
    }
    let sends_bad = recording["workload"]["bad_fraction"] != 0.0;
    if let Some(load) = recording.get_mut("load").filter(|load| load.is_object()) {
        self::load(load, sends_bad);
    }
    Ok(recording)
}

/// Takes a member out of an object.
fn take(object: &mut Value, name: &str) -> Option<Value> {
    object.as_object_mut()?.remove(name)
}

/// Gives an object another value for a member.
fn replace(object: &mut Value, name: &str, value: Value) {
    if let Some(members) = object.as_object_mut() {
        members.insert(name.to_owned(), value);
    }
}

/// What a list holds that is a member of an object; nothing if there is no such member.
fn listed(object: &Value, name: &str) -> serde_json::Result<Vec<Value>> {
    match object.get(name) {
        None => Ok(Vec::new()),
        Some(Value::Array(list)) => Ok(list.clone()),
        Some(_) => Err(Error::custom(format!("{name:?} is no list"))),
    }
}

/// The same, to be changed where it stands.
fn elements<'a>(object: &'a mut Value, name: &str) -> impl Iterator<Item = &'a mut Value> {
    object.get_mut(name).and_then(Value::as_array_mut).into_iter().flatten()
}

/// Gives an object a member that it lacks.
fn supply(object: &mut Value, name: &str, value: Value) {
    if let Some(members) = object.as_object_mut() {
        members.entry(name).or_insert(value);
    }
}

fn subject(subject: &mut Value) -> serde_json::Result<()> {
    supply(subject, "parts", json!({}));
    let is_http2 = subject["wire"].as_str().is_some_and(|wire| wire.starts_with("HTTP/2"));
    supply(subject, "http", json!(if is_http2 { "2" } else { "1.1" }));
    design(subject)
}

/// How long a revoked token may be accepted was named by kind.
fn design(subject: &mut Value) -> serde_json::Result<()> {
    let Some(staleness) = take(subject, "staleness") else { return Ok(()) };
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
        Some("external") => ("unknown", asks("unknown"), false),
        _ => return Err(Error::custom(format!("no subject has the staleness {staleness}"))),
    };
    let mut design = json!({ "checks": checks, "asks": asks, "authenticates": authenticates });
    if staleness["kind"] == "until_expiry" {
        design["leeway_seconds"] = number("leeway_seconds");
    }
    supply(subject, "design", design);
    Ok(())
}

fn workload(workload: &mut Value) {
    // Before version 3 there was one law, told by its exponent.
    if let Some(exponent) = take(workload, "zipf_exponent") {
        supply(workload, "reuse", json!({ "kind": "zipf", "exponent": exponent }));
    }
    let process = workload["arrivals"].as_str().map_or(Value::Null, process);
    supply(workload, "arrival_process", process);
    let kinds = take(workload, "bad_kinds").unwrap_or_default();
    let weights = take(workload, "bad_weights").unwrap_or_default();
    let bad = |(index, kind): (usize, &Value)| {
        // Before version 3 the kinds came in equal parts.
        let weight = weights.get(index).cloned().unwrap_or(json!(1));
        json!({ "kind": kind, "weight": weight, "are_active": kind == "wrong audience" })
    };
    let bad_tokens = kinds.as_array().into_iter().flatten().enumerate().map(bad).collect();
    supply(workload, "bad_tokens", bad_tokens);
}

/// The arrival process, of which there are words alone. Settings are not read back from them.
fn process(words: &str) -> Value {
    match words {
        "constant" | "poisson" => json!(words),
        _ => Value::Null,
    }
}

/// The load generator and the authorization server.
const BEFORE_RESOURCE_SERVERS: u64 = 2;

/// Every sample told of all processes, which always were one load generator, one authorization server and some resource servers: none of
/// them where the server was somebody else's.
fn nodes(recording: &Value) -> serde_json::Result<Value> {
    if recording["subject"]["design"]["checks"] == "unknown" {
        return Ok(json!([]));
    }
    let resource_servers = &recording["workload"]["resource_servers"];
    // More of them than that never ran on one machine.
    let resource_servers = resource_servers.as_u64().and_then(|servers| u16::try_from(servers).ok());
    let resource_servers =
        resource_servers.ok_or_else(|| Error::custom("\"resource_servers\" is no number below 65,536"))?;
    let samples = listed(recording, "usage")?;
    let node = |name: String, role: &str, of: &dyn Fn(&Value) -> Value| {
        let looks: Vec<Value> = samples.iter().map(|sample| look(&sample["at"], of(sample))).collect();
        json!({ "name": name, "role": role, "hop": 0, "looks": looks })
    };
    let mut nodes = vec![node("load generator".to_owned(), "client", &|sample| sample["generator"].clone())];
    let server = "authorization_server";
    nodes.push(node("authorization server".to_owned(), server, &|sample| sample[server].clone()));
    for number in 0..usize::from(resource_servers) {
        let name = format!("resource server {}", number + 1);
        nodes.push(node(name, "resource_server", &|sample| sample["resource_servers"][number].clone()));
    }
    Ok(json!(nodes))
}

/// The calls of an authorization server had names, and now the paths of its endpoints.
const CALLS: [(&str, &str); 4] =
    [("introspections", "/introspect"), ("key_sets", "/jwks"), ("issued", "/token"), ("revoked", "/revoke")];

/// What a sample told of a process: its usage beside its counters.
fn look(at: &Value, mut counters: Value) -> Value {
    let mut look =
        take(&mut counters, "process").unwrap_or_else(|| std::mem::replace(&mut counters, json!({})));
    for (name, path) in CALLS {
        if let Some(count) = take(&mut counters, name) {
            supply(&mut counters, path, count);
        }
    }
    supply(&mut look, "at", at.clone());
    supply(&mut look, "counters", counters);
    look
}

/// Revocations were all that happened.
fn event(mut revocation: Value) -> Value {
    let mut moved = |name: &str| take(&mut revocation, name).unwrap_or_default();
    let (due, began, ended) = (moved("due"), moved("sent"), moved("acknowledged"));
    for probe in elements(&mut revocation, "probes") {
        let server = take(probe, "resource_server").and_then(|server| server.as_u64()).unwrap_or(0);
        supply(probe, "node", json!(server + BEFORE_RESOURCE_SERVERS));
    }
    supply(&mut revocation, "kind", json!("revocation"));
    json!({ "due": due, "began": began, "ended": ended, "what": revocation })
}

fn load(load: &mut Value, sends_bad: bool) {
    for (name, nothing) in [("generators", json!([])), ("gaps", json!([])), ("lost", json!(0))] {
        supply(load, name, nothing);
    }
    let unseen = serde_json::to_value(Sealed::default()).expect("a distribution has a JSON form");
    for thread in elements(load, "generators") {
        let polls = thread["precision"] == "busy" || thread["precision"] == "spin";
        supply(thread, "polls", json!(polls));
    }
    for second in elements(load, "seconds") {
        supply(second, "served", unseen.clone());
        let outcomes = outcomes(&second["outcomes"], sends_bad);
        replace(second, "outcomes", outcomes);
    }
}

/// Counts that told apart how answers came out, but neither of which class the requests were that were planned, sent and failed, nor the bad
/// tokens that were refused: those stand together, unless every token was valid.
fn outcomes(old: &Value, sends_bad: bool) -> Value {
    let rest = json!({ "planned": old["planned"], "sent": old["sent"], "errors": old["errors"] });
    let mut valid = json!({ "planned": 0, "sent": 0 });
    let mut classes = json!({});
    if sends_bad {
        let mut together = rest;
        together["refused"] = old["bad_refused"].clone();
        classes[NOT_TOLD_APART] = together;
    } else {
        valid = rest;
    }
    valid["accepted"] = old["good_accepted"].clone();
    valid["refused"] = old["good_refused"].clone();
    classes[VALID] = valid;
    let mut accepted = old["bad_accepted"].as_object().cloned().unwrap_or_default();
    accepted.extend(old.get("stale_accepted").map(|count| (REVOKED.to_owned(), count.clone())));
    for (kind, count) in accepted.into_iter().filter(|(_, count)| *count != 0) {
        classes[kind] = json!({ "planned": 0, "sent": 0, "accepted": count });
    }
    json!({ "classes": classes, "sent_again": old.get("sent_again").cloned().unwrap_or(json!({})) })
}

#[cfg(test)]
mod tests;
