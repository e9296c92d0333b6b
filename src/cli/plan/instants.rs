//! The due requests of a plan: data that can be looked at, compared, and replayed as a trace.

use std::fmt::Write as _;

use crate::load::{Request, Token, schedule};
use crate::plan::{Plan, Pool, Trial};

/// The first requests of the first repetition as CSV. Instants come first, so that arrivals of kind `trace` replay it.
pub(super) fn text(plan: &Plan, count: usize) -> String {
    let mut text = String::new();
    let mut line = |line: String| writeln!(text, "{line}").expect("a string takes every text");
    if let Some(trial) = plan.trials.first() {
        line(format!(
            "# {}: requests of repetition {}, seed {}, the same for every subject",
            plan.name,
            trial.repetition + 1,
            trial.seed
        ));
        let servers = servers(plan);
        if servers.is_none() {
            line("# subjects differ in how many resource servers they have: of N a request goes to number place * N / 2^32, from 0".to_owned());
        }
        line(format!("due_seconds,{},token_class,token_index", column(servers)));
        for request in first(trial, count) {
            let (class, index) = class_and_index(&trial.workload.pool, request.token);
            let nanos = request.due.nanos();
            let (seconds, rest) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
            line(format!("{seconds}.{rest:09},{},{class},{index}", whither(request, servers)));
        }
    }
    text
}

pub(super) fn json(plan: &Plan, count: usize) -> String {
    let trial = plan.trials.first();
    let requests = trial.map(|trial| {
        let value = |request| value(&trial.workload.pool, request, servers(plan));
        first(trial, count).map(value).collect::<Vec<_>>()
    });
    serde_json::json!({
        "scenario": plan.name,
        "repetition": trial.map(|trial| trial.repetition),
        "seed": trial.map(|trial| trial.seed),
        "requests": requests.unwrap_or_default(),
    })
    .to_string()
}

fn value(pool: &Pool, request: Request, servers: Option<u32>) -> serde_json::Value {
    let (class, index) = class_and_index(pool, request.token);
    serde_json::json!({
        // Not seconds: a float has no room for the nanoseconds of a long run.
        "due_nanos": request.due.nanos(),
        column(servers): whither(request, servers),
        "token_class": class,
        "token_index": index,
    })
}

/// How many resource servers every subject has, if all have as many.
fn servers(plan: &Plan) -> Option<u32> {
    let first = plan.trials.first()?.subject.resource_servers;
    plan.trials.iter().all(|trial| trial.subject.resource_servers == first).then_some(first)
}

fn column(servers: Option<u32>) -> &'static str {
    if servers.is_some() { "resource_server" } else { "place" }
}

/// The number of its resource server, or its place among any number of them.
fn whither(request: Request, servers: Option<u32>) -> u64 {
    servers.map_or(request.place.into(), |servers| request.server(servers as usize) as u64)
}

fn first(trial: &Trial, count: usize) -> impl Iterator<Item = Request> {
    schedule(&trial.workload, trial.seed).take(count)
}

/// What kind of token it is, and which of them.
fn class_and_index(pool: &Pool, token: Token) -> (&'static str, u32) {
    match token {
        Token::Live(index) => ("live", index),
        Token::Bad { kind, index } => (pool.mix[kind as usize].0.name(), index),
        Token::Watched(revocation) => ("watched", revocation),
    }
}
