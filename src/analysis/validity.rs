//! Whether figures may be believed, and who is to blame if not.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::analysis::trials::Trials;
use crate::analysis::{Analysis, Gravity, Summary, Warning};
use crate::metric::{MetricId, Threshold};

/// What a run says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Validity {
    /// Nothing was found that speaks against the figures.
    Valid,
    /// They may be off.
    Suspect,
    /// They mean nothing.
    Invalid,
}

impl Validity {
    /// What the heaviest of the warnings leaves of the figures.
    pub fn of<'a>(warnings: impl IntoIterator<Item = &'a Warning>) -> Self {
        match warnings.into_iter().map(Warning::gravity).max() {
            Some(Gravity::Unfit) => Self::Invalid,
            Some(Gravity::Doubtful) => Self::Suspect,
            Some(Gravity::Note) | None => Self::Valid,
        }
    }
}

/// Whose doing it is that a figure must be doubted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Blame {
    /// The load generator: another one would have seen other figures of the same servers.
    Generator,
    /// The servers, or the connections they were given: they did not keep up with the plan.
    Servers,
    /// The machine: somebody else used it too.
    Machine,
    /// The subject: it did not do what it claims to do.
    Subject,
    /// What was asked for: the scenario, the build, an interrupt.
    Setup,
}

impl Blame {
    /// True if it lies with the bench rather than with what it measures, so that the figures tell nothing of the latter.
    pub fn is_of_the_bench(self) -> bool {
        matches!(self, Self::Generator | Self::Machine)
    }
}

impl Analysis {
    /// Whether the run as a whole may be believed.
    pub fn validity(&self) -> Validity {
        let subjects = self.subjects.iter().flat_map(|summary| &summary.warnings);
        Validity::of(self.warnings.iter().chain(subjects))
    }

    /// Why nothing is left of what was asked, if so, that no request was due at all, or that requests were lost: for that alone a run
    /// is refused.
    pub fn unusable(&self) -> Option<&Warning> {
        let subjects = self.subjects.iter().flat_map(|summary| &summary.warnings);
        let is_empty = self.subjects.iter().all(|summary| summary.requests == 0);
        let is_fatal = |warning: &&Warning| match warning {
            Warning::NothingLeft { .. } | Warning::Lost { .. } => true,
            Warning::NothingMeasured => is_empty,
            _ => false,
        };
        self.warnings.iter().chain(subjects).find(is_fatal)
    }
}

impl Summary {
    /// Whether its figures may be believed.
    pub fn validity(&self) -> Validity {
        Validity::of(&self.warnings)
    }
}

/// What a scenario asks of a subject: the latencies that everybody asks for, how long a revocation takes, and what its
/// thresholds are about.
pub(super) fn asked(trials: &Trials<'_>) -> BTreeSet<MetricId> {
    let scenario = trials.recordings.iter().flat_map(|recording| &recording.scenario.thresholds);
    let written = scenario.chain(&trials.subject.thresholds);
    let limited =
        written.filter_map(|written| written.parse::<Threshold>().ok()).map(|threshold| threshold.metric);
    limited.chain([MetricId::LatencyP50, MetricId::LatencyP99, MetricId::PropagationMax]).collect()
}

/// The run is refused if of all that was asked nothing is left in any subject.
pub(super) fn nothing_left(groups: &[Trials<'_>], subjects: &[Summary]) -> Option<Warning> {
    let mut metrics = BTreeSet::new();
    for (trials, summary) in groups.iter().zip(subjects) {
        for metric in asked(trials) {
            match summary.estimates.get(&metric) {
                None => {}
                Some(estimate) if estimate.standing.is_lost() => {
                    metrics.insert(metric);
                }
                Some(_) => return None,
            }
        }
    }
    (!metrics.is_empty()).then(|| Warning::NothingLeft { metrics: metrics.into_iter().collect() })
}
