//! What would run, as JSON.

use crate::cli::plan::{expected_hit_ratio, timeline};
use crate::plan::{Plan, Pool};
use crate::units::{Offset, Rate};

/// What runs, for programs.
pub(super) fn json(plan: &Plan) -> String {
    let trials = plan.trials.iter().map(|trial| {
        serde_json::json!({
            "subject": trial.subject.name,
            "architecture": trial.subject.architecture,
            "signature": trial.subject.signature,
            "store": trial.subject.store,
            "sender": trial.subject.sender,
            "wire": trial.subject.wire,
            "extra_claims": trial.subject.extra_claims,
            "resource_servers": trial.subject.resource_servers,
            "resource_server_processes": plan.placement.processes(trial.subject.resource_servers).len(),
            "probes_per_second": trial.workload.probes_per_second(),
            "rate": trial.workload.pace.rate().map(Rate::per_second),
            "repetition": trial.repetition,
            "seed": trial.seed,
            "design": trial.subject.architecture.design(),
            "expected_hit_ratio": expected_hit_ratio(plan, trial),
            "events": timeline::json(&trial.workload),
            "revocations_seconds": trial.workload.timeline.revocations().map(Offset::seconds).collect::<Vec<_>>(),
        })
    });
    serde_json::json!({
        "scenario": plan.name,
        "question": plan.question,
        "tokens": plan.trials.first().map(|trial| tokens(&trial.workload.pool)),
        "resource_server_processes": plan.trials.iter().map(|trial| {
            plan.placement.processes(trial.subject.resource_servers).len()
        }).max(),
        "cores": { "generators": plan.placement.generators, "servers": plan.placement.servers },
        "search": plan.search.as_ref().map(|search| search.threshold.to_string()),
        "load_seconds": plan.load_time().as_secs_f64(),
        "trials": trials.collect::<Vec<_>>(),
    })
    .to_string()
}

fn tokens(pool: &Pool) -> serde_json::Value {
    let mix = pool.mix.iter().map(|(kind, weight)| (kind.name().to_owned(), (*weight).into()));
    serde_json::json!({
        "live": pool.live,
        "churn": pool.churn.map(Rate::per_second),
        "reuse": pool.reuse,
        "bad": pool.bad_fraction,
        "mix": mix.collect::<serde_json::Map<_, _>>(),
        "bad_per_kind": pool.bad_per_kind,
    })
}
