//! A table of what each server uses up, where a request passes several, or a program of its own keeps the tokens.

use crate::analysis::{Analysis, NodeCost};
use crate::metric::{MetricId, Unit};
use crate::report::cell::between;

/// A server of a subject.
#[derive(Debug)]
pub(super) struct NodeRow {
    pub(super) subject: String,
    pub(super) node: String,
    pub(super) requests: String,
    pub(super) cpu: String,
}

/// Every server of every subject that has a gateway, or a program that keeps its tokens.
pub(super) fn node_rows(analysis: &Analysis) -> Vec<NodeRow> {
    let row = |subject: &str, node: &NodeCost| NodeRow {
        subject: subject.to_owned(),
        node: node.name.clone(),
        requests: node.share_of_requests.map_or_else(|| "–".to_owned(), |share| Unit::Fraction.show(share)),
        cpu: cpu(node),
    };
    let subjects = analysis.subjects.iter();
    subjects
        .flat_map(|summary| summary.nodes.iter().map(move |node| row(&summary.subject.name, node)))
        .collect()
}

fn cpu(node: &NodeCost) -> String {
    let metric = MetricId::CpuResourceServer;
    let point = metric.show(node.cpu_seconds_per_million_requests);
    match node.cpu_interval {
        Some((low, high)) => format!("{point} ({})", between(metric, low, high)),
        None => format!("{point} (no interval)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{analyse, synthetic};

    #[test]
    fn only_subjects_with_a_gateway_have_a_row_for_each_server() {
        let mut recordings = synthetic::recordings();
        assert!(node_rows(&analyse(&recordings)).is_empty());
        recordings[1].nodes[3].hop = 1;
        let rows = node_rows(&analyse(&recordings));
        assert_eq!(rows.len(), 3);
        assert!(rows.iter().all(|row| row.subject == recordings[1].subject.name));
        assert_eq!(rows[0].requests, "–");
    }
}
