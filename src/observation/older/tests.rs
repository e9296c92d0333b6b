//! Recordings of older versions, whole and malformed.

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
const VERSION_3: &str = include_str!("../../../tests/recordings/version-3.jsonl");

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
    let shares: Vec<_> = cached.workload.bad_shares().map(|(bad, share)| (bad.are_active, share)).collect();
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
    assert!(cached.nodes[1].looks.iter().all(|look| look.counters.keys().all(|path| path.starts_with('/'))));
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
        assert!(summary.estimates[&MetricId::WrongAnswers].point.abs() < 1e-9);
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

#[test]
fn a_line_that_is_no_recording_is_an_error_whatever_it_is_instead() {
    for line in [
        "[3]",
        r#"{"schema":3}"#,
        r#"{"schema":3,"subject":{},"load":{"seconds":[1]}}"#,
        r#"{"schema":3,"subject":[1],"workload":[2],"usage":3,"revocations":[[4]],"load":[5],"failure":6}"#,
        r#"{"schema":3,"subject":{},"workload":{"resource_servers":4000000000},"usage":[1]}"#,
        r#"{"schema":3,"subject":[],"load":{"seconds":[[]],"generators":[1]}}"#,
    ] {
        assert!(read(line, 3).is_err(), "{line}");
    }
    // Nor is one of which a part is something else.
    let whole: Value = serde_json::from_str(VERSION_3.lines().next().unwrap()).unwrap();
    for name in ["subject", "workload", "usage", "revocations", "load"] {
        for other in
            [json!(1), json!([1]), json!([[1]]), json!("text"), json!({ "seconds": [1], "probes": 1 })]
        {
            let mut facts = whole.clone();
            facts[name] = other;
            assert!(read(&facts.to_string(), 3).is_err(), "{name}: {}", facts[name]);
        }
    }
}

#[test]
fn a_staleness_that_no_version_had_is_an_error_and_not_taken_for_a_server_of_somebody_elses() {
    let mut facts: Value = serde_json::from_str(VERSION_3.lines().next().unwrap()).unwrap();
    facts["subject"]["staleness"] = json!({ "kind": "made_up" });
    let error = read(&facts.to_string(), 3).unwrap_err().to_string();
    assert!(error.contains("made_up"), "{error}");
}

#[test]
fn a_server_of_somebody_elses_has_no_nodes() {
    let foreign = trial(1, |facts| {
        facts["subject"]["staleness"] = json!({ "kind": "external" });
        (facts["usage"], facts["revocations"]) = (json!([]), json!([]));
    });
    assert_eq!(foreign.subject.design, Design::UNKNOWN);
    assert!(foreign.nodes.is_empty(), "{:?}", foreign.nodes);
}
