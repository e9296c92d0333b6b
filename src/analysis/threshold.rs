//! Whether thresholds hold.

use serde::Serialize;

use crate::analysis::summary::Summary;
use crate::analysis::{Basis, Estimate, Standing, latency};
use crate::metric::{MetricId, Threshold};
use crate::observation::RecordedScenario;

/// A threshold for a subject, and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Verdict {
    /// The subject's name.
    pub subject: String,
    /// The threshold as it was written.
    pub threshold: String,
    /// What was measured.
    pub value: Option<Estimate>,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a threshold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It holds.
    Holds,
    /// It does not hold.
    Crossed,
    /// What was measured cannot tell.
    NotShown(Unproven),
    /// The subject has no such value.
    NotMeasured,
    /// The recording names a threshold that this version does not know.
    Unreadable(String),
}

/// Why a measurement cannot tell whether a limit holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unproven {
    /// A revoked token was not refused for good before probing ended.
    NotRefused,
    /// The limit lies between the last acceptance and the refusal after it.
    ProbesApart,
    /// More requests got no answer than lie beyond the quantile.
    Unanswered,
    /// The limit lies within what the generator was late by, or beyond what could be measured here.
    Bounded,
    /// The limit lies between the highest rate that passed and the lowest that failed.
    StepsApart,
    /// The search ended before any step failed.
    NotReached,
    /// Too few requests lie beyond the quantile.
    FewRequests {
        /// How many requests would be enough.
        needed: u64,
    },
}

impl Verdict {
    /// True unless the threshold was shown to hold.
    pub fn is_crossed(&self) -> bool {
        self.outcome != Outcome::Holds
    }
}

/// The scenario's thresholds for every subject but the controls, and each subject's own.
pub(super) fn judge(scenario: &RecordedScenario, subjects: &[Summary]) -> Vec<Verdict> {
    subjects
        .iter()
        .flat_map(|summary| {
            let common = if summary.is_control { &[][..] } else { &scenario.thresholds };
            common.iter().chain(&summary.subject.thresholds).map(move |written| verdict(written, summary))
        })
        .collect()
}

fn verdict(written: &str, summary: &Summary) -> Verdict {
    let (value, outcome) = match written.parse::<Threshold>() {
        Err(error) => (None, Outcome::Unreadable(error.to_string())),
        Ok(threshold) => match summary.estimates.get(&threshold.metric) {
            None => (None, Outcome::NotMeasured),
            Some(estimate) => (Some(*estimate), outcome(&threshold, estimate)),
        },
    };
    Verdict { subject: summary.subject.name.clone(), threshold: written.to_owned(), value, outcome }
}

/// The point is compared, as k6 does; but where only an interval is known to hold the truth, both its ends must
/// agree. Those of resampling are no such interval.
fn outcome(threshold: &Threshold, estimate: &Estimate) -> Outcome {
    if let Some(needed) = latency::needed(threshold.metric).filter(|_| estimate.few_samples) {
        return Outcome::NotShown(Unproven::FewRequests { needed });
    }
    let (lowest, highest, unproven) = match estimate.standing {
        Standing::Lost { least, most: None } => (least.unwrap_or(0.0), f64::INFINITY, Unproven::Bounded),
        _ if estimate.bias > 0.0 && estimate.high.is_some() => {
            (estimate.point - estimate.bias, estimate.point, Unproven::Bounded)
        }
        _ => ends(threshold, estimate),
    };
    match threshold.comparison.holds_within(lowest, highest, threshold.limit) {
        Some(true) => Outcome::Holds,
        Some(false) => Outcome::Crossed,
        // A limit that holds by less than the bench may have added is not shown to hold; one above all of it is.
        None => Outcome::NotShown(unproven),
    }
}

/// Between which ends a value lies that the bench did not move.
fn ends(threshold: &Threshold, estimate: &Estimate) -> (f64, f64, Unproven) {
    let (highest, unproven) = match (estimate.basis, estimate.high) {
        (Basis::ProbeGap, Some(high)) => (high, Unproven::ProbesApart),
        (Basis::ProbeGap, None) => (f64::INFINITY, Unproven::NotRefused),
        (Basis::Bracket, Some(high)) => (high, Unproven::StepsApart),
        (_, None) if threshold.metric == MetricId::ThroughputAtSlo => (f64::INFINITY, Unproven::NotReached),
        (_, None) => (f64::INFINITY, Unproven::Unanswered),
        (_, Some(_)) => (estimate.point, Unproven::Unanswered),
    };
    (estimate.point, highest, unproven)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(written: &str, estimate: &Estimate, expected: &Outcome) {
        assert_eq!(outcome(&written.parse().unwrap(), estimate), *expected, "{written}");
    }

    /// A revocation that was last ignored after a second.
    fn until(high: Option<f64>) -> Estimate {
        Estimate::between(1.0, 1.0, high, Basis::ProbeGap)
    }

    #[test]
    fn a_value_that_is_only_known_from_below_shows_no_upper_limit() {
        let not_shown = Outcome::NotShown(Unproven::NotRefused);
        for (written, expected) in [
            ("propagation(max)<2s", &not_shown),
            ("propagation(max)<1s", &Outcome::Crossed),
            ("propagation(max)>500ms", &Outcome::Holds),
            ("propagation(max)>2s", &not_shown),
        ] {
            check(written, &until(None), expected);
        }
        let latency = Estimate { basis: Basis::WithinRun, ..until(None) };
        check("p(99)<2s", &latency, &Outcome::NotShown(Unproven::Unanswered));
        check("p(99)<1s", &latency, &Outcome::Crossed);
    }

    #[test]
    fn a_limit_between_the_last_acceptance_and_the_refusal_is_neither_kept_nor_crossed() {
        let not_shown = Outcome::NotShown(Unproven::ProbesApart);
        for (written, expected) in [
            ("propagation(max)<1s", &Outcome::Crossed),
            ("propagation(max)<=1s", &not_shown),
            ("propagation(max)<1100ms", &not_shown),
            ("propagation(max)<=1200ms", &Outcome::Holds),
            ("propagation(max)<1200ms", &not_shown),
            ("propagation(max)<2s", &Outcome::Holds),
            ("propagation(max)>900ms", &Outcome::Holds),
            ("propagation(max)>1100ms", &not_shown),
            ("propagation(max)>1200ms", &Outcome::Crossed),
            ("propagation(max)==1s", &not_shown),
            ("propagation(max)!=1s", &not_shown),
            ("propagation(max)!=2s", &Outcome::Holds),
            ("propagation(max)==2s", &Outcome::Crossed),
        ] {
            check(written, &until(Some(1.2)), expected);
        }
    }

    #[test]
    fn a_rate_is_judged_by_what_passed_and_what_failed() {
        let found = |high| Estimate { basis: Basis::Bracket, point: 4_100.0, low: 4_100.0, ..until(high) };
        let not_shown = Outcome::NotShown(Unproven::StepsApart);
        for (written, expected) in [
            ("throughput_at_slo>4000", &Outcome::Holds),
            ("throughput_at_slo>4200", &not_shown),
            ("throughput_at_slo>4300", &Outcome::Crossed),
            ("throughput_at_slo>=4100/s", &Outcome::Holds),
        ] {
            check(written, &found(Some(4_300.0)), expected);
        }
        check("throughput_at_slo>4000", &found(None), &Outcome::Holds);
        check("throughput_at_slo>9000", &found(None), &Outcome::NotShown(Unproven::NotReached));
        let several = Estimate { basis: Basis::AcrossRuns, ..found(None) };
        check("throughput_at_slo>9000", &several, &Outcome::NotShown(Unproven::NotReached));
    }

    #[test]
    fn a_quantile_of_too_few_requests_is_not_judged_and_does_not_pass() {
        let few = Estimate { basis: Basis::WithinRun, few_samples: true, ..until(Some(1.2)) };
        let not_shown = Outcome::NotShown(Unproven::FewRequests { needed: 10_000 });
        check("p(99)<2s", &few, &not_shown);
        check("p(99)<1s", &few, &not_shown);
        let verdict = Verdict {
            subject: String::new(),
            threshold: String::new(),
            value: Some(few),
            outcome: not_shown,
        };
        assert!(verdict.is_crossed());
    }

    #[test]
    fn of_what_was_resampled_the_value_itself_is_compared() {
        let latency = Estimate { basis: Basis::WithinRun, ..until(Some(1.2)) };
        check("p(99)<1100ms", &latency, &Outcome::Holds);
        check("p(99)<1s", &latency, &Outcome::Crossed);
    }
}
