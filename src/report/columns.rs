//! The columns of the tables, the same in the terminal, in HTML and in Markdown.

use crate::analysis::Analysis;
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
    /// Its heading where it stands alone.
    pub(super) label: &'static str,
    /// Two short lines for the terminal.
    pub(super) short: [&'static str; 2],
}

const fn column(
    metric: MetricId,
    group: &'static str,
    title: &'static str,
    label: &'static str,
    short: [&'static str; 2],
) -> Column {
    Column { metric, group, title, label, short }
}

/// Every column, in order.
pub(super) const COLUMNS: &[Column] = &[
    column(MetricId::LatencyP50, "Latency", "p50", "latency p50", ["latency", "p50"]),
    column(MetricId::LatencyP99, "Latency", "p99", "latency p99", ["latency", "p99"]),
    column(MetricId::LatencyP999, "Latency", "p99.9", "latency p99.9", ["latency", "p99.9"]),
    column(MetricId::AddedP50, "Added over control", "p50", "added latency p50", ["added", "p50"]),
    column(MetricId::AddedP99, "Added over control", "p99", "added latency p99", ["added", "p99"]),
    column(
        MetricId::ThroughputAtSlo,
        "Throughput",
        "at the limit",
        "rate at the limit",
        ["rate at", "the limit"],
    ),
    column(MetricId::Throughput, "Throughput", "answers", "throughput", ["through-", "put"]),
    column(
        MetricId::CpuResourceServer,
        CPU,
        "resource server",
        "CPU per 10⁶ requests, resource server",
        ["CPU/10⁶", "resource"],
    ),
    column(
        MetricId::CpuAuthorizationServer,
        CPU,
        "auth. server",
        "CPU per 10⁶ requests, auth. server",
        ["CPU/10⁶", "auth."],
    ),
    column(MetricId::StoreCpu, CPU, "store", "CPU per 10⁶ requests, store", ["CPU/10⁶", "store"]),
    column(
        MetricId::StoreMemory,
        "Store",
        "memory per 10⁶ tokens",
        "memory of the store per 10⁶ tokens",
        ["memory/", "10⁶ tokens"],
    ),
    column(
        MetricId::Amplification,
        "Auth. server",
        "calls per request",
        "auth. server calls per request",
        ["calls/", "request"],
    ),
    column(MetricId::Churn, "New tokens", "per second", "new tokens per second", ["new", "tokens"]),
    column(MetricId::IssueP50, "New tokens", "issued in, p50", "new token issued in, p50", ["issued", "p50"]),
    column(MetricId::TokenBytes, "Token", "size", "token size", ["token", "size"]),
    column(MetricId::ProofBytes, "Token", "proof", "proof size", ["proof", "size"]),
    column(
        MetricId::ClaimsReadableBytes,
        "Token",
        "readable claims",
        "claims that clients can read",
        ["readable", "claims"],
    ),
    column(
        MetricId::ConnectBytes,
        "Connection",
        "full handshake",
        "bytes of a full handshake",
        ["full", "handsh."],
    ),
    column(
        MetricId::ConnectResumedBytes,
        "Connection",
        "resumed",
        "bytes of a resumed handshake",
        ["resumed", "handsh."],
    ),
    column(
        MetricId::CertificateBytes,
        "Connection",
        "client's certificate",
        "certificate of the client",
        ["client", "certif."],
    ),
    column(
        MetricId::PropagationP50,
        "Revocation takes",
        "p50",
        "revocation takes, p50",
        ["revocation", "p50"],
    ),
    column(
        MetricId::PropagationMax,
        "Revocation takes",
        "max",
        "revocation takes, max",
        ["revocation", "max"],
    ),
    column(MetricId::ChannelDelayP50, "Channel delay", "p50", "channel delay p50", ["pushed", "in, p50"]),
    column(MetricId::ChannelDelayP99, "Channel delay", "p99", "channel delay p99", ["pushed", "in, p99"]),
    column(
        MetricId::UnsafeAcceptances,
        "Answers",
        "unsafe acceptances",
        "unsafe acceptances",
        ["unsafe", "accept."],
    ),
    column(
        MetricId::StaleAcceptances,
        "Answers",
        "stale acceptances",
        "stale acceptances",
        ["stale", "accept."],
    ),
    column(MetricId::WrongAnswers, "Answers", "wrong answers", "wrong answers", ["wrong", "answers"]),
];

const CPU: &str = "CPU per 10⁶ requests";

/// What is told of the signature of each subject that has one, in a table of its own.
pub(super) const SIGNATURE_COLUMNS: &[Column] = &[
    column(MetricId::SignatureBytes, "Size", "signature", "signature size", ["signature", "size"]),
    column(MetricId::KeygenP50, "Keygen", "p50", "keygen p50", ["keygen", "p50 "]),
    column(MetricId::SignP50, "Sign", "p50", "sign p50", ["sign", "p50"]),
    column(MetricId::SignMean, "Sign", "mean", "sign mean", ["sign", "mean"]),
    column(MetricId::SignP99, "Sign", "p99", "sign p99", ["sign", "p99"]),
    column(MetricId::VerifyP50, "Verify", "p50", "verify p50", ["verify", "p50"]),
    column(MetricId::VerifyP99, "Verify", "p99", "verify p99", ["verify", "p99"]),
    column(MetricId::ValidationP50, "Validate token", "p50", "validate token p50", ["validate", "token p50"]),
    column(
        MetricId::ThroughputPerCore,
        "Resource server",
        "requests/s per core",
        "requests/s per core",
        ["req/s per", "RS core"],
    ),
];

/// Those of `columns` in which any subject has a value. A tail that is that of a handful of requests everywhere is no column: it stands
/// with the figures of all requests.
pub(super) fn filled(columns: &'static [Column], analysis: &Analysis) -> Vec<&'static Column> {
    let has = |column: &&Column| {
        let values = || analysis.subjects.iter().filter_map(|summary| summary.estimates.get(&column.metric));
        let is_tail = column.metric == MetricId::LatencyP999;
        values().next().is_some() && !(is_tail && values().all(|estimate| estimate.few_samples))
    };
    columns.iter().filter(has).collect()
}

/// Headings of groups with how many columns each spans.
pub(super) fn groups(columns: &[&Column]) -> Vec<(&'static str, usize)> {
    let mut groups: Vec<(&'static str, usize)> = Vec::new();
    for column in columns {
        match groups.last_mut() {
            Some((group, span)) if *group == column.group => *span += 1,
            _ => groups.push((column.group, 1)),
        }
    }
    groups
}
