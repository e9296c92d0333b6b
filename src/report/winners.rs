//! What the picture of winners is made of, in words: measured, computed, and who was left out.

use crate::analysis::{Analysis, Contender, NotCompared};
use crate::metric::Unit;

/// A design that was compared.
#[derive(Debug)]
pub(super) struct ContenderRow {
    pub(super) cells: [String; 4],
}

/// What stands in a row.
pub(super) const HEADINGS: [&str; 4] = [
    "subject",
    "mean latency, measured",
    "a question adds, measured",
    "requests that waited for one, computed",
];

/// Every design that was compared.
pub(super) fn contender_rows(analysis: &Analysis) -> Vec<ContenderRow> {
    let contenders = analysis.winners.iter().flat_map(|map| &map.contenders);
    contenders.map(ContenderRow::of).collect()
}

/// Who was left out and why, in a sentence each.
pub(super) fn left_out(analysis: &Analysis) -> Vec<String> {
    let left_out = analysis.winners.iter().flat_map(|map| &map.left_out);
    left_out.map(|(name, why)| format!("{name} is left out: {}.", because(*why))).collect()
}

impl ContenderRow {
    fn of(contender: &Contender) -> Self {
        let measured = &contender.measured;
        let mean = Unit::Seconds.show(measured.mean_seconds);
        let mean = match measured.interval {
            Some((low, high)) => {
                format!("{mean} ({} to {})", Unit::Seconds.show(low), Unit::Seconds.show(high))
            }
            None => format!("{mean} (no interval)"),
        };
        let waits = measured.waits_per_request;
        let question = match measured.question_seconds {
            Some(seconds) => Unit::Seconds.show(seconds),
            None if waits > 0.0 => "is in the mean".to_owned(),
            None => "–".to_owned(),
        };
        Self { cells: [contender.subject.clone(), mean, question, Unit::Fraction.show(waits)] }
    }
}

fn because(why: NotCompared) -> &'static str {
    match why {
        NotCompared::NotConforming => {
            "its signatures are verified by an implementation that is known to decide wrongly"
        }
        NotCompared::Contradicted => "in this run a revoked token worked for longer than the design allows",
        NotCompared::NotMeasured => "its mean latency could not be measured here",
        NotCompared::NotSure => {
            "its mean latency is not known to a factor of ten, so that it would be told apart from nobody; measure on a quieter machine, or in more rounds"
        }
        NotCompared::NoQuestions => {
            "too few of its requests waited for a question, or too few did not, to tell what a question adds; choose another lifetime of cached answers, \
             or measure for longer"
        }
        NotCompared::NoClosedForm => "no closed form tells how often it asks under such a load",
    }
}

/// `"10 s"`, or that no revoked token may be accepted at all.
pub(super) fn limit_in_words(seconds: f64) -> String {
    match seconds {
        seconds if seconds <= 0.0 => "at once".to_owned(),
        seconds if seconds >= 3_600.0 => format!("{} h", seconds / 3_600.0),
        seconds if seconds >= 120.0 => format!("{} min", seconds / 60.0),
        seconds => format!("{seconds} s"),
    }
}

/// `"0.5 ms"`.
pub(super) fn round_trip_in_words(seconds: f64) -> String {
    // Without what a binary fraction adds to a thousandth.
    format!("{} ms", (seconds * 1e6).round() / 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{analyse, synthetic};
    use crate::observation::Reuse;
    use crate::report::charts;
    use crate::report::page::{html, markdown};

    #[test]
    fn both_reports_tell_what_was_measured_what_was_computed_and_who_is_missing() {
        let mut recordings = synthetic::recordings();
        recordings[2].workload.reuse = Reuse::Unique {};
        let analysis = analyse(&recordings);
        let rows = contender_rows(&analysis);
        assert_eq!(rows.len(), 3);
        assert_eq!(rows[0].cells[2..], ["is in the mean", "100 %"]);
        assert_eq!(rows[1].cells[2..], ["–", "0 %"]);
        let told = left_out(&analysis);
        assert!(told[0].starts_with("introspection-cached is left out: too few"), "{told:?}");
        let charts = charts::draw(&analysis);
        for report in [html(&analysis, &charts), markdown(&analysis, &charts)] {
            assert!(
                report.contains(&told[0])
                    && report.contains(HEADINGS[2])
                    && report.contains("Computed, not measured")
            );
        }
    }

    #[test]
    fn lengths_of_time_are_written_as_people_do() {
        assert_eq!(
            [0.0, 1.0, 60.0, 300.0, 3_600.0].map(limit_in_words),
            ["at once", "1 s", "60 s", "5 min", "1 h"]
        );
        assert_eq!(
            [0.05e-3, 0.5e-3, 2e-3, 0.15].map(round_trip_in_words),
            ["0.05 ms", "0.5 ms", "2 ms", "150 ms"]
        );
    }
}
