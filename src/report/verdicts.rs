//! Thresholds and closed forms in words.

use crate::analysis::{Agreement, Check, Expected, Outcome, Summary, Unproven, Verdict};
use crate::metric::{MetricId, Threshold, significant, thousands};
use crate::report::cell::Cell;

/// A threshold as a row: holds or not, subject, limit, value, explanation.
#[derive(Debug)]
pub(super) struct VerdictRow {
    pub(super) holds: bool,
    pub(super) subject: String,
    pub(super) threshold: String,
    pub(super) value: String,
    pub(super) outcome: String,
}

/// A threshold with what became of it for each subject; none where it does not apply.
#[derive(Debug)]
pub(super) struct Limit {
    pub(super) threshold: String,
    pub(super) verdicts: Vec<Option<VerdictRow>>,
}

impl Limit {
    /// For how many subjects it holds.
    pub(super) fn held(&self) -> usize {
        self.verdicts.iter().flatten().filter(|verdict| verdict.holds).count()
    }

    /// Those for whom it was not shown to hold.
    pub(super) fn crossed(&self) -> impl Iterator<Item = &VerdictRow> {
        self.verdicts.iter().flatten().filter(|verdict| !verdict.holds)
    }
}

/// The subjects that have thresholds, and a row for every different threshold.
pub(super) fn limits(verdicts: &[Verdict]) -> (Vec<String>, Vec<Limit>) {
    let (mut subjects, mut thresholds) = (Vec::new(), Vec::new());
    for verdict in verdicts {
        if !subjects.contains(&verdict.subject) {
            subjects.push(verdict.subject.clone());
        }
        if !thresholds.contains(&verdict.threshold) {
            thresholds.push(verdict.threshold.clone());
        }
    }
    let find = |threshold: &String, subject: &String| {
        verdicts.iter().find(|verdict| verdict.threshold == *threshold && verdict.subject == *subject)
    };
    let limit = |threshold: String| Limit {
        verdicts: subjects.iter().map(|subject| find(&threshold, subject).map(VerdictRow::of)).collect(),
        threshold,
    };
    let limits = thresholds.into_iter().map(limit).collect();
    (subjects, limits)
}

/// All thresholds that hold, in a line; none if none does.
pub(super) fn held(verdicts: &[Verdict]) -> Option<String> {
    let held: Vec<&Verdict> = verdicts.iter().filter(|verdict| !verdict.is_crossed()).collect();
    let mut different: Vec<&str> = held.iter().map(|verdict| verdict.threshold.as_str()).collect();
    different.sort_unstable();
    different.dedup();
    let (count, all) = (held.len(), verdicts.len());
    let what = if count == all {
        format!("all {all} thresholds hold")
    } else {
        format!("{count} of {all} thresholds hold")
    };
    (count > 0).then(|| format!("{what}: {}", different.join(", ")))
}

impl VerdictRow {
    pub(super) fn of(verdict: &Verdict) -> Self {
        let metric = verdict.threshold.parse::<Threshold>().ok().map(|threshold| threshold.metric);
        let value = metric
            .zip(verdict.value)
            .map_or_else(|| "–".to_owned(), |(metric, value)| Cell::shown(metric, &value).line());
        let outcome = match &verdict.outcome {
            Outcome::Holds => "holds".to_owned(),
            Outcome::Crossed => "crossed".to_owned(),
            Outcome::NotShown(unproven) => format!("cannot be shown to hold: {}", why(*unproven, metric)),
            Outcome::NotMeasured => "not measured, so not shown to hold".to_owned(),
            Outcome::Unreadable(reason) => reason.clone(),
        };
        Self {
            holds: !verdict.is_crossed(),
            subject: verdict.subject.clone(),
            threshold: verdict.threshold.clone(),
            value,
            outcome,
        }
    }
}

fn why(unproven: Unproven, metric: Option<MetricId>) -> String {
    match unproven {
        Unproven::NotRefused => "a revoked token was not refused for good before probing ended".to_owned(),
        Unproven::ProbesApart => {
            "the probes are too far apart to tell; probe more often, or raise the limit".to_owned()
        }
        Unproven::StepsApart => {
            "the limit lies between the highest rate that passed and the lowest that failed; repeat the search"
                .to_owned()
        }
        Unproven::NotReached => {
            "the search ended before any step failed; give the generator more cores".to_owned()
        }
        Unproven::Unanswered => {
            "more requests got no answer than lie beyond this quantile; lower the rate".to_owned()
        }
        Unproven::Bounded => {
            "the limit lies within the bracket of the figure, or the figure was lost; use a quieter machine"
                .to_owned()
        }
        Unproven::FewRequests { needed } if metric.is_some_and(MetricId::is_of_operations) => format!(
            "too few operations were timed: {} are needed; raise repetitions",
            thousands(&needed.to_string())
        ),
        Unproven::FewRequests { needed } => format!(
            "too few requests: {} are needed; choose a longer duration or a higher rate",
            thousands(&needed.to_string())
        ),
    }
}

/// A closed form beside a measurement, as a row.
#[derive(Debug)]
pub(super) struct CheckRow {
    /// How the verdict looks.
    pub(super) class: &'static str,
    pub(super) subject: String,
    pub(super) quantity: &'static str,
    pub(super) expected: String,
    pub(super) measured: String,
    pub(super) verdict: &'static str,
    pub(super) because: &'static str,
}

impl CheckRow {
    pub(super) fn of(summary: &Summary, check: &Check) -> Self {
        // The closed forms know no capacity.
        let is_cached = summary.subject.design.cache_lifetime().is_some();
        Self {
            class: match check.agreement {
                Agreement::Agrees | Agreement::Within => "holds",
                Agreement::Disagrees | Agreement::Exceeds => "crossed",
                Agreement::Unfinished | Agreement::Unbounded => "muted",
            },
            subject: summary.subject.name.clone(),
            quantity: check.quantity,
            expected: expected(check),
            measured: measured(summary, check),
            verdict: match check.agreement {
                Agreement::Agrees => "agrees",
                Agreement::Disagrees if is_cached => {
                    "disagrees, unless the cache holds fewer answers than there are tokens"
                }
                Agreement::Disagrees => "disagrees",
                Agreement::Within => "within the bound",
                Agreement::Unfinished => "not contradicted: probing ended before the bound",
                Agreement::Exceeds => "exceeds the bound",
                Agreement::Unbounded => "no bound exists",
            },
            because: check.because,
        }
    }
}

/// A time that no refusal ended is at least that.
fn measured(summary: &Summary, check: &Check) -> String {
    let is_open = check.metric == MetricId::PropagationMax && summary.propagation.unbounded() > 0;
    format!("{}{}", if is_open { "≥ " } else { "" }, show(check.metric, check.measured))
}

fn expected(check: &Check) -> String {
    match check.expected {
        Expected::Value { point, low, high } if low < high => {
            format!(
                "{} ({} to {})",
                show(check.metric, point),
                show(check.metric, low),
                show(check.metric, high)
            )
        }
        Expected::Value { point, .. } => show(check.metric, point),
        Expected::AtMost(bound) => format!("at most {}", show(check.metric, bound)),
        Expected::Unbounded => "no bound".to_owned(),
    }
}

/// A mean of counts is no count.
fn show(metric: MetricId, value: f64) -> String {
    if metric == MetricId::UnsafeAcceptances { significant(value) } else { metric.show(value) }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::analysis::{analyse, synthetic};
    use crate::design::Design;

    #[test]
    fn a_cache_that_misses_more_than_it_should_may_be_too_small() {
        let mut recording = synthetic::recording(2);
        recording.subject.design = Design::caching(Duration::from_secs(1));
        let summary = analyse(&[recording]).subjects.remove(0);
        let row = CheckRow::of(&summary, &summary.checks[0]);
        assert!(row.verdict.contains("holds fewer answers than there are tokens"), "{}", row.verdict);
    }
}
