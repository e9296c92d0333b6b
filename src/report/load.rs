//! What `bearerbench load` prints: one server, every figure on a line of its own; the same for programs.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use crate::analysis::{Analysis, Summary, Validity};
use crate::metric::{MetricId, thousands};
use crate::observation::Workload;
use crate::report::cell::Cell;
use crate::report::json::{Value, WarningRecord};
use crate::report::terminal::{align, doubts, thresholds};
use crate::report::trust::VerdictBox;

/// The version of the format; a reader refuses a newer one.
const SCHEMA_VERSION: u32 = 1;

#[derive(Serialize)]
struct Written<'a> {
    schema_version: u32,
    target: &'a str,
    /// How requests travelled, unless by plain HTTP/1.1 over TCP.
    wire: Option<&'a str>,
    /// Requests that were due within the measured window.
    requests: u64,
    workload: &'a Workload,
    verdict: Validity,
    warnings: Vec<WarningRecord<'a>>,
    metrics: BTreeMap<MetricId, Value>,
}

/// Every figure of a load on one server, for programs: SI base units.
pub fn load_json(analysis: &Analysis) -> String {
    let summary = only(analysis);
    let whole = analysis.warnings.iter().chain(&summary.warnings);
    let written = Written {
        schema_version: SCHEMA_VERSION,
        target: &summary.subject.name,
        wire: summary.subject.wire.as_deref(),
        requests: summary.requests,
        workload: &analysis.workload,
        verdict: analysis.validity(),
        warnings: whole.map(|warning| WarningRecord::of(None, warning)).collect(),
        metrics: Value::all(summary),
    };
    let mut text = serde_json::to_string_pretty(&written).expect("plain values have a JSON form");
    text.push('\n');
    text
}

/// Whether to believe it and why not, then every figure with its interval.
pub fn load_text(analysis: &Analysis) -> String {
    let summary = only(analysis);
    let mut text = String::new();
    let VerdictBox { headline, facts, .. } = VerdictBox::of(analysis);
    writeln!(text, "{headline}. {facts}").expect("text grows");
    doubts(&mut text, analysis);
    thresholds(&mut text, analysis);
    let requests = vec!["requests".to_owned(), thousands(&summary.requests.to_string()), String::new()];
    let figures = summary.estimates.keys().map(|metric| {
        let cell = Cell::of(summary, *metric);
        vec![
            metric.id().into_owned(),
            format!("{}{}", cell.value, if cell.few_samples { "*" } else { "" }),
            [cell.standing.unwrap_or_default(), &cell.detail].join(" ").trim().to_owned(),
        ]
    });
    align(&mut text, &std::iter::once(requests).chain(figures).collect::<Vec<_>>());
    text.push_str(
        "Latency counts from the instant a request was due. Right of a value: its 95 % interval within this run.\n\
         * fewer than 100 requests beyond it: do not compare. `bearerbench explain METRIC` says what a line means.\n",
    );
    text
}

fn only(analysis: &Analysis) -> &Summary {
    analysis.subjects.first().expect("a load has one subject")
}
