//! What a person should know of the servers of a trial, and of the tokens that they are sent.

use crate::design::TokenFormat;
use crate::header_limit::refusing;
use crate::metric::thousands;
use crate::plan::{Plan, Subject, Workload};

/// How many resource servers there are, subject by subject where they differ.
pub(super) fn resource_servers(plan: &Plan, subjects: &[&Subject]) -> String {
    let mut numbers: Vec<u32> = subjects.iter().map(|subject| subject.resource_servers).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let having = |number: u32| {
        let names = subjects.iter().filter(|subject| subject.resource_servers == number);
        names.map(|subject| subject.name.as_str()).collect::<Vec<_>>().join(", ")
    };
    let one = |number: u32| match numbers.as_slice() {
        [_] => format!("{number} resource servers{}", processes(plan, number)),
        _ => format!("{number} ({}){}", having(number), processes(plan, number)),
    };
    let all: Vec<String> = numbers.iter().map(|number| one(*number)).collect();
    match all.as_slice() {
        [same] => same.clone(),
        several => format!("resource servers by subject: {}", several.join("; ")),
    }
}

/// How often revoked tokens are asked for, and how much that is beside the load where it is much.
pub(super) fn probes(workload: &Workload, subjects: &[&Subject]) -> String {
    let all = workload.probes_per_second();
    if all <= 0.0 {
        return String::new();
    }
    let at_each =
        |subject: &&Subject| rounded(workload.probe_rate.per_second() / f64::from(subject.resource_servers));
    let mut rates: Vec<String> = subjects.iter().map(at_each).collect();
    rates.dedup();
    let each = match rates.as_slice() {
        [rate] => format!(" and probed {rate} times a second at each resource server"),
        _ => format!(
            " and probed {} times a second each, spread over the resource servers of the subject",
            rounded(workload.probe_rate.per_second())
        ),
    };
    let share = workload.pace.rate().map(|rate| all / rate.per_second()).filter(|share| *share > MUCH);
    let share = share.map_or_else(String::new, |share| {
        format!(
            " (that makes {} probes a second, {:.0} % of the load's rate, which count in CPU time and calls per request)",
            rounded(all),
            100.0 * share
        )
    });
    each + &share
}

/// Without the digits that a third has.
fn rounded(rate: f64) -> String {
    ((rate * 1e3).round() / 1e3).to_string()
}

/// Probes that are more than this part of the load are a load of their own.
const MUCH: f64 = 0.1;

/// How many processes the resource servers share, if they do.
fn processes(plan: &Plan, resource_servers: u32) -> String {
    let processes = plan.placement.processes(resource_servers);
    if processes.len() == resource_servers as usize {
        return String::new();
    }
    let most = processes.into_iter().map(Iterator::count).max().unwrap_or(0);
    format!(
        " in {} processes of at most {most} (each has its own port and cache; CPU time and memory are those of the processes)",
        plan.placement.processes(resource_servers).len()
    )
}

/// What larger claims make larger, and who refuses that by default. Our own servers take it, or there would be no plan.
pub(super) fn extra_claims(subject: &Subject) -> String {
    let (name, size) = (&subject.name, subject.extra_claims);
    let Some(characters) = subject.jwt_characters() else {
        return format!(
            "claims of {name}: {size} of groups in the answers of the authorization server, none in its tokens"
        );
    };
    let whose = match subject.token_format() {
        TokenFormat::Jwt => "its tokens have",
        TokenFormat::Opaque | TokenFormat::Signature => "behind its gateway tokens have",
    };
    let refusing =
        refusing(characters as u64).iter().map(|limit| limit.server).collect::<Vec<_>>().join(", ");
    let refusing = if refusing.is_empty() { "nobody".to_owned() } else { refusing };
    format!(
        "claims of {name}: {size} of groups; {whose} about {} characters, refused by default by {refusing} (our servers let \
         them through; who refuses what: explain token-size)",
        thousands(&characters.to_string())
    )
}
