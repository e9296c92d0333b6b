//! What a reader must know to judge a figure: machine, program, load, seeds.

use crate::analysis::{Analysis, Summary};
use crate::design::Checks;
use crate::metric::{MetricId, Unit, thousands};
use crate::observation::{Environment, Reuse, Workload};
use crate::report::servers;

/// What a recording says nothing about.
pub(super) const USUAL_WIRE: &str = "HTTP/1.1, TCP";

/// The run in a sentence.
pub(super) fn about(analysis: &Analysis) -> String {
    let (window_seconds, subjects) = (analysis.workload.window_seconds, &analysis.subjects);
    let trials = analysis.subjects.iter().map(|summary| summary.trials).max().unwrap_or(0);
    let times = if trials > 1 { format!(", in {trials} rounds") } else { String::new() };
    let on = format!("resource servers: {}", servers::number(subjects));
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
        None if is_external(analysis) => {
            format!("One server, given {} for {window_seconds} s", pace(&analysis.workload))
        }
        None => format!(
            "{} given {} for {window_seconds} s by {}{times}",
            match subjects.len() {
                1 => "1 subject,".to_owned(),
                several => format!("{several} subjects, each"),
            },
            pace(&analysis.workload),
            servers::counted(subjects)
        ),
    }
}

fn pace(workload: &Workload) -> String {
    match workload.think_seconds {
        Some(_) => format!("{} users in a closed loop", workload.connections * workload.resource_servers),
        None => format!("{} requests per second", thousands(&workload.rate.to_string())),
    }
}

/// Whether the server is somebody else's, of which nothing is known but where it is.
pub(super) fn is_external(analysis: &Analysis) -> bool {
    analysis.subjects.iter().all(|summary| summary.subject.design.checks == Checks::Unknown)
}

/// What the answer does not reach.
pub(super) fn reach(analysis: &Analysis) -> String {
    if is_external(analysis) {
        return "Measured from the machine of the load generator: every latency includes the network to the server. What the server \
            itself uses is not known."
            .to_owned();
    }
    let lifetime = analysis.workload.token_lifetime_seconds;
    format!(
        "Measured over loopback on one machine with {} cores: latencies include no network between client, API and authorization \
         server. Tokens lived for {lifetime} s.",
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
        ("program", program(&analysis.environment)),
        ("cores", cores(&analysis.environment, is_external(analysis))),
    ];
    conditions.extend(beside(&analysis.subjects).map(|beside| ("beside the load", beside)));
    conditions.extend(rounds(analysis).map(|rounds| ("rounds", rounds)));
    conditions.push(("load", load(analysis)));
    conditions.extend(servers::by_subject(&analysis.subjects).map(|servers| ("resource servers", servers)));
    conditions.push(("tokens", tokens(&analysis.workload)));
    conditions.extend(probes(analysis).map(|probes| ("probes", probes)));
    conditions.extend(extra_claims(&analysis.subjects).map(|claims| ("claims", claims)));
    conditions.extend(wires(&analysis.subjects).map(|wires| ("wire", wires)));
    conditions.push(("seeds", analysis.seeds.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")));
    conditions
}

/// What the program's own threads took from the cores of the servers.
fn beside(subjects: &[Summary]) -> Option<String> {
    let share = |summary: &Summary| {
        Some((summary.estimates.get(&MetricId::GeneratorBeside)?.point, summary.subject.name.clone()))
    };
    let (most, name) = subjects.iter().filter_map(share).max_by(|a, b| a.0.total_cmp(&b.0))?;
    Some(format!(
        "threads of bearerbench that send no requests (they look at the servers, revoke, issue, refresh, sign proofs and pack what was recorded) \
         used at most {} of the servers' cores ({name})",
        Unit::Fraction.show(most)
    ))
}

/// What the claims of tokens had beside those that RFC 9068 requires, if they had more.
fn extra_claims(subjects: &[Summary]) -> Option<String> {
    let bytes = |summary: &Summary| summary.subject.extra_claims_bytes;
    let shown = |bytes: u32| format!("{} of groups", Unit::Bytes.show(f64::from(bytes)));
    let first = bytes(subjects.first()?);
    if subjects.iter().all(|summary| bytes(summary) == first) {
        return (first > 0).then(|| format!("{} in the claims of every subject", shown(first)));
    }
    let larger = subjects.iter().filter(|summary| bytes(summary) > 0);
    let each = larger.map(|summary| format!("{}: {}", summary.subject.name, shown(bytes(summary))));
    Some(each.collect::<Vec<_>>().join("; "))
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

/// Of a single round there is nothing to tell.
fn rounds(analysis: &Analysis) -> Option<String> {
    let are_several = analysis.subjects.iter().any(|summary| summary.trials > 1);
    match analysis.repeated_rounds {
        0 => are_several.then(|| "none was disturbed throughout".to_owned()),
        repeated => Some(format!("{repeated} disturbed throughout, left out and measured again")),
    }
}

fn cores(environment: &Environment, is_external: bool) -> String {
    let name = |cores: &[u32]| match cores {
        [] => "any".to_owned(),
        cores => cores.iter().map(u32::to_string).collect::<Vec<_>>().join(", "),
    };
    let (generator, servers) = (&environment.cores.generator, &environment.cores.servers);
    if is_external {
        return format!("load generator on {}; those of the server are not known", name(generator));
    }
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
            format!("a search upwards from {} requests per second", written(analysis.workload.rate))
        }
        Some(ladder) => {
            let rates: Vec<String> = ladder.points.iter().map(|point| written(point.rate)).collect();
            format!("{} requests per second", rates.join(", "))
        }
        None => pace(&analysis.workload),
    }
}

fn load(analysis: &Analysis) -> String {
    let workload = &analysis.workload;
    let servers = match servers::number(&analysis.subjects).as_str() {
        "1" => "the server".to_owned(),
        several => format!("each of {several} resource servers"),
    };
    format!(
        "{}, {}, {} s of warm-up and {} s measured, {} connections to {servers}",
        arrivals(workload),
        rates(analysis),
        workload.warmup_seconds,
        workload.window_seconds,
        workload.connections,
    )
}

/// How long tokens last is known only of those that were issued here.
fn tokens(workload: &Workload) -> String {
    let count = thousands(&workload.live_tokens.to_string());
    let lifetime = workload.token_lifetime_seconds;
    let last = if lifetime > 0.0 { format!(" with a lifetime of {lifetime} s") } else { String::new() };
    let churn = match workload.churn_per_second {
        0.0 => String::new(),
        churn => format!(", {churn} of them replaced each second"),
    };
    let bad = match workload.bad_fraction {
        0.0 => String::new(),
        share => {
            format!("; {} of the requests carry a bad token{}", Unit::Fraction.show(share), kinds(workload))
        }
    };
    format!("{count} live tokens{last}{churn}, {}{bad}", reuse(workload.reuse))
}

/// Nothing where no token was revoked.
fn probes(analysis: &Analysis) -> Option<String> {
    let are_sent = |summary: &Summary| {
        !summary.propagation.observations.is_empty() || summary.propagation.not_acknowledged > 0
    };
    analysis.subjects.iter().any(are_sent).then(|| {
        format!(
            "each token under revocation test is sent {}; probes are in no latency, and count in CPU time and calls per request",
            servers::probed(&analysis.subjects)
        )
    })
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
    let shares =
        workload.bad_shares().map(|(bad, share)| format!("{} {}", bad.kind, Unit::Fraction.show(share)));
    match shares.collect::<Vec<_>>().join(", ") {
        none if none.is_empty() => String::new(),
        some => format!(" ({some}; {} of each)", workload.bad_tokens_per_kind),
    }
}
