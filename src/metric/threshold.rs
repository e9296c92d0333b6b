//! Thresholds in k6's grammar: `"p(99)<5ms"`, `"errors<0.1%"`, `"propagation(max)<2s"`.

use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::metric::{MetricId, Unit, UnknownMetric};

/// A limit on a metric: the run passes if the comparison holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Threshold {
    written: String,
    /// What is limited.
    pub metric: MetricId,
    /// How value and limit are compared.
    pub comparison: Comparison,
    /// The limit, in the unit of the metric.
    pub limit: f64,
}

/// `value comparison limit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `>`
    Above,
    /// `>=`
    AtLeast,
    /// `==`
    Equal,
    /// `!=`
    Different,
}

/// The longer ones first: `<` is the beginning of `<=`.
const COMPARISONS: [(&str, Comparison); 6] = [
    ("<=", Comparison::AtMost),
    (">=", Comparison::AtLeast),
    ("==", Comparison::Equal),
    ("!=", Comparison::Different),
    ("<", Comparison::Below),
    (">", Comparison::Above),
];

/// A text that is no threshold.
#[derive(Debug, thiserror::Error)]
pub enum InvalidThreshold {
    /// Nothing is compared in it.
    #[error("{0:?} compares nothing; a threshold is written like \"p(99)<5ms\", with <, <=, >, >=, == or !=")]
    Comparison(String),
    /// What is compared is not measured.
    #[error("threshold {written:?}: {source}")]
    Metric {
        /// The whole threshold.
        written: String,
        /// What is wrong with its left side.
        source: UnknownMetric,
    },
    /// What it is compared with is no value of that metric.
    #[error("threshold {written:?}: {found:?} is no limit for {metric}; expected {expected}")]
    Limit {
        /// The whole threshold.
        written: String,
        /// Its right side.
        found: String,
        /// The metric on its left side.
        metric: MetricId,
        /// What would do.
        expected: &'static str,
    },
}

impl FromStr for Threshold {
    type Err = InvalidThreshold;

    fn from_str(written: &str) -> Result<Self, InvalidThreshold> {
        let whole = || written.to_owned();
        let at = written.find(['<', '>', '=', '!']).ok_or_else(|| InvalidThreshold::Comparison(whole()))?;
        let (name, rest) = written.split_at(at);
        let (sign, comparison) = COMPARISONS
            .into_iter()
            .find(|(sign, _)| rest.starts_with(sign))
            .ok_or_else(|| InvalidThreshold::Comparison(whole()))?;
        let metric = name
            .parse::<MetricId>()
            .map_err(|source| InvalidThreshold::Metric { written: whole(), source })?;
        let found = rest[sign.len()..].trim();
        let (units, expected) = accepted(metric.unit());
        let limit = value(found, units).ok_or_else(|| InvalidThreshold::Limit {
            written: whole(),
            found: found.to_owned(),
            metric,
            expected,
        })?;
        Ok(Self { written: written.trim().to_owned(), metric, comparison, limit })
    }
}

type Units = &'static [(&'static str, f64)];

/// The units in which a limit may be written (suffix, factor), and what to say if it is not.
const fn accepted(unit: Unit) -> (Units, &'static str) {
    match unit {
        Unit::Seconds => (
            &[("us", 1e-6), ("µs", 1e-6), ("ms", 1e-3), ("s", 1.0)],
            "a time like 250us, 5ms or 2s, with its unit",
        ),
        Unit::Fraction => (&[("%", 0.01), ("", 1.0)], "a share like 0.1% or 0.001"),
        Unit::PerSecond => (&[("/s", 1.0), ("", 1.0)], "a number of requests per second like 950"),
        Unit::Bytes => (&[("B", 1.0), ("", 1.0)], "a number of bytes like 8000"),
        Unit::CpuPerMillion => (&[("s", 1.0), ("", 1.0)], "seconds of CPU time per million requests like 80"),
        Unit::Count | Unit::PerRequest => (&[("", 1.0)], "a number without a unit like 0.1"),
    }
}

fn value(found: &str, units: Units) -> Option<f64> {
    let end = found.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(found.len());
    let (digits, suffix) = found.split_at(end);
    let factor = units.iter().find(|(unit, _)| *unit == suffix.trim())?.1;
    Some(digits.parse::<f64>().ok()? * factor)
}

impl Comparison {
    /// Whether the comparison holds for every value from `low` to `high`; `None` if only for some of them.
    pub fn holds_within(self, low: f64, high: f64, limit: f64) -> Option<bool> {
        let inside = low < limit && limit < high;
        let ends = (self.holds(low, limit), self.holds(high, limit));
        (ends.0 == ends.1 && !(inside && matches!(self, Self::Equal | Self::Different))).then_some(ends.0)
    }

    /// Whether the comparison holds.
    #[expect(clippy::float_cmp, reason = "`==` compares counts, which are exact")]
    pub fn holds(self, value: f64, limit: f64) -> bool {
        match self {
            Self::Below => value < limit,
            Self::AtMost => value <= limit,
            Self::Above => value > limit,
            Self::AtLeast => value >= limit,
            Self::Equal => value == limit,
            Self::Different => value != limit,
        }
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

impl TryFrom<String> for Threshold {
    type Error = InvalidThreshold;

    fn try_from(written: String) -> Result<Self, InvalidThreshold> {
        written.parse()
    }
}

impl From<Threshold> for String {
    fn from(threshold: Threshold) -> String {
        threshold.written
    }
}

impl JsonSchema for Threshold {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "threshold".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "a limit on a metric, in k6's grammar: avg, min, med, max and any p(x) are those of latency, name(p(x)) of \
                another metric; `bearerbench explain` lists the metrics",
            "pattern": "^[^<>=!]+(<=|>=|==|!=|<|>)[^<>=!]+$",
            "examples": ["p(99)<5ms", "p(95)<2ms", "avg<1ms", "errors<0.1%", "propagation(max)<2s", "wrong_answers<1"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_k6_writes_is_read() {
        for (written, metric, comparison, limit) in [
            ("p(99)<5ms", MetricId::LatencyP99, Comparison::Below, 0.005),
            ("p(99.9) <= 5 ms", MetricId::LatencyP999, Comparison::AtMost, 0.005),
            ("p99<250us", MetricId::LatencyP99, Comparison::Below, 250e-6),
            ("med<1ms", MetricId::LatencyP50, Comparison::Below, 0.001),
            ("avg<2s", MetricId::LatencyMean, Comparison::Below, 2.0),
            ("min>10us", MetricId::LatencyMin, Comparison::Above, 10e-6),
            ("max<=1s", MetricId::LatencyMax, Comparison::AtMost, 1.0),
            ("p(90)<5ms", MetricId::LatencyP90, Comparison::Below, 0.005),
            ("p(95)<5ms", MetricId::LatencyP95, Comparison::Below, 0.005),
            ("errors<0.1%", MetricId::Errors, Comparison::Below, 0.001),
            ("errors==0", MetricId::Errors, Comparison::Equal, 0.0),
            ("wrong_answers<1", MetricId::WrongAnswers, Comparison::Below, 1.0),
            ("propagation(max)<2s", MetricId::PropagationMax, Comparison::Below, 2.0),
            ("propagation(p(95))<2s", MetricId::PropagationP95, Comparison::Below, 2.0),
            ("latency.added(p99)<1ms", MetricId::AddedP99, Comparison::Below, 0.001),
            ("amplification<=0.1", MetricId::Amplification, Comparison::AtMost, 0.1),
            ("throughput>=950", MetricId::Throughput, Comparison::AtLeast, 950.0),
            ("hit_ratio>50%", MetricId::HitRatio, Comparison::Above, 0.5),
            ("false_refusals!=3", MetricId::FalseRefusals, Comparison::Different, 3.0),
        ] {
            let threshold: Threshold = written.parse().unwrap();
            assert_eq!((threshold.metric, threshold.comparison), (metric, comparison), "{written}");
            assert!((threshold.limit - limit).abs() < 1e-12, "{written}: {}", threshold.limit);
            assert_eq!(threshold.to_string(), written);
        }
    }

    #[test]
    fn what_is_no_threshold_is_refused_with_what_would_do() {
        for (written, expected) in [
            ("p(99)", "compares nothing"),
            ("p(99)=5ms", "compares nothing"),
            ("p(99)<5", "expected a time like"),
            ("p(99)<5%", "expected a time like"),
            ("errors<1ms", "expected a share like"),
            ("amplification<1ms", "expected a number without a unit"),
            ("p(99)<fast", "\"fast\" is no limit for latency.p99"),
            ("p(99)<", "expected a time like"),
            ("p(101)<5ms", "threshold \"p(101)<5ms\": \"p(101)\" is no percentile"),
            ("p(95)<500", "expected a time like"),
            ("propagtion(max)<2s", "did you mean \"propagation.max\""),
            ("wrong_answer<1", "did you mean \"wrong_answers\""),
        ] {
            let message = written.parse::<Threshold>().unwrap_err().to_string();
            assert!(message.contains(expected), "{written}: {message}");
        }
    }

    #[test]
    fn a_file_gives_back_what_was_written() {
        let threshold: Threshold = serde_json::from_str("\"p(99) < 5ms\"").unwrap();
        assert_eq!(serde_json::to_string(&threshold).unwrap(), "\"p(99) < 5ms\"");
    }
}
