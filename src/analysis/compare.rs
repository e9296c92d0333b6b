//! Two runs side by side: for information, single runs are no gate.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use serde::Serialize;

use crate::analysis::{Analysis, Basis, Estimate, Standing, Summary};
use crate::design::Checks;
use crate::metric::{Better, MetricId, Unit};

/// The metrics of a subject in two runs.
#[derive(Clone, Debug, PartialEq)]
pub struct SubjectChanges {
    /// The subject's name in the first run, if it is there.
    pub first: Option<String>,
    /// In the second run.
    pub second: Option<String>,
    /// Every metric that either run has: what changed first, the largest change before the others, then the rest in the order of
    /// the table.
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
    /// After / before; absent unless both are known, not lost and above zero, and for differences.
    pub ratio: Option<f64>,
    /// What became of it.
    pub shift: Shift,
}

/// What became of a metric from the first run to the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Shift {
    /// Both have an interval, and these do not overlap.
    Apart,
    /// Without intervals, counts that are not the same, or values that differ by more than 10 %.
    Different,
    /// Only one of the runs has it.
    OneSided,
    /// Nothing tells the runs apart in it.
    Alike,
}

/// Single runs of the same code differ by so much without any reason.
const NOISE: f64 = 0.1;

impl SubjectChanges {
    /// True if it is paired with a subject of another name.
    pub fn is_renamed(&self) -> bool {
        matches!((&self.first, &self.second), (Some(first), Some(second)) if first != second)
    }
}

impl Change {
    /// True unless nothing tells the runs apart in it.
    pub fn is_change(&self) -> bool {
        self.shift != Shift::Alike
    }

    /// Whether the second run is the better one in it; `None` if nothing changed, or neither direction is better.
    pub fn is_better(&self) -> Option<bool> {
        let (before, after) = self.before.zip(self.after).filter(|_| self.is_change())?;
        match self.metric.better() {
            Better::Lower => Some(after.point < before.point),
            Better::Higher => Some(after.point > before.point),
            Better::Neither => None,
        }
    }

    /// How far the values are from each other, whichever is the larger: 1 is not at all, without a ratio without end.
    fn size(&self) -> f64 {
        self.ratio.map_or(f64::INFINITY, |ratio| ratio.max(1.0 / ratio))
    }

    fn order(&self, other: &Self) -> Ordering {
        let by_size = if self.is_change() { other.size().total_cmp(&self.size()) } else { Ordering::Equal };
        self.shift.cmp(&other.shift).then(by_size).then(self.metric.cmp(&other.metric))
    }
}

/// Pairs subjects by name. Of the others those that are servers of somebody else's, or that are alone in both runs, are paired by
/// their position. Those of the first run come in its order, then those that only the second has.
pub fn changes(before: &Analysis, after: &Analysis) -> Vec<SubjectChanges> {
    let name = |summary: &Summary| summary.subject.name.clone();
    let find = |analysis: &'_ Analysis, name: &str| {
        analysis.subjects.iter().position(|summary| summary.subject.name == name)
    };
    let are_alone = before.subjects.len() == 1 && after.subjects.len() == 1;
    let has_no_pair = |summary: &Summary, other: &Analysis| {
        let may_be_renamed = are_alone || summary.subject.design.checks == Checks::Unknown;
        may_be_renamed && find(other, &summary.subject.name).is_none()
    };
    let mut left: Vec<&Summary> =
        after.subjects.iter().filter(|summary| has_no_pair(summary, before)).rev().collect();
    let mut pairs: Vec<(Option<&Summary>, Option<&Summary>)> = Vec::new();
    for first in &before.subjects {
        let second = match find(after, &first.subject.name) {
            Some(position) => Some(&after.subjects[position]),
            None if has_no_pair(first, after) => left.pop(),
            None => None,
        };
        pairs.push((Some(first), second));
    }
    let paired: Vec<&str> =
        pairs.iter().filter_map(|(_, second)| Some(second.as_ref()?.subject.name.as_str())).collect();
    let alone = after.subjects.iter().filter(|summary| !paired.contains(&summary.subject.name.as_str()));
    let alone: Vec<_> = alone.map(|second| (None, Some(second))).collect();
    pairs.extend(alone);
    let compared = |(first, second): (Option<&Summary>, Option<&Summary>)| SubjectChanges {
        first: first.map(name),
        second: second.map(name),
        changes: changes_of(first, second),
    };
    pairs.into_iter().map(compared).collect()
}

fn changes_of(first: Option<&Summary>, second: Option<&Summary>) -> Vec<Change> {
    let both = first.into_iter().chain(second);
    let metrics: BTreeSet<MetricId> = both.flat_map(|summary| summary.estimates.keys().copied()).collect();
    let of = |summary: Option<&Summary>, metric| summary?.estimates.get(&metric).copied();
    let mut changes: Vec<Change> =
        metrics.into_iter().map(|metric| change(metric, of(first, metric), of(second, metric))).collect();
    changes.sort_by(Change::order);
    changes
}

fn change(metric: MetricId, before: Option<Estimate>, after: Option<Estimate>) -> Change {
    let has_ratio =
        |estimate: &Estimate| estimate.point > 0.0 && estimate.high.is_some() && !estimate.standing.is_lost();
    let ratio = match (before, after) {
        (Some(before), Some(after)) if has_ratio(&before) && has_ratio(&after) && !metric.is_difference() => {
            Some(after.point / before.point)
        }
        _ => None,
    };
    let shift = match (before, after) {
        (Some(before), Some(after)) => shift(metric, &before, &after),
        _ => Shift::OneSided,
    };
    Change { metric, before, after, ratio, shift }
}

fn shift(metric: MetricId, before: &Estimate, after: &Estimate) -> Shift {
    let has_ends = |estimate: &Estimate| {
        estimate.is_interval() || estimate.high.is_none() || estimate.standing != Standing::Sound
    };
    let is_known = |estimate: &Estimate| estimate.basis != Basis::TooFew;
    if (has_ends(before) || has_ends(after)) && is_known(before) && is_known(after) {
        let ([low, high], [other_low, other_high]) = (ends(before), ends(after));
        return if high < other_low || other_high < low { Shift::Apart } else { Shift::Alike };
    }
    let (first, second) = (before.point, after.point);
    let is_exact = metric.unit() == Unit::Count
        || matches!(
            metric,
            MetricId::TokenBytes
                | MetricId::ClaimsReadableBytes
                | MetricId::ProofBytes
                | MetricId::SignatureBytes
        );
    let noise = if is_exact { 0.0 } else { NOISE * first.abs().max(second.abs()) };
    let is_alike = (first - second).abs() <= noise;
    if is_alike { Shift::Alike } else { Shift::Different }
}

/// Between what the value lies, by chance and by what the bench may have added.
fn ends(estimate: &Estimate) -> [f64; 2] {
    match estimate.standing {
        Standing::Lost { least, most } => [least.unwrap_or(0.0), most.unwrap_or(f64::INFINITY)],
        _ => [estimate.low - estimate.bias, estimate.high.unwrap_or(f64::INFINITY)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{Basis, analyse, synthetic};
    use crate::design::Design;
    use crate::observation::Recording;

    fn between(low: f64, point: f64, high: f64) -> Estimate {
        Estimate { low, high: Some(high), basis: Basis::AcrossRuns, ..Estimate::counted(point) }
    }

    fn shift_of(metric: MetricId, before: Estimate, after: Estimate) -> Shift {
        change(metric, Some(before), Some(after)).shift
    }

    #[test]
    fn intervals_that_overlap_are_no_change_and_what_has_none_changes_by_more_than_noise() {
        let p99 = MetricId::LatencyP99;
        assert_eq!(shift_of(p99, between(1.0, 2.0, 3.0), between(2.5, 4.0, 5.0)), Shift::Alike);
        assert_eq!(shift_of(p99, between(1.0, 2.0, 3.0), between(3.5, 4.0, 5.0)), Shift::Apart);
        let at_least = Estimate { high: None, ..between(1.0, 2.0, 3.0) };
        assert_eq!(shift_of(p99, at_least, between(3.5, 4.0, 5.0)), Shift::Alike, "it may be as long");
        assert_eq!(shift_of(p99, between(0.1, 0.2, 0.3), at_least), Shift::Apart);
        let lost =
            Estimate { standing: Standing::Lost { least: None, most: Some(9.0) }, ..between(8.9, 9.0, 9.1) };
        assert_eq!(shift_of(p99, between(1.0, 2.0, 3.0), lost), Shift::Alike, "at most 9");
        assert_eq!(change(p99, Some(between(1.0, 2.0, 3.0)), Some(lost)).ratio, None, "no number, no ratio");
        let lagging = Estimate {
            bias: 2.0,
            standing: Standing::Bounded { least: 2.0, most: 4.0 },
            ..between(3.5, 4.0, 5.0)
        };
        assert_eq!(shift_of(p99, between(1.0, 2.0, 3.0), lagging), Shift::Alike, "the lag may be why");
        let counted = Estimate::counted;
        for (metric, before, after, expected) in [
            (MetricId::WrongAnswers, 0.0, 1.0, Shift::Different),
            (MetricId::WrongAnswers, 3.0, 3.0, Shift::Alike),
            (MetricId::TokenBytes, 600.0, 601.0, Shift::Different),
            (MetricId::MemoryResourceServer, 8e6, 8.1e6, Shift::Alike),
            (MetricId::CpuResourceServer, 40.0, 43.0, Shift::Alike),
            (MetricId::CpuResourceServer, 40.0, 60.0, Shift::Different),
            (MetricId::Errors, 0.0, 0.001, Shift::Different),
            (MetricId::Errors, 0.0, 0.0, Shift::Alike),
        ] {
            assert_eq!(
                shift_of(metric, counted(before), counted(after)),
                expected,
                "{metric} {before} {after}"
            );
        }
    }

    #[test]
    fn what_changed_comes_first_the_largest_change_before_the_others() {
        let mut analysis = analyse(&[synthetic::recording(1)]);
        let about = |value: f64| between(0.99 * value, value, 1.01 * value);
        let rates = [(MetricId::LatencyP50, 1e-3), (MetricId::Throughput, 1_000.0)];
        analysis.subjects[0].estimates.extend(rates.map(|(metric, value)| (metric, about(value))));
        let before = analysis.clone();
        let estimates = &mut analysis.subjects[0].estimates;
        estimates.insert(MetricId::LatencyP50, about(2e-3));
        estimates.insert(MetricId::Throughput, about(200.0));
        estimates.insert(MetricId::WrongAnswers, Estimate::counted(7.0));
        estimates.remove(&MetricId::LatencyMax);
        let [subject] = &changes(&before, &analysis)[..] else { panic!("one subject") };
        let changed: Vec<_> = subject.changes.iter().filter(|change| change.is_change()).collect();
        let found: Vec<_> = changed.iter().map(|change| (change.metric, change.shift)).collect();
        assert_eq!(
            found,
            [
                (MetricId::Throughput, Shift::Apart),
                (MetricId::LatencyP50, Shift::Apart),
                (MetricId::WrongAnswers, Shift::Different),
                (MetricId::LatencyMax, Shift::OneSided),
            ]
        );
        assert_eq!(
            changed.iter().map(|change| change.is_better()).collect::<Vec<_>>(),
            [Some(false), Some(false), Some(false), None]
        );
        assert!(subject.changes[4..].is_sorted_by_key(|change| change.metric));
    }

    /// A run of these subjects; those of somebody else's if so.
    fn run(names: &[&str], is_external: bool) -> Analysis {
        let recording = |(name, position): (&&str, u32)| {
            let mut recording: Recording = synthetic::recording(1);
            recording.subject.name = (*name).to_owned();
            recording.subject.position = position;
            if is_external {
                recording.subject.design = Design::UNKNOWN;
            }
            recording
        };
        analyse(&names.iter().zip(0..).map(recording).collect::<Vec<_>>())
    }

    #[test]
    fn subjects_are_paired_by_name_and_servers_of_somebody_elses_also_by_position() {
        let pairs = |before: &[&str], after: &[&str], is_external| -> Vec<String> {
            let all = changes(&run(before, is_external), &run(after, is_external));
            let name = |name: &Option<String>| name.clone().unwrap_or_else(|| "-".to_owned());
            all.iter().map(|subject| format!("{} {}", name(&subject.first), name(&subject.second))).collect()
        };
        assert_eq!(pairs(&["a"], &["b"], true), ["a b"]);
        assert_eq!(pairs(&["a"], &["b"], false), ["a b"], "each alone");
        assert_eq!(pairs(&["a", "b"], &["b", "c"], false), ["a -", "b b", "- c"]);
        assert_eq!(pairs(&["a", "b"], &["c", "b"], true), ["a c", "b b"]);
        assert_eq!(pairs(&["a", "b"], &["c"], true), ["a c", "b -"]);
    }
}
