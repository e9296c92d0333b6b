//! Shipped scenarios cover what they promise.

use std::sync::Arc;
use std::time::Duration;

use crate::auth::architecture::ARCHITECTURES;
use crate::auth::sender::SENDER_CONSTRAINTS;
use crate::auth::store::STORES;
use crate::auth::token::signature::SIGNATURE_SCHEMES;
use crate::plan::{Plan, Trial};
use crate::registry::Part;
use crate::scenario::ScenarioFile;

fn decided(text: &str) -> Plan {
    let file = ScenarioFile::parse("shipped.toml".to_owned(), text, &[]).unwrap();
    Plan::decide(&file, &[], &[0, 1]).unwrap()
}

#[test]
fn the_signature_scenario_compares_every_scheme_of_the_registry() {
    let plan = decided(include_str!("../../scenarios/signatures.toml"));
    for entry in SIGNATURE_SCHEMES.entries {
        let compared = |trial: &Trial| {
            trial.subject.signature.as_ref().is_some_and(|scheme| scheme.kind() == entry.name)
        };
        assert!(plan.trials.iter().any(compared), "{} is missing in scenarios/signatures.toml", entry.name);
    }
}

#[test]
fn the_scenario_of_architectures_compares_every_one_of_the_registry_within_five_minutes() {
    let plan = decided(include_str!("../../scenarios/architectures.toml"));
    for entry in ARCHITECTURES.entries {
        let compared = |trial: &Trial| trial.subject.architecture.kind() == entry.name;
        assert!(
            plan.trials.iter().any(compared),
            "{} is missing in scenarios/architectures.toml",
            entry.name
        );
    }
    let starting = Duration::from_secs(2 * plan.trials.len() as u64);
    assert!(plan.load_time() + starting <= Duration::from_mins(5));
}

#[test]
fn the_scenarios_of_caches_try_every_setting_and_leave_time_to_start_servers_within_three_minutes() {
    let caches = decided(include_str!("../../scenarios/caches.toml"));
    let herd = decided(include_str!("../../scenarios/herd.toml"));
    for plan in [&caches, &herd] {
        // Up to two seconds for each trial.
        let starting = Duration::from_secs(2 * plan.trials.len() as u64);
        assert!(plan.load_time() + starting <= Duration::from_mins(3), "{}", plan.question);
    }
    let is_set = |plan: &Plan, setting: &str| {
        let architectures = plan.trials.iter().map(|trial| trial.subject.architecture.choice());
        architectures.into_iter().any(|choice| choice.settings.contains_key(setting))
    };
    for setting in ["negative", "coalesce", "refresh_ahead", "stale_if_error"] {
        assert!(is_set(&caches, setting), "{setting}");
    }
    assert!(is_set(&herd, "coalesce"));
}

#[test]
fn the_scenarios_of_outages_disturb_every_subject_within_three_minutes() {
    for (text, disturbances) in [
        (include_str!("../../scenarios/outage.toml"), 4),
        (include_str!("../../scenarios/cold-start.toml"), 2),
    ] {
        let plan = decided(text);
        let starting = Duration::from_secs(2 * plan.trials.len() as u64);
        assert!(plan.load_time() + starting <= Duration::from_mins(3), "{}", plan.question);
        for trial in &plan.trials {
            assert_eq!(trial.workload.timeline.interventions().count(), disturbances, "{}", plan.question);
        }
    }
    let kinds: Vec<String> = decided(include_str!("../../scenarios/outage.toml"))
        .trials
        .iter()
        .map(|trial| trial.subject.architecture.to_string())
        .collect();
    for kind in ["none", "introspection", "introspection-cached", "jwt", "jwt-deny-list"] {
        assert!(kinds.iter().any(|found| found.starts_with(kind)), "{kind}");
    }
    assert!(kinds.iter().any(|found| found.contains("stale_if_error")), "{kinds:?}");
}

#[test]
fn the_scenario_of_large_claims_has_each_design_with_and_without_and_ends_within_a_minute_and_a_half() {
    let plan = decided(include_str!("../../scenarios/fat-tokens.toml"));
    for kind in ["introspection-cached", "jwt", "phantom-token", "split-token"] {
        for bytes in [0, 8_000] {
            let compared = |trial: &Trial| {
                trial.subject.architecture.kind() == kind && trial.subject.extra_claims.bytes() == bytes
            };
            assert!(plan.trials.iter().any(compared), "{kind} with {bytes} bytes");
        }
    }
    // A second for each trial.
    assert!(plan.load_time() + Duration::from_secs(plan.trials.len() as u64) <= Duration::from_secs(90));
}

#[test]
fn the_scenario_of_churn_leaves_time_to_start_servers_within_a_minute_and_a_half() {
    let plan = decided(include_str!("../../scenarios/churn.toml"));
    assert!(plan.trials.iter().all(|trial| trial.workload.pool.churn.is_some()));
    assert!(plan.load_time() + Duration::from_secs(plan.trials.len() as u64) <= Duration::from_secs(90));
}

#[test]
fn the_hybrid_scenario_compares_an_estate_with_what_it_is_made_of_within_ninety_seconds() {
    let plan = decided(include_str!("../../scenarios/hybrid.toml"));
    let kinds: Vec<&str> = plan.trials.iter().map(|trial| trial.subject.architecture.kind()).collect();
    for kind in ["hybrid", "phantom-token", "introspection", "jwt"] {
        assert!(kinds.contains(&kind), "{kind}");
    }
    // Five servers of a hybrid estate answer within three seconds, the others sooner.
    let starting = Duration::from_secs(2 * plan.trials.len() as u64);
    assert!(plan.load_time() + starting <= Duration::from_secs(90));
}

#[test]
fn the_scenario_of_senders_compares_a_bearer_with_every_constraint_within_a_minute_and_a_half() {
    let plan = decided(include_str!("../../scenarios/sender-constrained.toml"));
    let starting = Duration::from_secs(2 * plan.trials.len() as u64);
    assert!(plan.load_time() + starting <= Duration::from_secs(90));
    let senders = |kind: &str| -> Vec<Option<&str>> {
        let of_kind = plan.trials.iter().filter(|trial| trial.subject.architecture.kind() == kind);
        of_kind.map(|trial| trial.subject.sender.as_ref().map(Part::kind)).collect()
    };
    for kind in ["jwt", "introspection-cached"] {
        assert!(senders(kind).contains(&None), "{kind}");
        for entry in SENDER_CONSTRAINTS.entries {
            assert!(senders(kind).contains(&Some(entry.name)), "{kind} {}", entry.name);
        }
    }
}

#[test]
fn the_scenario_of_stores_compares_every_store_and_every_promise_within_three_minutes() {
    let plan = decided(include_str!("../../scenarios/stores.toml"));
    for entry in STORES.entries {
        let compared = |trial: &Trial| trial.subject.store.kind() == entry.name;
        assert!(plan.trials.iter().any(compared), "{} is missing in scenarios/stores.toml", entry.name);
    }
    // A postgres takes two seconds more than the servers.
    let starting = Duration::from_secs(4 * plan.trials.len() as u64);
    assert!(plan.load_time() + starting <= Duration::from_mins(3));
}

#[test]
fn gateways_are_compared_at_several_numbers_with_the_same_requests_within_two_minutes() {
    let plan = decided(include_str!("../../scenarios/gateways.toml"));
    for kind in ["introspection-cached", "jwt-deny-list"] {
        let of_kind = plan.trials.iter().filter(|trial| trial.subject.architecture.kind() == kind);
        let mut servers: Vec<u32> = of_kind.map(|trial| trial.subject.resource_servers).collect();
        servers.sort_unstable();
        servers.dedup();
        assert_eq!(servers, [1, 4, 16], "{kind}");
    }
    for round in 0..plan.rounds() {
        let trials: Vec<&Trial> = plan.round(round).map(|(_, trial)| trial).collect();
        assert_eq!(trials.len(), 7);
        let same = |trial: &&Trial| {
            Arc::ptr_eq(&trial.workload, &trials[0].workload) && trial.seed == trials[0].seed
        };
        assert!(trials.iter().all(same), "a schedule is made of the workload and the seed");
    }
    assert!(plan.load_time() + Duration::from_secs(2 * plan.trials.len() as u64) <= Duration::from_mins(2));
}
