//! `summary.json`: every figure for programs, in SI base units.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::analysis::{
    Analysis, Basis, Blame, Check, Class, Estimate, Gravity, Ladder, NodeCost, PhaseFigures, PopularityTenth,
    Standing, Summary, Validity, Verdict, Warning, WinnerMap,
};
use crate::metric::MetricId;
use crate::observation::{Environment, Signature, Workload};
use crate::report::explain;

/// The version of the format; a reader refuses a newer one.
const SCHEMA_VERSION: u32 = 1;

/// The text of `summary.json`.
pub fn to_json(analysis: &Analysis) -> String {
    let whole = analysis.warnings.iter().map(|warning| WarningRecord::of(None, warning));
    let subjects = analysis.subjects.iter().flat_map(|summary| {
        summary.warnings.iter().map(|warning| WarningRecord::of(Some(&summary.subject.name), warning))
    });
    let wire = Wire {
        schema_version: SCHEMA_VERSION,
        scenario: &analysis.scenario.name,
        question: &analysis.scenario.question,
        started: &analysis.started,
        seeds: &analysis.seeds,
        environment: &analysis.environment,
        workload: &analysis.workload,
        verdict: analysis.validity(),
        gravity: analysis.gravity(),
        warnings: whole.chain(subjects).collect(),
        thresholds: &analysis.thresholds,
        subjects: analysis.subjects.iter().map(Subject::of).collect(),
        winners: analysis.winners.as_ref(),
        offered_load: &analysis.ladders,
    };
    let mut text = serde_json::to_string_pretty(&wire).expect("plain values have a JSON form");
    text.push('\n');
    text
}

#[derive(Serialize)]
struct Wire<'a> {
    schema_version: u32,
    scenario: &'a str,
    question: &'a str,
    started: &'a str,
    seeds: &'a [u64],
    environment: &'a Environment,
    workload: &'a Workload,
    verdict: Validity,
    gravity: Option<Gravity>,
    warnings: Vec<WarningRecord<'a>>,
    thresholds: &'a [Verdict],
    subjects: Vec<Subject<'a>>,
    /// Who would answer soonest with the authorization server further away: computed.
    #[serde(skip_serializing_if = "Option::is_none")]
    winners: Option<&'a WinnerMap>,
    /// Subjects that were measured at several rates.
    #[serde(skip_serializing_if = "<[Ladder]>::is_empty")]
    offered_load: &'a [Ladder],
}

#[derive(Serialize)]
pub(super) struct WarningRecord<'a> {
    subject: Option<&'a str>,
    gravity: Gravity,
    blame: Blame,
    message: String,
    #[serde(flatten)]
    warning: &'a Warning,
}

impl<'a> WarningRecord<'a> {
    pub(super) fn of(subject: Option<&'a str>, warning: &'a Warning) -> Self {
        let (gravity, blame) = (warning.gravity(), warning.blame());
        Self { subject, gravity, blame, message: explain(warning), warning }
    }
}

#[derive(Serialize)]
struct Subject<'a> {
    name: &'a str,
    verdict: Validity,
    architecture: &'a str,
    signature: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scheme: Option<&'a Signature>,
    store: &'a str,
    /// What clients must show beside a token.
    #[serde(skip_serializing_if = "Option::is_none")]
    sender: Option<serde_json::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wire: Option<&'a str>,
    resource_servers: u32,
    control: bool,
    trials: usize,
    metrics: BTreeMap<MetricId, Value>,
    /// Latency by class of token and class of status, in seconds; empty in recordings before version 3.
    classes: &'a [Class],
    expectations: &'a [Check],
    /// What its caches kept of every tenth of the tokens.
    #[serde(skip_serializing_if = "<[PopularityTenth]>::is_empty")]
    popularity: &'a [PopularityTenth],
    /// What each server uses up, where a request passes several.
    #[serde(skip_serializing_if = "<[NodeCost]>::is_empty")]
    nodes: &'a [NodeCost],
    /// What was measured while nothing was done to its servers, while something was, and afterwards.
    #[serde(skip_serializing_if = "<[PhaseFigures]>::is_empty")]
    phases: &'a [PhaseFigures],
}

impl<'a> Subject<'a> {
    fn of(summary: &'a Summary) -> Self {
        Self {
            name: &summary.subject.name,
            verdict: summary.validity(),
            architecture: &summary.subject.architecture,
            signature: summary.subject.signature.as_deref(),
            scheme: summary.subject.scheme.as_ref(),
            store: &summary.subject.store,
            sender: summary.subject.parts.get("sender").and_then(|sender| serde_json::to_value(sender).ok()),
            wire: summary.subject.wire.as_deref(),
            resource_servers: summary.resource_servers,
            control: summary.is_control,
            trials: summary.trials,
            metrics: Value::all(summary),
            classes: &summary.breakdown.classes,
            expectations: &summary.checks,
            popularity: &summary.popularity,
            nodes: &summary.nodes,
            phases: &summary.phases,
        }
    }
}

#[derive(Serialize)]
pub(super) struct Value {
    point: f64,
    low: f64,
    high: Option<f64>,
    unit: &'static str,
    basis: Basis,
    few_samples: bool,
    /// How far it can be trusted: `sound`, `bounded` (`least`, `most`) or `lost`.
    #[serde(flatten)]
    standing: Standing,
    /// The same figure over all requests, disturbed ones included.
    #[serde(skip_serializing_if = "Option::is_none")]
    all_requests: Option<f64>,
}

impl Value {
    /// Every metric that a subject has.
    pub(super) fn all(summary: &Summary) -> BTreeMap<MetricId, Self> {
        let of = |(metric, estimate): (&MetricId, &Estimate)| (*metric, Self::of(*metric, estimate));
        summary.estimates.iter().map(of).collect()
    }

    pub(super) fn of(metric: MetricId, estimate: &Estimate) -> Self {
        let Estimate { point, low, high, basis, few_samples, standing, of_all, bias: _ } = *estimate;
        let unit = metric.unit().symbol();
        Self { point, low, high, unit, basis, few_samples, standing, all_requests: of_all }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{analyse, synthetic};

    #[test]
    fn programs_find_every_figure_under_its_id_in_base_units() {
        let text = to_json(&analyse(&synthetic::recordings()));
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        let mut keys: Vec<_> = json.as_object().unwrap().keys().map(String::as_str).collect();
        keys.sort_unstable();
        assert_eq!(
            keys.join(" "),
            "environment gravity question scenario schema_version seeds started subjects thresholds verdict warnings winners workload"
        );
        let subject = &json["subjects"][1];
        assert_eq!(
            (json["schema_version"].as_u64(), subject["name"].as_str()),
            (Some(1), Some("introspection"))
        );
        let p99 = &subject["metrics"]["latency.p99"];
        assert_eq!(p99["unit"], "s");
        assert!(p99["point"].as_f64().unwrap() < 0.01, "{p99}");
        let longest = &json["subjects"][3]["metrics"]["propagation.max"];
        assert!(longest["high"].is_null() && longest["point"].as_f64().unwrap() > 1.0, "{longest}");
        let control = &json["subjects"][0]["metrics"];
        assert!(control.get("latency.added.p50").is_none() && control.get("hit_ratio").is_none());
    }
}
