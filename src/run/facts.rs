//! What was planned, in the words of a recording.

use std::time::SystemTime;

use crate::auth::architecture;
use crate::observation::{
    Conditions, Cores, Load, Recording, SCHEMA, Scenario, Staleness, Step, Subject, Workload,
};
use crate::plan::{self, BAD_KINDS, Placement, Plan, Trial};
use crate::testbed::{TokenSupply, machine};
use crate::units::Rate;

/// The recording of `trial` before anything was seen.
pub(super) fn blank(plan: &Plan, trial: &Trial) -> Recording {
    Recording {
        schema: SCHEMA,
        scenario: Scenario {
            name: plan.name.clone(),
            question: plan.question.clone(),
            thresholds: plan.thresholds.iter().map(ToString::to_string).collect(),
        },
        subject: subject(trial),
        workload: workload(plan, trial),
        repetition: trial.repetition,
        step: trial.step.as_ref().map(step),
        seed: trial.seed,
        started: humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
        environment: machine::environment(cores(&plan.placement)),
        conditions: Conditions::default(),
        signature_times: None,
        signature_conditions: None,
        load: None,
        revocations: Vec::new(),
        usage: Vec::new(),
        failure: None,
    }
}

/// Which process runs where.
pub fn cores(placement: &Placement) -> Cores {
    Cores {
        generator: match &placement.generators {
            none if none.is_empty() => placement.servers.clone(),
            cores => cores.clone(),
        },
        servers: placement.servers.clone(),
    }
}

fn subject(trial: &Trial) -> Subject {
    let subject = &trial.subject;
    Subject {
        name: subject.name.clone(),
        position: subject.position,
        architecture: subject.architecture.to_string(),
        signature: subject.signature.as_ref().map(ToString::to_string),
        scheme: None,
        store: subject.store.to_string(),
        thresholds: subject.thresholds.iter().map(ToString::to_string).collect(),
        staleness: match subject.architecture.staleness() {
            architecture::Staleness::Unchecked => Staleness::Unchecked,
            architecture::Staleness::AskedEveryTime => Staleness::AskedEveryTime,
            architecture::Staleness::Cached(ttl) => Staleness::Cached { ttl_seconds: ttl.as_secs_f64() },
            architecture::Staleness::UntilExpiry(leeway) => {
                Staleness::UntilExpiry { leeway_seconds: leeway.as_secs_f64() }
            }
        },
        token_characters: None,
    }
}

fn workload(plan: &Plan, trial: &Trial) -> Workload {
    let workload = &trial.workload;
    Workload {
        // What the users of a closed loop sent is known afterwards.
        rate: workload.pace.rate().map_or(0.0, Rate::per_second),
        arrivals: workload.pace.to_string(),
        think_seconds: workload.pace.think().map(|think| think.as_secs_f64()),
        warmup_seconds: workload.warmup.duration().as_secs_f64(),
        window_seconds: workload.window.duration().as_secs_f64(),
        resource_servers: workload.resource_servers,
        connections: workload.connections.get() * workload.streams.get(),
        live_tokens: workload.pool.live.into(),
        zipf_exponent: workload.pool.zipf_exponent,
        bad_fraction: workload.pool.bad_fraction,
        bad_tokens_per_kind: workload.pool.bad_per_kind,
        bad_kinds: BAD_KINDS.iter().map(ToString::to_string).collect(),
        token_lifetime_seconds: plan.lifetime.as_secs_f64(),
        probe_rate: workload.probe_rate.per_second(),
    }
}

fn step(step: &plan::Step) -> Step {
    match step {
        plan::Step::Sweep => Step::Sweep,
        plan::Step::Search { threshold, number } => {
            Step::Search { threshold: threshold.to_string(), number: *number }
        }
    }
}

/// The rate at which the users of a closed loop sent, probes not counted.
pub(super) fn sent_rate(load: &Load) -> f64 {
    let sent: u64 = load.seconds.iter().map(|second| second.outcomes.sent).sum();
    sent as f64 / load.measured_seconds.max(f64::MIN_POSITIVE)
}

/// Size of a live token in characters: smallest, median, largest.
pub(super) fn token_characters(supply: &TokenSupply) -> Option<[u64; 3]> {
    let mut sizes: Vec<u64> = supply.live.iter().map(|token| token.len() as u64).collect();
    sizes.sort_unstable();
    Some([*sizes.first()?, sizes[sizes.len() / 2], *sizes.last()?])
}
