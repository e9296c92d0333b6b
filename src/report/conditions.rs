//! What a reader must know to judge a figure: machine, program, load, seeds.

use crate::analysis::{Analysis, Summary};
use crate::metric::{Unit, thousands};
use crate::observation::{Environment, Reuse, Workload};

/// What a recording says nothing about.
pub(super) const USUAL_WIRE: &str = "HTTP/1.1, TCP";

/// The run in a sentence.
pub(super) fn about(analysis: &Analysis) -> String {
    let Workload { window_seconds, resource_servers, .. } = &analysis.workload;
    let trials = analysis.subjects.iter().map(|summary| summary.trials).max().unwrap_or(0);
    let times = if trials > 1 { format!(", in {trials} rounds") } else { String::new() };
    let on = format!("resource servers: {resource_servers}");
    match analysis.ladders.first() {
        Some(ladder) if ladder.is_search => format!(
            "{} subjects, for each of which the highest rate was sought at which {} holds; {on}",
            analysis.ladders.len(),
            ladder.limit.as_deref().unwrap_or("a limit")
        ),
        Some(ladder) => format!(
            "{} subjects, each given {} different rates for {window_seconds} s each; {on}{times}",
            analysis.ladders.len(),
            ladder.points.len()
        ),
        None => format!(
            "{} given {} for {window_seconds} s by {resource_servers} resource server{}{times}",
            match analysis.subjects.len() {
                1 => "1 subject,".to_owned(),
                several => format!("{several} subjects, each"),
            },
            pace(&analysis.workload),
            if *resource_servers == 1 { "" } else { "s" }
        ),
    }
}

fn pace(workload: &Workload) -> String {
    match workload.think_seconds {
        Some(_) => format!("{} users in a closed loop", workload.connections * workload.resource_servers),
        None => format!("{} requests per second", thousands(&workload.rate.to_string())),
    }
}

/// What the answer does not reach.
pub(super) fn reach(analysis: &Analysis) -> String {
    let lifetime = analysis.workload.token_lifetime_seconds;
    format!(
        "Measured over loopback on one machine with {} cores: no network between client, API and authorization server is in it, and \
         tokens lived {lifetime} s.",
        analysis.environment.cores_available
    )
}

/// Name and value of every condition.
pub(super) fn conditions(analysis: &Analysis) -> Vec<(&'static str, String)> {
    let Environment { os, cpu, cores_available, memory_bytes, hypervisor, clock_source, .. } =
        &analysis.environment;
    let virtual_on = hypervisor.as_deref().map_or_else(String::new, |name| format!(", virtual on {name}"));
    let mut conditions = vec![
        ("begun", analysis.started.clone()),
        (
            "machine",
            format!("{cpu}, {cores_available} cores, {}{virtual_on}", Unit::Bytes.show(*memory_bytes as f64)),
        ),
        ("system", format!("{os}, clock {clock_source}")),
        (
            "rounds",
            match analysis.repeated_rounds {
                0 => "none was disturbed all through".to_owned(),
                repeated => format!("{repeated} disturbed all through, left out and measured again"),
            },
        ),
        ("program", program(&analysis.environment)),
        ("cores", cores(&analysis.environment)),
    ];
    conditions.extend(load(&analysis.workload, &rates(analysis)));
    conditions.extend(wires(&analysis.subjects).map(|wires| ("wire", wires)));
    conditions.push(("seeds", analysis.seeds.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")));
    conditions
}

/// How requests travelled, if for any subject in another way than the usual one.
fn wires(subjects: &[Summary]) -> Option<String> {
    let wire = |summary: &Summary| summary.subject.wire.clone().unwrap_or_else(|| USUAL_WIRE.to_owned());
    let first = wire(subjects.first()?);
    if subjects.iter().all(|summary| wire(summary) == first) {
        return (first != USUAL_WIRE).then_some(first);
    }
    let each = subjects.iter().map(|summary| format!("{}: {}", summary.subject.name, wire(summary)));
    Some(each.collect::<Vec<_>>().join("; "))
}

fn program(environment: &Environment) -> String {
    let features = match environment.target_features.join(", ") {
        none if none.is_empty() => "baseline instructions".to_owned(),
        some => some,
    };
    let commit = environment.commit.as_deref().map_or_else(String::new, |commit| format!(" at {commit}"));
    format!(
        "bearerbench {}{commit}, {} build by {}, {features}; {}",
        environment.bearerbench, environment.build, environment.compiler, environment.libraries
    )
}

fn cores(environment: &Environment) -> String {
    let name = |cores: &[u32]| match cores {
        [] => "any".to_owned(),
        cores => cores.iter().map(u32::to_string).collect::<Vec<_>>().join(", "),
    };
    let (generator, servers) = (&environment.cores.generator, &environment.cores.servers);
    format!("load generator on {}, all servers on {}", name(generator), name(servers))
}

fn arrivals(workload: &Workload) -> String {
    match workload.think_seconds {
        Some(_) => workload.arrivals.clone(),
        None => format!("{} arrivals", workload.arrivals),
    }
}

/// The rate, or what stands for it.
fn rates(analysis: &Analysis) -> String {
    let written = |rate: f64| thousands(&rate.to_string());
    match analysis.ladders.first() {
        Some(ladder) if ladder.is_search => {
            format!("rates sought from {} requests per second on", written(analysis.workload.rate))
        }
        Some(ladder) => {
            let rates: Vec<String> = ladder.points.iter().map(|point| written(point.rate)).collect();
            format!("{} requests per second", rates.join(", "))
        }
        None => pace(&analysis.workload),
    }
}

fn load(workload: &Workload, rates: &str) -> [(&'static str, String); 3] {
    let bad = Unit::Fraction.show(workload.bad_fraction);
    [
        (
            "load",
            format!(
                "{}, {rates}, {} s of warm-up and {} s measured, {} connections to each of {} \
                 resource servers",
                arrivals(workload),
                workload.warmup_seconds,
                workload.window_seconds,
                workload.connections,
                workload.resource_servers
            ),
        ),
        (
            "tokens",
            format!(
                "{} live ones that last {} s, {}; {bad} of the requests carry a bad one{}",
                thousands(&workload.live_tokens.to_string()),
                workload.token_lifetime_seconds,
                reuse(workload.reuse),
                kinds(workload)
            ),
        ),
        (
            "probes",
            format!(
                "each token under revocation test is sent {} times a second to each resource server",
                workload.probe_rate
            ),
        ),
    ]
}

fn reuse(law: Reuse) -> String {
    match law {
        Reuse::Zipf { exponent } => format!("chosen by Zipf's law with exponent {exponent}"),
        Reuse::Uniform {} => "each chosen as often as any other".to_owned(),
        Reuse::RoundRobin {} => "sent one after the other, over and over".to_owned(),
        Reuse::Unique {} => "each sent once".to_owned(),
        Reuse::WorkingSet { size, churn } => format!(
            "chosen uniformly from {} at once, of which {churn} are replaced every second",
            thousands(&size.to_string())
        ),
    }
}

/// What is bad about bad tokens, with the fraction of the requests that carry one of each kind.
fn kinds(workload: &Workload) -> String {
    let shares = workload.bad_shares().map(|(kind, share)| format!("{kind} {}", Unit::Fraction.show(share)));
    match shares.collect::<Vec<_>>().join(", ") {
        none if none.is_empty() => String::new(),
        some => format!(" ({some}; {} of each)", workload.bad_tokens_per_kind),
    }
}
