//! What each server of a subject uses up, where a request passes several.

use serde::Serialize;

use crate::analysis::trials::Trials;
use crate::observation::{Node, Role};

/// A server, by what it did for all requests.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NodeCost {
    /// Its name in the recordings.
    pub name: String,
    /// What it does.
    pub role: Role,
    /// How many servers of its role a request passes before it.
    pub hop: u8,
    /// CPU seconds for each million requests of clients, those that it never saw among them: these of all servers add up.
    pub cpu_seconds_per_million_requests: f64,
    /// Which part of the requests of clients came to it; absent for one that counts none.
    pub share_of_requests: Option<f64>,
}

/// Every server of all trials together; none where clients reach all servers that decide.
pub(super) fn costs(trials: &Trials<'_>) -> Vec<NodeCost> {
    let nodes = || trials.recordings.iter().flat_map(|recording| &recording.nodes);
    if nodes().all(|node| node.hop == 0) {
        return Vec::new();
    }
    let decides = |node: &&Node| node.role.enforces();
    let requests: u64 = nodes().filter(decides).filter(|node| node.hop == 0).map(requests).sum();
    let mut costs: Vec<NodeCost> = Vec::new();
    for node in nodes().filter(|node| node.role != Role::Client && requests > 0) {
        if costs.iter().any(|known| known.name == node.name) {
            continue;
        }
        let same = || nodes().filter(|other| other.name == node.name);
        let cpu: u64 = same().map(cpu_nanos).sum();
        let seen: u64 = same().map(self::requests).sum();
        costs.push(NodeCost {
            name: node.name.clone(),
            role: node.role,
            hop: node.hop,
            cpu_seconds_per_million_requests: cpu as f64 / 1e9 / requests as f64 * 1e6,
            share_of_requests: node.role.enforces().then(|| seen as f64 / requests as f64),
        });
    }
    costs
}

fn requests(node: &Node) -> u64 {
    node.looks.windows(2).map(|pair| pair[1].since(&pair[0], |look| look.counter("requests"))).sum()
}

fn cpu_nanos(node: &Node) -> u64 {
    node.looks.windows(2).map(|pair| pair[1].since(&pair[0], |look| look.cpu_nanos)).sum()
}

#[cfg(test)]
mod tests {
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
}
