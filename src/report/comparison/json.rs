//! Two runs side by side, for programs.

use serde::Serialize;

use crate::analysis::{Analysis, Change, Shift, SubjectChanges, Validity, changes};
use crate::metric::MetricId;
use crate::report::comparison::notes;
use crate::report::json::Value;

/// The version of the format; a reader refuses a newer one.
const SCHEMA_VERSION: u32 = 1;

#[derive(Serialize)]
struct Wire<'a> {
    schema_version: u32,
    first: Run<'a>,
    second: Run<'a>,
    /// What else differs between the runs.
    notes: Vec<String>,
    subjects: Vec<Subject<'a>>,
}

#[derive(Serialize)]
struct Run<'a> {
    scenario: &'a str,
    started: &'a str,
    verdict: Validity,
}

#[derive(Serialize)]
struct Subject<'a> {
    /// Its name in each run; null where it is not there.
    first: Option<&'a str>,
    second: Option<&'a str>,
    /// What changed comes first.
    metrics: Vec<Compared>,
}

#[derive(Serialize)]
struct Compared {
    metric: MetricId,
    first: Option<Value>,
    second: Option<Value>,
    /// second / first; null for differences, and where one of them is zero or not known.
    ratio: Option<f64>,
    changed: bool,
    shift: Shift,
    /// Whether both have intervals, and these overlap; null without intervals.
    intervals_overlap: Option<bool>,
    /// Whether the second is the better one; null where nothing changed, or neither direction is better.
    better: Option<bool>,
}

/// The same as [`compare`](super::compare) for programs, always with every metric: SI base units.
pub fn compare_json(before: &Analysis, after: &Analysis) -> String {
    let subjects = changes(before, after);
    let wire = Wire {
        schema_version: SCHEMA_VERSION,
        first: Run::of(before),
        second: Run::of(after),
        notes: notes(before, after, &subjects),
        subjects: subjects.iter().map(Subject::of).collect(),
    };
    let mut text = serde_json::to_string_pretty(&wire).expect("plain values have a JSON form");
    text.push('\n');
    text
}

impl<'a> Run<'a> {
    fn of(analysis: &'a Analysis) -> Self {
        let (scenario, started) = (&analysis.scenario.name, &analysis.started);
        Self { scenario, started, verdict: analysis.validity() }
    }
}

impl<'a> Subject<'a> {
    fn of(subject: &'a SubjectChanges) -> Self {
        Self {
            first: subject.first.as_deref(),
            second: subject.second.as_deref(),
            metrics: subject.changes.iter().map(Compared::of).collect(),
        }
    }
}

impl Compared {
    fn of(change: &Change) -> Self {
        let value = |estimate: Option<_>| estimate.map(|estimate| Value::of(change.metric, &estimate));
        let have_intervals = [change.before, change.after]
            .iter()
            .all(|side| side.is_some_and(|estimate| estimate.is_interval()));
        Self {
            metric: change.metric,
            first: value(change.before),
            second: value(change.after),
            ratio: change.ratio,
            changed: change.is_change(),
            shift: change.shift,
            intervals_overlap: have_intervals.then_some(change.shift != Shift::Apart),
            better: change.is_better(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{analyse, synthetic};

    #[test]
    fn programs_are_given_every_metric_of_every_subject_with_what_became_of_it() {
        let all = synthetic::recordings();
        let json = compare_json(&analyse(&all), &analyse(&all[..3]));
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        let subjects = json["subjects"].as_array().unwrap();
        assert_eq!(subjects.len(), 5);
        let of = |subject: &serde_json::Value, metric: &str| {
            let mut metrics = subject["metrics"].as_array().unwrap().iter();
            metrics.find(|found| found["metric"] == metric).unwrap().clone()
        };
        let p99 = of(&subjects[1], "latency.p99");
        assert_eq!(
            (&p99["changed"], &p99["shift"], &p99["intervals_overlap"], &p99["better"]),
            (&false.into(), &"alike".into(), &true.into(), &serde_json::Value::Null)
        );
        assert!((p99["ratio"].as_f64().unwrap() - 1.0).abs() < 1e-12 && p99["first"]["unit"] == "s", "{p99}");
        let gone = of(&subjects[4], "latency.p99");
        assert!(
            gone["second"].is_null() && gone["shift"] == "one_sided" && gone["changed"] == true,
            "{gone}"
        );
        assert!(subjects[4]["second"].is_null());
    }
}
