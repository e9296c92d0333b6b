//! Reads recordings of versions 1 to 3 as facts of version 4: what they do not know is absent, and nothing else of the program knows of them.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, from_value, json};

use crate::observation::{NOT_TOLD_APART, REVOKED, Recording, SCHEMA, Sealed, VALID};

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
    recording["schema"] = json!(SCHEMA);
    subject(&mut recording["subject"]);
    workload(&mut recording["workload"]);
    let nodes = nodes(&recording["usage"], &recording["workload"]["resource_servers"]);
    take(&mut recording, "usage");
    supply(&mut recording, "nodes", nodes);
    let revocations = take(&mut recording, "revocations").unwrap_or_default();
    let events = revocations.as_array().cloned().unwrap_or_default().into_iter().map(event).collect();
    supply(&mut recording, "events", events);
    supply(&mut recording, "learned", json!([]));
    if let Some(reason) = recording["failure"].as_str() {
        let failure = match reason {
            "interrupted" => json!({ "kind": "interrupted" }),
            reason => json!({ "kind": "error", "reason": reason }),
        };
        recording["failure"] = failure;
    }
    let sends_bad = recording["workload"]["bad_fraction"] != 0.0;
    if let Some(load) = recording.get_mut("load").filter(|load| load.is_object()) {
        self::load(load, sends_bad);
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

fn subject(subject: &mut Value) {
    supply(subject, "parts", json!({}));
    let is_http2 = subject["wire"].as_str().is_some_and(|wire| wire.starts_with("HTTP/2"));
    supply(subject, "http", json!(if is_http2 { "2" } else { "1.1" }));
    design(subject);
}

/// How long a revoked token may be accepted was named by kind.
fn design(subject: &mut Value) {
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

/// Every sample told of all processes, which always were one load generator, one authorization server and some resource servers.
fn nodes(samples: &Value, resource_servers: &Value) -> Value {
    let samples = samples.as_array().cloned().unwrap_or_default();
    let node = |name: String, role: &str, of: &dyn Fn(&Value) -> Value| {
        let looks: Vec<Value> = samples.iter().map(|sample| look(&sample["at"], of(sample))).collect();
        json!({ "name": name, "role": role, "hop": 0, "looks": looks })
    };
    let mut nodes = vec![node("load generator".to_owned(), "client", &|sample| sample["generator"].clone())];
    let server = "authorization_server";
    nodes.push(node("authorization server".to_owned(), server, &|sample| sample[server].clone()));
    for number in 0..usize::try_from(resource_servers.as_u64().unwrap_or(0)).unwrap_or(0) {
        let name = format!("resource server {}", number + 1);
        nodes.push(node(name, "resource_server", &|sample| sample["resource_servers"][number].clone()));
    }
    json!(nodes)
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
    for probe in revocation["probes"].as_array_mut().into_iter().flatten() {
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
    for thread in load["generators"].as_array_mut().into_iter().flatten() {
        let polls = thread["precision"] == "busy" || thread["precision"] == "spin";
        supply(thread, "polls", json!(polls));
    }
    for second in load["seconds"].as_array_mut().into_iter().flatten() {
        supply(second, "served", unseen.clone());
        let outcomes = outcomes(&second["outcomes"], sends_bad);
        second["outcomes"] = outcomes;
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
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::analysis::{Standing, analyse};
    use crate::design::Design;
    use crate::metric::MetricId;
    use crate::observation::{Reuse, Role, TrialFailure};
    use crate::registry::Choice;
    use crate::units::Offset;
    use crate::wire::Http;

    /// Two trials, of a cache and of JWTs, as version 3 recorded them.
    const VERSION_3: &str = include_str!("../../tests/recordings/version-3.jsonl");

    /// A trial of version 3, after `change` was done to it.
    fn trial(number: usize, change: impl FnOnce(&mut Value)) -> Recording {
        let mut facts = serde_json::from_str(VERSION_3.lines().nth(number).unwrap()).unwrap();
        change(&mut facts);
        let version = u32::try_from(facts["schema"].as_u64().unwrap()).unwrap();
        read(&facts.to_string(), version).unwrap()
    }

    fn without(object: &mut Value, names: &[&str]) {
        for name in names {
            assert!(take(object, name).is_some(), "{name}");
        }
    }

    #[test]
    fn a_recording_of_version_3_is_read_without_what_it_did_not_know() {
        let [cached, jwt] = [0, 1].map(|number| trial(number, |_| ()));
        assert_eq!(cached.subject.design, Design::caching(Duration::from_millis(200)));
        assert!(jwt.subject.design.ignores_revocations() && jwt.subject.parts.is_empty());
        assert_eq!(cached.workload.arrival_process, Some(Choice::named("poisson")));
        let shares: Vec<_> =
            cached.workload.bad_shares().map(|(bad, share)| (bad.are_active, share)).collect();
        assert_eq!(shares, [(false, 0.05), (true, 0.05), (false, 0.1)]);
        let load = cached.load.as_ref().unwrap();
        assert!(load.generators[0].polls && load.gaps.is_empty() && load.lost == 0);
        assert_eq!(load.unaccounted(), 0);
        let outcomes = &load.seconds[0].outcomes;
        assert_eq!((outcomes.planned(), outcomes.accepted(), outcomes.refused()), (61, 47, 14));
        let roles: Vec<Role> = cached.nodes.iter().map(|node| node.role).collect();
        assert_eq!(roles, [Role::Client, Role::AuthorizationServer, Role::ResourceServer]);
        let last = cached.nodes[2].looks.last().unwrap();
        assert_eq!((last.counter("requests"), last.counter("cache_hits"), last.pid), (49, 7, None));
        assert!(
            cached.nodes[1].looks.iter().all(|look| look.counters.keys().all(|path| path.starts_with('/')))
        );
        assert!(cached.nodes[0].looks[0].cpu_nanos == 615_041_424 && cached.nodes[1].looks.len() == 3);
        let (event, revocation) = cached.revocations().next().unwrap();
        let nanos = [event.due, event.began, event.ended.unwrap()].map(Offset::nanos);
        assert_eq!(nanos, [911_294_445, 924_042_874, 931_493_681]);
        assert_eq!((revocation.probes.len(), revocation.probes[0].node, cached.learned.len()), (19, 2, 0));
        assert_eq!(outcomes.of(NOT_TOLD_APART).unwrap().refused, 14);
        for summary in analyse(&[cached, jwt]).subjects {
            let p50 = summary.estimates[&MetricId::LatencyP50];
            assert!(p50.standing != Standing::Sound || p50.of_all == Some(p50.point), "no gap is known");
            assert!(!summary.estimates.contains_key(&MetricId::Availability), "absent, not 0");
            assert_eq!(summary.estimates[&MetricId::WrongAnswers].point, 0.0);
            assert!(summary.estimates.contains_key(&MetricId::PropagationMax));
        }
    }

    #[test]
    fn a_recording_of_version_1_is_read_without_what_it_did_not_know() {
        let old = trial(1, |facts| {
            facts["schema"] = json!(1);
            without(facts, &["signature_times", "signature_conditions"]);
            without(&mut facts["subject"], &["scheme", "wire"]);
            without(&mut facts["workload"], &["reuse", "bad_weights", "think_seconds"]);
            facts["workload"]["zipf_exponent"] = json!(0.5);
            without(&mut facts["load"], &["generators", "parts"]);
            facts["workload"]["bad_fraction"] = json!(0.0);
            for second in facts["load"]["seconds"].as_array_mut().unwrap() {
                without(&mut second["outcomes"], &["stale_accepted"]);
                second["outcomes"]["bad_refused"] = json!(0);
            }
        });
        assert!(old.signature_times.is_none() && old.subject.scheme.is_none() && old.subject.wire.is_none());
        assert!(!old.subject.is_control() && old.subject.is_trusted());
        assert_eq!(old.workload.reuse, Reuse::Zipf { exponent: 0.5 });
        assert!(old.workload.bad_tokens.iter().all(|bad| bad.weight == 1));
        let load = old.load.unwrap();
        assert!(load.parts.is_none());
        let outcomes = &load.seconds[0].outcomes;
        assert_eq!(outcomes.of(VALID).unwrap().planned, outcomes.planned(), "no others were sent");
    }

    #[test]
    fn what_was_written_before_the_form_of_version_4_was_settled_is_read_too() {
        let early = trial(0, |facts| {
            facts["schema"] = json!(4);
            facts["failure"] = json!("interrupted");
            facts["subject"]["wire"] = json!("HTTP/2, TCP");
            facts["load"]["lost"] = json!(7);
        });
        assert_eq!((early.failure, early.load.unwrap().lost), (Some(TrialFailure::Interrupted), 7));
        assert_eq!(early.subject.http, Http::Http2);
    }
}
