//! `bearerbench plan`: what would run, on which cores and for how long.

use std::fmt::Write as _;
use std::time::Duration;

use clap::Args;

use crate::arrival::ArrivalProcess;
use crate::cli::scenario::ScenarioArgs;
use crate::cli::{Exit, output};
use crate::plan::{Pace, Plan, Search, Step, Trial, Workload};
use crate::registry::Part;
use crate::units::Rate;

/// Print what would run, on which cores and for how long, without starting anything
#[derive(Debug, Args)]
pub(super) struct PlanCommand {
    #[command(flatten)]
    scenario: ScenarioArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl PlanCommand {
    pub(super) fn execute(self) -> anyhow::Result<Exit> {
        let plan = self.scenario.plan()?;
        output::print(&if self.json { json(&plan) } else { text(&plan) })?;
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
            "servers of a trial: 1 authorization server, {} resource servers, {} connections to each{}",
            workload.resource_servers,
            workload.connections,
            connections(workload)
        ));
        line(format!(
            "tokens: {} live by Zipf {}, {} % bad, {} revoked and probed {} times a second at each resource server",
            workload.pool.live,
            workload.pool.zipf_exponent,
            100.0 * workload.pool.bad_fraction,
            workload.revocations.len(),
            workload.probe_rate.per_second()
        ));
    }
    let (generators, servers) = (list(&plan.placement.generators), list(&plan.placement.servers));
    line(if generators.is_empty() {
        format!("cores: {servers} for the load generator and the servers alike")
    } else {
        format!("cores: {generators} for the load generator, {servers} for the servers")
    });
    line(format!("trials, each on freshly started servers: {}", plan.trials.len()));
    for (trial, number) in plan.trials.iter().zip(1..) {
        let subject = &trial.subject;
        let tokens = subject
            .signature
            .as_ref()
            .map_or_else(|| "opaque tokens".to_owned(), |scheme| format!("{scheme} tokens"));
        line(format!(
            "  {number}. {}{} (repetition {}): {}, {tokens}, store {}",
            subject.name,
            step(trial),
            trial.repetition + 1,
            subject.architecture,
            subject.store
        ));
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
        "takes {}{} of load, and a few seconds a trial to start servers and issue tokens",
        if plan.search.is_some() { "at most " } else { "" },
        duration(plan.load_time())
    ));
    text
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
        (Some(Step::Sweep), Some(rate)) => format!(" at {rate}"),
        (Some(Step::Search { .. }), Some(rate)) => format!(" from {rate} on"),
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

fn json(plan: &Plan) -> String {
    let trials = plan.trials.iter().map(|trial| {
        serde_json::json!({
            "subject": trial.subject.name,
            "architecture": trial.subject.architecture,
            "signature": trial.subject.signature,
            "store": trial.subject.store,
            "rate": trial.workload.pace.rate().map(Rate::per_second),
            "repetition": trial.repetition,
            "seed": trial.seed,
            "revocations_seconds": trial.workload.revocations.iter().map(|at| at.seconds()).collect::<Vec<_>>(),
        })
    });
    serde_json::json!({
        "scenario": plan.name,
        "question": plan.question,
        "cores": { "generators": plan.placement.generators, "servers": plan.placement.servers },
        "search": plan.search.as_ref().map(|search| search.threshold.to_string()),
        "load_seconds": plan.load_time().as_secs_f64(),
        "trials": trials.collect::<Vec<_>>(),
    })
    .to_string()
}
