//! A subject at several rates: every step with what became of it, latency by offered load, and how far the limit held.

mod highest;
mod step;

use serde::Serialize;

use crate::analysis::followed::{FollowedSeconds, From, Reach};
use crate::analysis::latency::of_load;
use crate::analysis::trials::Trials;
use crate::analysis::{Estimate, Summary, Warning};
use crate::metric::{Comparison, MetricId, Threshold};
use crate::observation::{Load, Recording, Second, Step};

pub use step::{Fault, Shortfall, StepOutcome, is_broken, judge};

/// The steps of one subject.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ladder {
    /// The subject's name in the scenario.
    pub subject: String,
    /// True if it accepts bad tokens by design.
    pub is_control: bool,
    /// True if the rates were sought, false if the scenario names them.
    pub is_search: bool,
    /// The limit in k6's grammar, if there is one.
    pub limit: Option<String>,
    /// Every step, in the order in which they were made.
    pub steps: Vec<LoadStep>,
    /// Latency by offered load, lowest rate first; repetitions at the same rate together.
    pub points: Vec<LoadPoint>,
    /// The highest rate at which the limit held; absent if it is not known to have held at any, or if there is none.
    pub highest: Option<Estimate>,
    /// Reasons to read it with care.
    #[serde(skip)]
    pub warnings: Vec<Warning>,
}

/// One trial at one rate.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LoadStep {
    /// Which repetition, from 0.
    pub repetition: u32,
    /// Offered requests per second.
    pub rate: f64,
    /// How long it was measured, in seconds.
    pub seconds: f64,
    /// Answers per second.
    pub throughput: Option<f64>,
    /// Median latency in seconds.
    pub p50: Option<f64>,
    /// 99th percentile of the latency in seconds.
    pub p99: Option<f64>,
    /// What became of it.
    pub outcome: StepOutcome,
}

/// Latency at one rate.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct LoadPoint {
    /// Offered requests per second.
    pub rate: f64,
    /// Median latency in seconds.
    pub p50: f64,
    /// 99th percentile of the latency in seconds.
    pub p99: f64,
    /// True if every trial at this rate was spoiled.
    pub is_spoiled: bool,
}

impl Ladder {
    /// The steps of a subject; `None` if it was measured at one rate.
    pub(super) fn of(trials: &Trials<'_>) -> Option<Self> {
        let first = trials.recordings.first().filter(|recording| recording.step.is_some())?;
        let limit = limit(first);
        let steps: Vec<LoadStep> =
            trials.recordings.iter().map(|recording| LoadStep::of(recording, limit.as_ref())).collect();
        let is_search = matches!(first.step, Some(Step::Search { .. }));
        let (highest, warnings) = if limit.is_none() {
            (None, Vec::new())
        } else if is_search {
            highest::sought(&steps, trials.seed())
        } else {
            (highest::among(&steps), Vec::new())
        };
        Some(Self {
            subject: trials.subject.name.clone(),
            is_control: trials.is_control(),
            is_search,
            limit: limit.map(|limit| limit.to_string()),
            points: points(trials, &steps),
            steps,
            highest,
            warnings,
        })
    }

    /// The rate that stands for the subject: the highest that passed, else the lowest that was tried.
    pub(super) fn representative(&self) -> Option<f64> {
        let passed = self.steps.iter().filter(|step| step.outcome == StepOutcome::Passed);
        let highest = passed.map(|step| step.rate).reduce(f64::max);
        highest.or_else(|| self.steps.iter().map(|step| step.rate).reduce(f64::min))
    }
}

/// Adds what was sought to the figures of the highest rate that passed, which stand under the name of the subject.
pub(super) fn with_search(mut summary: Summary, ladders: &[Ladder]) -> Summary {
    let Some(ladder) = ladders.iter().find(|ladder| ladder.subject == summary.subject.name) else {
        return summary;
    };
    summary.estimates.extend(ladder.highest.map(|highest| (MetricId::ThroughputAtSlo, highest)));
    for warning in &ladder.warnings {
        if !summary.warnings.contains(warning) {
            summary.warnings.push(warning.clone());
        }
    }
    summary
}

/// That of the search; of a sweep the first upper limit on latency among the thresholds of the scenario.
fn limit(recording: &Recording) -> Option<Threshold> {
    let is_limit = |threshold: &Threshold| {
        let is_upper = matches!(threshold.comparison, Comparison::Below | Comparison::AtMost);
        is_upper && (threshold.metric.quantile().is_some() || threshold.metric == MetricId::LatencyMean)
    };
    match recording.step.as_ref()? {
        Step::Search { threshold, .. } => threshold.parse().ok(),
        Step::Sweep => {
            recording.scenario.thresholds.iter().filter_map(|written| written.parse().ok()).find(is_limit)
        }
    }
}

impl LoadStep {
    fn of(recording: &Recording, limit: Option<&Threshold>) -> Self {
        let load = recording.load.as_ref();
        let latency = |metric| load.and_then(|load| of_load(load, metric));
        let answers = |load: &Load| load.seconds.iter().map(|second| second.answers).sum::<u64>() as f64;
        let measured = load.filter(|load| load.measured_seconds > 0.0);
        Self {
            repetition: recording.repetition,
            rate: recording.workload.rate,
            seconds: load.map_or(0.0, |load| load.measured_seconds),
            throughput: measured.map(|load| answers(load) / load.measured_seconds),
            p50: latency(MetricId::LatencyP50),
            p99: latency(MetricId::LatencyP99),
            outcome: step::of(recording, limit),
        }
    }

    fn is_spoiled(&self) -> bool {
        matches!(self.outcome, StepOutcome::Spoiled(_))
    }
}

/// Histograms of the same rate are merged, those of other rates never; a spoiled one counts only where there is no other.
fn points(trials: &Trials<'_>, steps: &[LoadStep]) -> Vec<LoadPoint> {
    let mut rates: Vec<f64> = steps.iter().map(|step| step.rate).collect();
    rates.sort_unstable_by(f64::total_cmp);
    rates.dedup();
    let point = |rate: f64| {
        let same = || trials.recordings.iter().zip(steps).filter(move |(_, step)| same_rate(step.rate, rate));
        let is_spoiled = same().all(|(_, step)| step.is_spoiled());
        let shown = same().filter(|(_, step)| is_spoiled || !step.is_spoiled());
        let loads = shown.filter_map(|(recording, _)| recording.load.as_ref());
        let seconds: Vec<&Second> = loads.flat_map(|load| &load.seconds).collect();
        let latency = FollowedSeconds::of(&seconds, From::Due);
        let at = |q| latency.whole(q).map(Reach::seconds);
        Some(LoadPoint { rate, p50: at(0.5)?, p99: at(0.99)?, is_spoiled })
    };
    rates.into_iter().filter_map(point).collect()
}

/// Rates are planned, and read back as they were written.
#[expect(clippy::float_cmp, reason = "the same number or another, nothing is computed")]
pub(super) fn same_rate(a: f64, b: f64) -> bool {
    a == b
}
