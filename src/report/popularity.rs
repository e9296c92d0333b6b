//! A table of what caches keep of popular and of rare tokens, beside the closed form.

use crate::analysis::{Agreement, Analysis, Expected, PopularityTenth, Summary};
use crate::metric::{MetricId, Unit};
use crate::report::cell::between;

/// A tenth of the tokens of a subject.
#[derive(Debug)]
pub(super) struct TenthRow {
    /// How the verdict looks.
    pub(super) class: &'static str,
    pub(super) subject: String,
    pub(super) tenth: String,
    pub(super) share: String,
    pub(super) measured: String,
    pub(super) expected: String,
    pub(super) verdict: &'static str,
}

/// Every tenth of every subject that keeps answers.
pub(super) fn tenth_rows(analysis: &Analysis) -> Vec<TenthRow> {
    let rows = |summary: &Summary| -> Vec<TenthRow> {
        summary.popularity.iter().map(|tenth| row(&summary.subject.name, tenth)).collect()
    };
    analysis.subjects.iter().flat_map(rows).collect()
}

fn row(subject: &str, tenth: &PopularityTenth) -> TenthRow {
    let metric = MetricId::HitRatio;
    let with = |value: f64, interval: Option<(f64, f64)>| match interval {
        Some((low, high)) => format!("{} ({})", metric.show(value), between(metric, low, high)),
        None => format!("{} (no interval)", metric.show(value)),
    };
    let (class, verdict) = match tenth.agreement {
        Some(Agreement::Agrees) => ("holds", "agrees"),
        Some(_) => ("crossed", "disagrees, unless the cache holds fewer answers than there are tokens"),
        None => ("muted", "no closed form speaks of such a load"),
    };
    TenthRow {
        class,
        subject: subject.to_owned(),
        tenth: tenth.number.to_string(),
        share: Unit::Fraction.show(tenth.share_of_requests),
        measured: with(tenth.hit_ratio, tenth.hit_ratio_interval),
        expected: match tenth.expected {
            Some(Expected::Value { point, low, high }) => with(point, Some((low, high))),
            Some(Expected::AtMost(_) | Expected::Unbounded) | None => "–".to_owned(),
        },
        verdict,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{analyse, synthetic};
    use crate::observation::PopularityGroup;
    use crate::report::json::to_json;

    #[test]
    fn a_subject_that_keeps_answers_has_a_row_for_each_tenth_in_every_report() {
        let mut recordings = synthetic::recordings();
        assert!(tenth_rows(&analyse(&recordings)).is_empty(), "nothing was recorded");
        let group = |misses| PopularityGroup { tokens: 1_000, requests: 900, misses };
        recordings[2].popularity = Some((0..10).map(|tenth| group(90 * tenth)).collect());
        let analysis = analyse(&recordings);
        let rows = tenth_rows(&analysis);
        assert_eq!(rows.len(), 10);
        let [first, last] = [&rows[0], &rows[9]];
        assert_eq!(
            (first.subject.as_str(), first.tenth.as_str()),
            (recordings[2].subject.name.as_str(), "1")
        );
        assert_eq!((first.share.as_str(), first.measured.as_str()), ("10.0 %", "100 % (no interval)"));
        assert!(last.measured.starts_with("10.0 %"), "{}", last.measured);
        assert!(rows.iter().any(|row| row.class == "crossed" && row.verdict.starts_with("disagrees")));
        let json: serde_json::Value = serde_json::from_str(&to_json(&analysis)).unwrap();
        let tenths = json["subjects"][2]["popularity"].as_array().unwrap();
        assert_eq!((tenths.len(), &tenths[9]["number"]), (10, &10.into()));
        assert!((tenths[9]["hit_ratio"].as_f64().unwrap() - 0.1).abs() < 1e-9);
        assert!(json["subjects"][1].get("popularity").is_none());
    }
}
