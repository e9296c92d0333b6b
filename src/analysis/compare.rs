//! Two runs side by side: for information, single runs are no gate.

use crate::analysis::{Analysis, Estimate};
use crate::metric::MetricId;

/// The metrics of a subject in two runs.
#[derive(Clone, Debug, PartialEq)]
pub struct SubjectChanges {
    /// The subject's name.
    pub subject: String,
    /// Every metric that either run has.
    pub changes: Vec<Change>,
}

/// A metric in two runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    /// Which metric.
    pub metric: MetricId,
    /// In the first run.
    pub before: Option<Estimate>,
    /// In the second run.
    pub after: Option<Estimate>,
    /// After / before; absent unless both are known and above zero, and for differences.
    pub ratio: Option<f64>,
}

/// Pairs subjects by name: those of the first run in its order, then those of the second alone.
pub fn changes(before: &Analysis, after: &Analysis) -> Vec<SubjectChanges> {
    let names = |analysis: &Analysis| -> Vec<String> {
        analysis.subjects.iter().map(|summary| summary.subject.name.clone()).collect()
    };
    let mut subjects = names(before);
    let more: Vec<String> = names(after).into_iter().filter(|name| !subjects.contains(name)).collect();
    subjects.extend(more);
    subjects
        .into_iter()
        .map(|subject| {
            let all = MetricId::ALL.iter();
            let changes = all.filter_map(|metric| change(*metric, &subject, before, after)).collect();
            SubjectChanges { subject, changes }
        })
        .collect()
}

fn change(metric: MetricId, subject: &str, before: &Analysis, after: &Analysis) -> Option<Change> {
    let of = |analysis: &Analysis| {
        let summary = analysis.subjects.iter().find(|summary| summary.subject.name == subject)?;
        summary.estimates.get(&metric).copied()
    };
    let (before, after) = (of(before), of(after));
    let has_ratio = |estimate: Estimate| estimate.point > 0.0 && estimate.high.is_some();
    let ratio = match (before, after) {
        (Some(before), Some(after)) if has_ratio(before) && has_ratio(after) && !metric.is_difference() => {
            Some(after.point / before.point)
        }
        (None, None) => return None,
        _ => None,
    };
    Some(Change { metric, before, after, ratio })
}
