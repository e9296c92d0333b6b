//! A number as it stands in a table: its value, and below it how sure it is.

use crate::analysis::{Basis, Estimate, Standing, Summary};
use crate::metric::MetricId;

/// What stands in a table's cell.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Cell {
    /// The value with its unit; a dash if there is none.
    pub(super) value: String,
    /// Its interval; empty for what was counted.
    pub(super) detail: String,
    /// True if fewer than 100 requests lie beyond the quantile.
    pub(super) few_samples: bool,
    /// How far it can be trusted, in a word, unless it is sound.
    pub(super) standing: Option<&'static str>,
    /// True if there is no value, or none that means anything.
    pub(super) absent: bool,
}

impl Cell {
    /// The cell of a metric of a subject.
    pub(super) fn of(summary: &Summary, metric: MetricId) -> Self {
        match summary.estimates.get(&metric) {
            None => Self::absent(summary, metric),
            Some(_) if summary.is_control && ACCEPTANCES.contains(&metric) => {
                Self { value: "accepts all".to_owned(), absent: true, ..Self::default() }
            }
            Some(estimate) => Self::shown(metric, estimate),
        }
    }

    /// A value with its interval.
    pub(super) fn shown(metric: MetricId, estimate: &Estimate) -> Self {
        let value = metric.show(estimate.point);
        let is_lost = estimate.standing.is_lost();
        Self {
            value: match estimate.standing {
                Standing::Sound if estimate.high.is_none() => format!("≥ {value}"),
                Standing::Sound => value,
                Standing::Bounded { least, most } => between(metric, least, most),
                Standing::Lost { most: Some(most), .. } => format!("≤ {}", metric.show(most)),
                Standing::Lost { least, .. } => format!("≥ {}", metric.show(least.unwrap_or(0.0))),
            },
            detail: if is_lost { "not measurable here".to_owned() } else { detail(metric, estimate) },
            few_samples: estimate.few_samples && !is_lost,
            standing: match estimate.standing {
                Standing::Sound => None,
                Standing::Bounded { .. } => Some("bounded"),
                Standing::Lost { .. } => Some("lost"),
            },
            absent: false,
        }
    }

    fn absent(summary: &Summary, metric: MetricId) -> Self {
        let is_base = metric.is_difference() && summary.is_base;
        Self {
            value: "–".to_owned(),
            detail: if is_base { "the base" } else { "" }.to_owned(),
            few_samples: false,
            standing: None,
            absent: true,
        }
    }

    /// Value and detail in one line of text.
    pub(super) fn line(&self) -> String {
        let few = if self.few_samples { "few samples" } else { "" };
        let marks = [self.standing.unwrap_or_default(), self.detail.as_str(), few];
        let marks: Vec<_> = marks.into_iter().filter(|mark| !mark.is_empty()).collect();
        if marks.is_empty() { self.value.clone() } else { format!("{} ({})", self.value, marks.join("; ")) }
    }
}

/// What says nothing of whoever accepts everything.
const ACCEPTANCES: [MetricId; 6] = [
    MetricId::WrongAnswers,
    MetricId::UnsafeAcceptances,
    MetricId::UnsafeDisturbed,
    MetricId::StaleAcceptances,
    MetricId::PropagationP50,
    MetricId::PropagationMax,
];

/// Two ends in the unit of the upper one.
pub(super) fn between(metric: MetricId, least: f64, most: f64) -> String {
    let scale = metric.unit().scale(most);
    let between = if metric.is_difference() { " to " } else { "–" };
    format!("{}{between}{} {}", scale.digits(least), scale.digits(most), scale.suffix).trim_end().to_owned()
}

fn detail(metric: MetricId, estimate: &Estimate) -> String {
    match (estimate.basis, estimate.high) {
        (Basis::Counted, _) => String::new(),
        // The same in every second: an interval of no width says nothing.
        (Basis::WithinRun | Basis::AcrossRuns, Some(high)) if high <= estimate.low => String::new(),
        (Basis::ProbeGap, None) => "no refusal".to_owned(),
        (_, None) if metric == MetricId::ThroughputAtSlo => "no step failed".to_owned(),
        (_, None) => "errors beyond".to_owned(),
        (Basis::TooFew, Some(_)) => "no interval".to_owned(),
        (_, Some(high)) => {
            let widest = [estimate.point, estimate.low, high].into_iter().map(f64::abs).fold(0.0, f64::max);
            // The multiple of the value, so that the two lines compare at a glance; zero has none.
            let scale = metric.unit().scale(if estimate.point == 0.0 { widest } else { estimate.point });
            let (low, high) = (scale.digits(estimate.low), scale.digits(high));
            // A dash after a minus reads badly.
            let between = if metric.is_difference() { " to " } else { "–" };
            let unit = if estimate.point == 0.0 && widest > 0.0 { scale.suffix } else { "" };
            format!("{low}{between}{high} {unit}").trim_end().to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(metric: MetricId, point: f64, low: f64, high: Option<f64>, basis: Basis) -> String {
        Cell::shown(metric, &Estimate { point, low, high, basis, ..Estimate::counted(point) }).line()
    }

    #[test]
    fn a_number_stands_with_its_interval_in_the_same_unit() {
        let line = shown(MetricId::LatencyP99, 412e-6, 398e-6, Some(1_031e-6), Basis::WithinRun);
        assert_eq!(line, "412 µs (398–1,031)");
        let line = shown(MetricId::AddedP99, 7e-6, -2e-6, Some(16e-6), Basis::WithinRun);
        assert_eq!(line, "+7.00 µs (-2.00 to 16.0)");
        let line = shown(MetricId::PropagationMax, 0.0, 0.0, Some(0.112), Basis::ProbeGap);
        assert_eq!(line, "0 s (0–112 ms)");
        let line = shown(MetricId::ThroughputAtSlo, 4_100.0, 4_100.0, Some(4_260.0), Basis::Bracket);
        assert_eq!(line, "4,100 /s (4,100–4,260)");
        let line = shown(MetricId::ThroughputAtSlo, 4_100.0, 4_100.0, None, Basis::Bracket);
        assert_eq!(line, "≥ 4,100 /s (no step failed)");
    }

    #[test]
    fn what_was_counted_has_no_interval_and_what_nothing_bounds_from_above_says_why() {
        let line = shown(MetricId::PropagationMax, 9.87, 9.87, None, Basis::ProbeGap);
        assert_eq!(line, "≥ 9.87 s (no refusal)");
        let line = shown(MetricId::LatencyP99, 9.87, 9.5, None, Basis::WithinRun);
        assert_eq!(line, "≥ 9.87 s (errors beyond)");
        let line = shown(MetricId::LatencyP99, 9.87, 9.87, Some(9.87), Basis::TooFew);
        assert_eq!(line, "9.87 s (no interval)");
        let of = |standing| {
            Cell::shown(MetricId::LatencyP99, &Estimate { standing, ..Estimate::counted(431e-6) }).line()
        };
        assert_eq!(of(Standing::Bounded { least: 412e-6, most: 431e-6 }), "412–431 µs (bounded)");
        let lost = |least, most| of(Standing::Lost { least, most });
        assert_eq!(lost(None, Some(5.31e-3)), "≤ 5.31 ms (lost; not measurable here)");
        assert_eq!(lost(Some(5.31e-3), None), "≥ 5.31 ms (lost; not measurable here)");
        assert_eq!(Cell::shown(MetricId::WrongAnswers, &Estimate::counted(3.0)).line(), "3");
    }
}
