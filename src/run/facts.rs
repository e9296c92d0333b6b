//! What was planned, in the words of a recording.

use std::collections::BTreeMap;
use std::time::SystemTime;

use crate::observation::{
    BadTokens, Conditions, Cores, Load, RecordedScenario, Recording, SCHEMA, Step, Subject, Workload,
};
use crate::plan::{self, BadKind, Placement, Plan, Trial};
use crate::registry::Choice;
use crate::testbed::machine;
use crate::units::Rate;
use crate::wire::Wire;

/// The recording of `trial` before anything was seen.
pub(super) fn blank(plan: &Plan, trial: &Trial) -> Recording {
    Recording {
        schema: SCHEMA,
        scenario: RecordedScenario {
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
        churn: None,
        events: Vec::new(),
        learned: Vec::new(),
        nodes: Vec::new(),
        popularity: None,
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
        parts: parts(subject),
        architecture: subject.architecture.to_string(),
        token_format: Some(subject.token_format()),
        signature: subject.signature.as_ref().map(ToString::to_string),
        scheme: None,
        store: subject.store.to_string(),
        http: subject.wire.http,
        wire: (subject.wire != Wire::default()).then(|| subject.wire.to_string()),
        extra_claims_bytes: subject.extra_claims.bytes(),
        thresholds: subject.thresholds.iter().map(ToString::to_string).collect(),
        design: subject.architecture.design(),
        token_characters: None,
        readable_claims: None,
        proof_characters: None,
        handshake_bytes: None,
    }
}

/// Its parts by their role.
fn parts(subject: &plan::Subject) -> BTreeMap<String, Choice> {
    let always = [("architecture", subject.architecture.choice()), ("store", subject.store.choice())];
    let signature = subject.signature.as_ref().map(|scheme| ("signature", scheme.choice()));
    let named = |(role, choice): (&str, &Choice)| (role.to_owned(), choice.clone());
    let sender = subject.sender.as_ref().map(|sender| ("sender", sender.choice()));
    always.into_iter().chain(signature).chain(sender).map(named).collect()
}

/// What a trial sends.
pub fn workload(plan: &Plan, trial: &Trial) -> Workload {
    let workload = &trial.workload;
    Workload {
        // What the users of a closed loop sent is known afterwards.
        rate: workload.pace.rate().map_or(0.0, Rate::per_second),
        arrivals: workload.pace.to_string(),
        arrival_process: workload.pace.arrivals().map(|arrivals| arrivals.choice().clone()),
        think_seconds: workload.pace.think().map(|think| think.as_secs_f64()),
        warmup_seconds: workload.warmup.duration().as_secs_f64(),
        window_seconds: workload.window.duration().as_secs_f64(),
        resource_servers: trial.subject.resource_servers,
        connections: workload.requests_at_once(),
        live_tokens: workload.pool.live.into(),
        churn_per_second: workload.pool.churn.map_or(0.0, Rate::per_second),
        reuse: workload.pool.reuse.facts(),
        bad_fraction: workload.pool.bad_fraction,
        bad_tokens_per_kind: workload.pool.bad_per_kind,
        bad_tokens: workload.pool.mix.iter().map(|(kind, weight)| bad_tokens(*kind, *weight)).collect(),
        token_lifetime_seconds: plan.lifetime.as_secs_f64(),
        probe_rate: workload.probe_rate.per_second() / f64::from(trial.subject.resource_servers),
    }
}

fn bad_tokens(kind: BadKind, weight: u32) -> BadTokens {
    BadTokens { kind: kind.name().to_owned(), weight, are_active: kind.is_active(), unreadable: 0 }
}

fn step(step: &plan::RateStep) -> Step {
    match step {
        plan::RateStep::Sweep => Step::Sweep,
        plan::RateStep::Search { threshold, number } => {
            Step::Search { threshold: threshold.to_string(), number: *number }
        }
    }
}

/// The rate at which the users of a closed loop sent, probes not counted.
pub(super) fn sent_rate(load: &Load) -> f64 {
    let sent: u64 = load.seconds.iter().map(|second| second.outcomes.sent()).sum();
    sent as f64 / load.measured_seconds.max(f64::MIN_POSITIVE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observation::REVOKED;
    use crate::scenario::ScenarioFile;

    #[test]
    fn a_kind_of_bad_tokens_has_the_name_by_which_an_analysis_knows_it() {
        assert_eq!(bad_tokens(BadKind::Revoked, 1).kind, REVOKED);
        let active = BadKind::ALL.map(|kind| bad_tokens(kind, 1)).into_iter().filter(|bad| bad.are_active);
        assert_eq!(active.map(|bad| bad.kind).collect::<Vec<_>>(), ["wrong audience"]);
    }

    #[test]
    fn how_requests_travelled_is_recorded_unless_it_is_the_usual_way() {
        let recorded = |load: &str, subject: &str| {
            let text = format!(
                "question = \"?\"\n[load]\nrate = 1\nduration = \"1s\"\n{load}\n[[subject]]\narchitecture = \"none\"\n{subject}\n"
            );
            let file = ScenarioFile::parse("case.toml".to_owned(), &text, &[]).unwrap();
            let plan = Plan::decide(&file, &[], &[0]).unwrap();
            blank(&plan, &plan.trials[0]).subject.wire
        };
        let http_2 = "wire = { http = \"2\" }";
        assert_eq!(recorded("", ""), None);
        assert_eq!(recorded(http_2, "").as_deref(), Some("HTTP/2, TCP"));
        assert_eq!(
            recorded(http_2, "wire = { socket = \"unix\" }").as_deref(),
            Some("HTTP/1.1, Unix socket")
        );
        assert_eq!(recorded(http_2, "wire = {}"), None);
    }
}
