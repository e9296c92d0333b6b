//! The figures of all requests beside those of the requests that no gap disturbed.

use crate::analysis::{Analysis, Summary};
use crate::metric::MetricId;
use crate::report::cell::Cell;

/// A subject: each figure, and below it that of all requests.
pub(super) struct AllRow {
    pub(super) subject: String,
    pub(super) cells: Vec<AllCell>,
}

/// A figure in both ways.
pub(super) struct AllCell {
    pub(super) metric: &'static str,
    pub(super) undisturbed: String,
    pub(super) all: String,
}

const METRICS: [(MetricId, &str); 6] = [
    (MetricId::LatencyP50, "p50"),
    (MetricId::LatencyP90, "p90"),
    (MetricId::LatencyP95, "p95"),
    (MetricId::LatencyP99, "p99"),
    (MetricId::LatencyP999, "p99.9"),
    (MetricId::LatencyMean, "mean"),
];

/// Every subject that has both; none if none has.
pub(super) fn all_rows(analysis: &Analysis) -> Vec<AllRow> {
    analysis.subjects.iter().map(row).filter(|row| !row.cells.is_empty()).collect()
}

fn row(summary: &Summary) -> AllRow {
    let cell = |(metric, name): (MetricId, &'static str)| {
        let estimate = summary.estimates.get(&metric)?;
        let all = metric.show(estimate.of_all?);
        Some(AllCell { metric: name, undisturbed: Cell::of(summary, metric).value, all })
    };
    AllRow { subject: summary.subject.name.clone(), cells: METRICS.into_iter().filter_map(cell).collect() }
}
