//! `bearerbench plan`: what would run, on which cores and for how long.

mod instants;
mod json;
mod timeline;
mod trial_servers;

use std::fmt::Write as _;
use std::time::Duration;

use clap::Args;

use crate::arrival::ArrivalProcess;
use crate::auth::sender::SenderEvidence;
use crate::cli::scenario::ScenarioArgs;
use crate::cli::{Exit, bound, output};
use crate::design::{Caching, Design, TokenFormat};
use crate::plan::{Pace, Plan, RateStep, Search, Subject, Trial, Workload};
use crate::registry::Part;
use crate::scenario::ServiceAddress;
use crate::units::{Offset, Rate};
use crate::wire::Wire;
use crate::{analysis, run};
use trial_servers::{extra_claims, probes, resource_servers};

/// Print what would run, on which cores and for how long, without starting anything
#[derive(Debug, Args)]
pub(super) struct PlanCommand {
    #[command(flatten)]
    scenario: ScenarioArgs,
    /// Print the first N requests of a trial instead: when each is due, on which resource server, with which token
    #[arg(long, value_name = "N")]
    instants: Option<usize>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl PlanCommand {
    pub(super) fn execute(self) -> anyhow::Result<Exit> {
        let plan = self.scenario.plan()?;
        let written = match (self.instants, self.json) {
            (Some(count), false) => instants::text(&plan, count),
            (Some(count), true) => instants::json(&plan, count),
            (None, false) => text(&plan),
            (None, true) => json::json(&plan),
        };
        output::print(&written)?;
        Ok(Exit::Success)
    }
}

fn text(plan: &Plan) -> String {
    let mut text = format!("{}: {}\n", plan.name, plan.question);
    let mut line = |line: String| writeln!(text, "{line}").expect("a string takes every text");
    if let Some(trial) = plan.trials.first() {
        let workload = &trial.workload;
        line(load(plan, workload));
        line(format!(
            "servers of a trial: 1 authorization server, {}, {} connections to each{}",
            resource_servers(plan, &subjects(plan)),
            workload.connections,
            connections(workload)
        ));
        let pool = &workload.pool;
        let kinds: Vec<_> =
            pool.mix.iter().map(|(kind, weight)| format!("{} {weight}", kind.name())).collect();
        line(format!(
            "tokens: {} live{}, reused by {}; {} % bad{}; {} revoked{}",
            pool.live,
            pool.churn
                .map_or_else(String::new, |rate| format!(", {} replaced each second", rate.per_second())),
            pool.reuse,
            100.0 * pool.bad_fraction,
            if kinds.is_empty() { String::new() } else { format!(" (by weights {})", kinds.join(", ")) },
            workload.timeline.revocation_count(),
            probes(workload, &subjects(plan))
        ));
    }
    let (generators, servers) = (list(&plan.placement.generators), list(&plan.placement.servers));
    line(if generators.is_empty() {
        format!("cores: {servers}, shared by the load generator and the servers")
    } else {
        format!("cores: {generators} for the load generator, {servers} for the servers")
    });
    for told in timeline::text(plan) {
        line(told);
    }
    for (subject, design) in designs(plan) {
        line(format!("by design {subject} {design}"));
    }
    for subject in subjects(plan).into_iter().filter(|subject| subject.extra_claims.bytes() > 0) {
        line(extra_claims(subject));
    }
    for (subject, ratio) in expected_hit_ratios(plan) {
        line(match ratio {
            Some(ratio) => {
                format!("expected of {subject}: {:.1} % of its decisions come from its cache", 100.0 * ratio)
            }
            None => format!("expected of {subject}: no closed form for the hit ratio of its cache"),
        });
    }
    line(format!(
        "trials, each on freshly started servers: {} in {} {}",
        plan.trials.len(),
        plan.rounds(),
        if plan.rounds() == 1 {
            "round"
        } else {
            "rounds; a round that was disturbed throughout is measured again"
        }
    ));
    for (trial, number) in plan.trials.iter().zip(1..) {
        line(of_trial(trial, number));
    }
    let shows = |wanted: fn(&SenderEvidence) -> bool| {
        let mut senders = plan.trials.iter().filter_map(|trial| trial.subject.sender.as_ref());
        senders.any(|sender| wanted(&sender.evidence()))
    };
    if shows(|evidence| matches!(evidence, SenderEvidence::Proofs(_))) {
        line(PROOFS.to_owned());
    }
    if shows(|evidence| matches!(evidence, SenderEvidence::Certificate(_))) {
        line(CERTIFICATES.to_owned());
    }
    for threshold in &plan.thresholds {
        line(format!("must hold: {threshold}, for every subject but controls"));
    }
    for trial in plan.trials.iter().filter(|trial| trial.repetition == 0) {
        for threshold in &trial.subject.thresholds {
            line(format!("must hold: {threshold}, for {}", trial.subject.name));
        }
    }
    line(format!(
        "takes {}{} of load, and a few seconds per trial to start servers and issue tokens",
        if plan.search.is_some() { "at most " } else { "" },
        duration(plan.load_time())
    ));
    text
}

/// What is measured in a trial, the one with this number.
fn of_trial(trial: &Trial, number: u32) -> String {
    let subject = &trial.subject;
    let tokens = match (&subject.signature, subject.token_format()) {
        (None, _) => "opaque tokens".to_owned(),
        (Some(scheme), TokenFormat::Jwt) => format!("{scheme} tokens"),
        (Some(scheme), TokenFormat::Opaque) if !subject.architecture.tokens().signs_tokens() => {
            format!("opaque tokens, answers about them signed with {scheme}")
        }
        (Some(scheme), TokenFormat::Opaque) => format!("opaque tokens, {scheme} tokens inside"),
        (Some(scheme), TokenFormat::Signature) => {
            format!("signatures of {scheme} tokens, which are whole inside")
        }
    };
    format!(
        "  {number}. {}{} (round {}): {}, {tokens}, store {}{}{}{}",
        subject.name,
        step(trial),
        trial.repetition + 1,
        subject.architecture,
        subject.store,
        subject.service.as_ref().map_or("", |needed| match needed.at {
            ServiceAddress::Private => " (started for the trial)",
            ServiceAddress::Url(_) => " (at the URL of services)",
        }),
        subject.sender.as_ref().map_or_else(String::new, |sender| format!(", sender {sender}")),
        if subject.wire == Wire::default() { String::new() } else { format!(", {}", subject.wire) }
    )
}

const PROOFS: &str = "proofs of senders: signed ahead by a thread beside the load generator's, for half as long as one counts: before the load \
                      begins, and while it runs on the servers' cores if it is longer; users of a closed loop sign when they send";

const CERTIFICATES: &str = "certificates of senders: one, which signs itself, for the load; presented in every full handshake, also where tokens are issued";

/// Every subject once, in the order of the scenario.
fn subjects(plan: &Plan) -> Vec<&Subject> {
    let mut subjects: Vec<&Subject> = Vec::new();
    for subject in plan.trials.iter().map(|trial| &trial.subject) {
        if subjects.iter().all(|known| known.position != subject.position) {
            subjects.push(subject);
        }
    }
    subjects.sort_by_key(|subject| subject.position);
    subjects
}

/// How long each subject may go on with a revoked token, in words.
fn designs(plan: &Plan) -> Vec<(&str, String)> {
    let lifetime = plan.lifetime.as_secs_f64();
    let words = |design: Design| match design.accepts_revoked_for(lifetime) {
        None => "never stops accepting a revoked token".to_owned(),
        Some(seconds) => format!(
            "accepts a revoked token for at most {}{}{}",
            bound::most(&design, seconds),
            outage(&design, lifetime),
            bound::terms(&design)
        ),
    };
    subjects(plan)
        .into_iter()
        .map(|subject| (subject.name.as_str(), words(subject.architecture.design())))
        .collect()
}

/// The bound that stands where the authorization server cannot be asked, if that is another by a setting.
fn outage(design: &Design, lifetime: f64) -> String {
    let has_another = design.cache().is_some_and(|caching| caching.stale_if_error_seconds.is_some())
        || design.push_delay_seconds.is_some();
    match design.accepts_revoked_in_outage_for(lifetime) {
        Some(most) if has_another => {
            format!(", and for at most {most} s while the authorization server cannot be asked")
        }
        _ => String::new(),
    }
}

/// What a cache should give each subject that has one, as far as a closed form tells: in the first repetition, from which
/// others differ by when tokens are revoked.
fn expected_hit_ratios(plan: &Plan) -> Vec<(&str, Option<f64>)> {
    let first = plan.trials.iter().filter(|trial| trial.repetition == 0);
    let mut subjects: Vec<_> = first.filter(|trial| cache(trial).is_some()).collect();
    subjects.sort_by_key(|trial| trial.subject.position);
    subjects.into_iter().map(|trial| (trial.subject.name.as_str(), expected_hit_ratio(plan, trial))).collect()
}

fn expected_hit_ratio(plan: &Plan, trial: &Trial) -> Option<f64> {
    let revocations: Vec<f64> = trial.workload.timeline.revocations().map(Offset::seconds).collect();
    let design = trial.subject.architecture.design();
    analysis::expected_hit_ratio(&run::workload(plan, trial), &revocations, &design)
}

/// What the subject of a trial keeps of answers, if it does.
fn cache(trial: &Trial) -> Option<Caching> {
    trial.subject.architecture.design().cache()
}

/// When requests are sent, and for how long.
fn load(plan: &Plan, workload: &Workload) -> String {
    let measured = format!("{} of warm-up, {} measured", workload.warmup, workload.window);
    let ends =
        workload.requests.map_or_else(String::new, |requests| format!(", {requests} requests at the most"));
    match (&plan.search, &workload.pace) {
        (Some(search), Pace::Open { rate, arrivals }) => seek(search, *rate, arrivals),
        (None, Pace::Open { arrivals, .. }) if rates(plan).len() > 1 => format!(
            "load: {} by {arrivals} arrivals, each rate for {measured}{ends}",
            rates(plan).iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        ),
        (None, Pace::Open { rate, arrivals }) => {
            format!("load: {rate} by {arrivals} arrivals, {measured}{ends}")
        }
        (_, closed @ Pace::Closed { .. }) => format!("load: {closed}, {measured}{ends}"),
    }
}

fn seek(search: &Search, rate: Rate, arrivals: &Part<dyn ArrivalProcess>) -> String {
    let (most_steps, most) = search.at_most();
    let limit = 8.0 * rate.per_second();
    let (steps, load) = search.example(rate, limit);
    format!(
        "search: the highest rate at which {} holds and at most 0.1 % of the requests fail, by {arrivals} arrivals\n\
         from {rate} (measured for {}) it doubles until a step fails, then bisects until 5 % lie between; each step is a \
         trial of its own\n\
         a step that the generator spoils is repeated twice, then the search ends: at least what passed before\n\
         to find a limit of {limit} req/s takes {steps} steps and {} of load; a search has at most {most_steps} steps and {} \
         of load",
        search.threshold,
        search.window(rate),
        duration(load),
        duration(most)
    )
}

/// The different rates, in the order in which they are tried.
fn rates(plan: &Plan) -> Vec<Rate> {
    let mut rates = Vec::new();
    for rate in plan.trials.iter().filter_map(|trial| trial.workload.pace.rate()) {
        if !rates.contains(&rate) {
            rates.push(rate);
        }
    }
    rates
}

fn step(trial: &Trial) -> String {
    match (&trial.step, trial.workload.pace.rate()) {
        (Some(RateStep::Sweep), Some(rate)) => format!(" at {rate}"),
        (Some(RateStep::Search { .. }), Some(rate)) => format!(" from {rate} on"),
        _ => String::new(),
    }
}

fn connections(workload: &Workload) -> String {
    let streams = match workload.streams.get() {
        1 => String::new(),
        streams => format!(", {streams} requests at once on each"),
    };
    let most = workload.requests_per_connection;
    streams + &most.map_or_else(String::new, |most| format!(", a new one after {most} requests"))
}

fn list(cores: &[u32]) -> String {
    cores.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn duration(length: Duration) -> humantime::FormattedDuration {
    humantime::format_duration(length)
}
