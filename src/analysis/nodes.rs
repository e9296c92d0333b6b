//! What each server of a subject uses up, where a request passes several or a program of its own keeps the tokens. Those that share a
//! process are one: what each of them used nobody knows.

use serde::Serialize;

use crate::analysis::student;
use crate::analysis::trials::Trials;
use crate::observation::{Node, Recording, Role};

/// A server, or those that share a process, by what was done for all requests.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NodeCost {
    /// Its name in the recordings, or what those of a process are called together.
    pub name: String,
    /// What it does.
    pub role: Role,
    /// How many servers of its role a request passes before it.
    pub hop: u8,
    /// CPU seconds for each million requests of clients, those that it never saw among them: these of all servers add up.
    pub cpu_seconds_per_million_requests: f64,
    /// The interval of 95 % of that over the trials; absent for a single one.
    pub cpu_interval: Option<(f64, f64)>,
    /// Which part of the requests of clients came to it; absent for one that counts none.
    pub share_of_requests: Option<f64>,
}

/// Every server of all trials together; none where clients reach all servers that decide, and the authorization server keeps the tokens.
pub(super) fn costs(trials: &Trials<'_>) -> Vec<NodeCost> {
    let nodes = || trials.recordings.iter().flat_map(|recording| &recording.nodes);
    if nodes().all(|node| node.hop == 0 && node.role != Role::Store) {
        return Vec::new();
    }
    let decides = |node: &&Node| node.role.enforces();
    let asked = |recording: &Recording| -> u64 {
        recording.nodes.iter().filter(decides).filter(|node| node.hop == 0).map(requests).sum()
    };
    let requests: u64 = trials.recordings.iter().map(|recording| asked(recording)).sum();
    let mut costs: Vec<NodeCost> = Vec::new();
    let mut known: Vec<&str> = Vec::new();
    for node in nodes().filter(|node| node.role != Role::Client && requests > 0) {
        if node.process_of.is_some() || known.contains(&&*node.name) {
            continue;
        }
        known.push(&node.name);
        let together = || nodes().filter(|other| process(other) == node.name);
        let cpu: u64 = together().map(cpu_nanos).sum();
        let in_each = trials.recordings.iter().filter_map(|recording| {
            let its = recording.nodes.iter().filter(|other| process(other) == node.name);
            per_million(its.map(cpu_nanos).sum(), asked(recording))
        });
        let in_each: Vec<f64> = in_each.collect();
        let seen: u64 = together().map(self::requests).sum();
        let mut names: Vec<&str> = Vec::new();
        for name in together().map(|other| &*other.name) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        costs.push(NodeCost {
            name: called(&names),
            role: node.role,
            hop: node.hop,
            cpu_seconds_per_million_requests: per_million(cpu, requests).unwrap_or_default(),
            cpu_interval: student::interval_above_zero(&in_each),
            share_of_requests: node.role.enforces().then(|| seen as f64 / requests as f64),
        });
    }
    costs
}

fn per_million(cpu_nanos: u64, requests: u64) -> Option<f64> {
    (requests > 0).then(|| cpu_nanos as f64 / 1e9 / requests as f64 * 1e6)
}

/// The node that tells what the process of a node used up.
fn process(node: &Node) -> &str {
    node.process_of.as_ref().unwrap_or(&node.name)
}

/// What the servers of a process are called together: "gateway 1 to 6" if they are numbered in a row.
fn called(names: &[&str]) -> String {
    let number = |name: &str| {
        let (what, number) = name.rsplit_once(' ')?;
        Some((what.to_owned(), number.parse::<u64>().ok()?))
    };
    let follows = |pair: &[&str]| {
        let next = number(pair[0]).map(|(what, number)| (what, number + 1));
        next.is_some() && next == number(pair[1])
    };
    match names {
        [] => String::new(),
        [alone] => (*alone).to_owned(),
        [first, .., last] if names.windows(2).all(follows) => {
            let (_, last) = last.rsplit_once(' ').unwrap_or_default();
            format!("{first} to {last}")
        }
        [first, rest @ ..] => format!("{first} and {} more in its process", rest.len()),
    }
}

fn requests(node: &Node) -> u64 {
    node.looks.windows(2).map(|pair| pair[1].since(&pair[0], |look| look.counter("requests"))).sum()
}

fn cpu_nanos(node: &Node) -> u64 {
    node.looks.windows(2).map(|pair| pair[1].since(&pair[0], |look| look.cpu_nanos)).sum()
}

#[cfg(test)]
mod tests {
    use super::{Node, Role, called};
    use crate::analysis::{analyse, synthetic};
    use crate::metric::MetricId;

    #[test]
    fn servers_of_a_chain_are_told_apart_and_add_up_to_what_the_subject_costs() {
        let mut recording = synthetic::recording(2);
        assert!(analyse(&[recording.clone()]).subjects[0].nodes.is_empty(), "a request passes one server");
        // The second server stands behind the first, and has half of its requests.
        recording.nodes[3].hop = 1;
        let summary = analyse(&[recording]).subjects.remove(0);
        let names: Vec<&str> = summary.nodes.iter().map(|node| &*node.name).collect();
        assert_eq!(names, ["authorization server", "resource server 1", "resource server 2"]);
        let [authorization, first, second] = [0, 1, 2].map(|index| &summary.nodes[index]);
        let sum = first.cpu_seconds_per_million_requests + second.cpu_seconds_per_million_requests;
        let whole = summary.estimates[&MetricId::CpuResourceServer].point;
        assert!((sum / whole - 1.0).abs() < 1e-9, "{sum}, not {whole}");
        let whole = summary.estimates[&MetricId::CpuAuthorizationServer].point;
        assert!((authorization.cpu_seconds_per_million_requests / whole - 1.0).abs() < 1e-9);
        assert_eq!((authorization.share_of_requests, first.share_of_requests), (None, Some(1.0)));
        assert!((second.share_of_requests.unwrap() - 1.0).abs() < 0.1, "each had half of them");
    }

    #[test]
    fn a_program_that_keeps_the_tokens_has_a_row_of_its_own() {
        let mut recording = synthetic::recording(1);
        let store = Node { name: "redis".to_owned(), role: Role::Store, ..recording.nodes[1].clone() };
        recording.nodes.push(store);
        let summary = analyse(&[recording]).subjects.remove(0);
        let row = summary.nodes.last().unwrap();
        assert_eq!((&*row.name, row.role, row.share_of_requests), ("redis", Role::Store, None));
        let whole = summary.estimates[&MetricId::StoreCpu].point;
        assert!((row.cpu_seconds_per_million_requests / whole - 1.0).abs() < 1e-9);
    }

    #[test]
    fn servers_that_share_a_process_are_one_with_the_requests_of_all() {
        let mut recording = synthetic::recording(2);
        recording.nodes[1].hop = 1;
        let apart = analyse(&[recording.clone()]).subjects.remove(0).nodes;
        recording.nodes[3].process_of = Some("resource server 1".to_owned());
        for look in &mut recording.nodes[3].looks {
            look.cpu_nanos = 0;
        }
        let together = analyse(&[recording.clone(), recording]).subjects.remove(0).nodes;
        let names: Vec<&str> = together.iter().map(|node| &*node.name).collect();
        assert_eq!(names, ["authorization server", "resource server 1 to 2"]);
        let (first, both) = (&apart[1], &together[1]);
        assert_eq!(both.share_of_requests, Some(1.0), "{apart:?}");
        assert_eq!(first.cpu_interval, None, "a single trial says nothing of the next");
        let point = both.cpu_seconds_per_million_requests;
        assert!(
            both.cpu_interval.is_some_and(|(low, high)| (low - point).abs() + (high - point).abs() < 1e-9),
            "{both:?}"
        );
        let costs = [first, both].map(|node| node.cpu_seconds_per_million_requests);
        assert!((costs[0] - costs[1]).abs() < 1e-9, "what the process used: {costs:?}");
        assert_eq!(called(&["gateway 1", "gateway 3", "gateway 4"]), "gateway 1 and 2 more in its process");
        assert_eq!(called(&["gateway", "service"]), "gateway and 1 more in its process");
    }
}
