//! What is done to the servers of a trial while they are measured, and what that does to the figures.

use crate::plan::{Plan, Subject, Workload};
use crate::scenario::{EventTarget, Intervention, TargetRole};
use crate::units::Offset;

/// In words: every event by the time from the beginning of the measured window, then what a store in memory makes of them.
pub(super) fn text(plan: &Plan) -> Vec<String> {
    let Some(trial) = plan.trials.first() else { return Vec::new() };
    let workload = &trial.workload;
    let events: Vec<String> = workload
        .timeline
        .interventions()
        .map(|(due, intervention, target)| {
            format!("{} {target} at {} s", intervention.name(), seconds(workload, due))
        })
        .collect();
    if events.is_empty() {
        return Vec::new();
    }
    let mut lines =
        vec![format!("events of each trial, from the beginning of the measured time: {}", events.join(", "))];
    lines.push(
        "what is due while servers are disturbed, or until they have recovered, is told apart: latency, cost, closed forms and warnings are of \
         undisturbed time"
            .to_owned(),
    );
    lines.extend(forgets(plan));
    lines.extend(unconcerned(plan));
    lines
}

/// What becomes of tokens when the authorization server is killed.
fn forgets(plan: &Plan) -> Option<String> {
    let is_killed =
        plan.trials.first()?.workload.timeline.interventions().any(|(_, intervention, target)| {
            intervention == Intervention::Kill && target.role == TargetRole::AuthorizationServer
        });
    let in_memory = plan.trials.iter().any(|trial| trial.subject.store.kind() == "memory");
    (is_killed && in_memory).then(|| {
        "a store in memory is lost with its authorization server: started again, it knows neither the tokens nor the revocations of \
         before, so whoever asks it refuses those tokens for good, and whoever polls its list accepts those that were revoked"
            .to_owned()
    })
}

/// Subjects that have no such server go on undisturbed.
fn unconcerned(plan: &Plan) -> Option<String> {
    let gateways = |subject: &Subject| subject.architecture.hops().count() > 1;
    let mut of_gateways =
        plan.trials.first()?.workload.timeline.interventions().map(|(_, _, target)| target.role);
    let without = super::subjects(plan).into_iter().filter(|subject| !gateways(subject));
    let names: Vec<&str> = without.map(|subject| subject.name.as_str()).collect();
    let are_told = of_gateways.any(|role| role == TargetRole::Gateway) && !names.is_empty();
    are_told.then(|| format!("without a gateway, to which therefore nothing is done: {}", names.join(", ")))
}

/// The same for programs.
pub(super) fn json(workload: &Workload) -> Vec<serde_json::Value> {
    let event = |(due, intervention, target): (Offset, Intervention, EventTarget)| {
        serde_json::json!({
            "at_seconds": seconds(workload, due),
            "what": intervention.name(),
            "target": target.to_string(),
        })
    };
    workload.timeline.interventions().map(event).collect()
}

fn seconds(workload: &Workload, due: Offset) -> f64 {
    due.since(workload.window_start()).as_secs_f64()
}
