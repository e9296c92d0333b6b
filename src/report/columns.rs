//! The columns of the one table, the same in the terminal, in HTML and in Markdown.

use crate::metric::MetricId;

/// A column of the table of subjects.
#[derive(Debug)]
pub(super) struct Column {
    /// What stands in its cells.
    pub(super) metric: MetricId,
    /// What it belongs to; neighbours of the same group share a heading.
    pub(super) group: &'static str,
    /// Its heading below that of the group.
    pub(super) title: &'static str,
    /// Two short lines for the terminal.
    pub(super) short: [&'static str; 2],
}

const fn column(
    metric: MetricId,
    group: &'static str,
    title: &'static str,
    short: [&'static str; 2],
) -> Column {
    Column { metric, group, title, short }
}

/// Every column, in order.
pub(super) const COLUMNS: &[Column] = &[
    column(MetricId::LatencyP50, "Latency", "p50", ["latency", "p50"]),
    column(MetricId::LatencyP99, "Latency", "p99", ["latency", "p99"]),
    column(MetricId::LatencyP999, "Latency", "p99.9", ["latency", "p99.9"]),
    column(MetricId::AddedP50, "Added over control", "p50", ["added", "p50"]),
    column(MetricId::AddedP99, "Added over control", "p99", ["added", "p99"]),
    column(MetricId::Throughput, "Throughput", "answers", ["through-", "put"]),
    column(MetricId::CpuResourceServer, CPU, "resource server", ["CPU/10⁶", "resource"]),
    column(MetricId::CpuAuthorizationServer, CPU, "auth. server", ["CPU/10⁶", "auth."]),
    column(MetricId::Amplification, "Auth. server", "calls per request", ["calls/", "request"]),
    column(MetricId::TokenBytes, "Token", "size", ["token", "size"]),
    column(MetricId::PropagationP50, "Revocation takes", "p50", ["revocation", "p50"]),
    column(MetricId::PropagationMax, "Revocation takes", "max", ["revocation", "max"]),
    column(MetricId::UnsafeAcceptances, "Unsafe", "accepted", ["unsafe", "accepted"]),
    column(MetricId::WrongAnswers, "Wrong", "answers", ["wrong", "answers"]),
];

const CPU: &str = "CPU per 10⁶ requests";

/// Headings of groups with how many columns each spans.
pub(super) fn groups() -> Vec<(&'static str, usize)> {
    let mut groups: Vec<(&'static str, usize)> = Vec::new();
    for column in COLUMNS {
        match groups.last_mut() {
            Some((group, span)) if *group == column.group => *span += 1,
            _ => groups.push((column.group, 1)),
        }
    }
    groups
}
