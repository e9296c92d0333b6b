//! The interval log (`.hlog`, V2 deflate) that `HistogramLogAnalyzer` and the `HdrHistogram` libraries read.

use std::time::Duration;

use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{IntervalLogWriterBuilder, Tag};

use crate::observation::{Distribution, Load, Recording, Second};

type Pick = fn(&Second) -> Distribution;

/// What is told of each second, in nanoseconds: its tag, and where it is kept. Latency is that of all requests; of those
/// that gaps left alone there are those that ended and those that were followed only until a gap.
const TAGS: [(&str, Pick); 6] = [
    ("undisturbed", |second| match &second.disturbed {
        Some(disturbed) => disturbed.latency.ended.open(),
        None => second.latency.open(),
    }),
    ("censored", |second| {
        second.disturbed.as_ref().map_or_else(Distribution::default, |left| left.latency.censored.open())
    }),
    ("latency", |second| second.latency.open()),
    ("lag", |second| second.lag.open()),
    ("wait", Second::wait_of_all),
    ("service", |second| second.service.open()),
];

/// Nanoseconds in the unit of the column of maxima: milliseconds, as everybody writes them.
const MAX_UNIT: f64 = 1e6;

/// The seconds of every trial of a subject, a line for each tag; instants count from the beginning of its first trial.
pub(super) fn text(trials: &[&Recording]) -> String {
    let began = |trial: &Recording| humantime::parse_rfc3339(&trial.started).ok();
    let start = trials.first().and_then(|trial| began(trial));
    let mut builder = IntervalLogWriterBuilder::new();
    builder.add_comment("[Histogram log format version 1.3]");
    if let Some(start) = start {
        builder.with_start_time(start);
    }
    builder.with_max_value_divisor(MAX_UNIT);
    let (mut log, mut serializer) = (Vec::new(), V2DeflateSerializer::new());
    let mut writer = builder.begin_log_with(&mut log, &mut serializer).expect("a vector takes every byte");
    let mut free = Duration::ZERO;
    for trial in trials {
        let Some(load) = &trial.load else { continue };
        let after = start.zip(began(trial)).and_then(|(first, this)| this.duration_since(first).ok());
        // Readers expect instants that do not run backwards, also where the clock of the machine did.
        let window = free.max(after.unwrap_or_default()) + seconds(trial.workload.warmup_seconds);
        for ((second, length), number) in load.seconds.iter().zip(Load::lengths(load)).zip(0..) {
            for (name, pick) in TAGS {
                let (at, tag) = (window + Duration::from_secs(number), Tag::new(name));
                writer
                    .write_histogram(pick(second).histogram(), at, seconds(length), tag)
                    .expect("a vector takes every byte, and no count is above 2^63");
            }
        }
        free = window + seconds(load.measured_seconds);
    }
    String::from_utf8(log).expect("the format is ASCII")
}

/// A length of a recording; one that is no length is none.
fn seconds(length: f64) -> Duration {
    Duration::try_from_secs_f64(length).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::SystemTime;

    use base64::Engine as _;
    use hdrhistogram::Histogram;
    use hdrhistogram::serialization::Deserializer;
    use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};

    use super::*;
    use crate::analysis::{analyse, synthetic};
    use crate::metric::MetricId;

    #[test]
    fn the_reader_of_the_library_finds_every_second_under_its_tag_and_the_figures_of_the_summary() {
        let mut recordings = vec![synthetic::recording(1); 2];
        (recordings[1].repetition, recordings[1].started) = (1, "2026-11-22T19:40:00Z".to_owned());
        let log = text(&[&recordings[0], &recordings[1]]);
        let mut merged: BTreeMap<String, Histogram<u64>> = BTreeMap::new();
        let (mut starts, mut instants) = (Vec::new(), Vec::new());
        for entry in IntervalLogIterator::new(log.as_bytes()) {
            match entry.unwrap() {
                LogEntry::StartTime(start) => starts.push(start),
                LogEntry::BaseTime(_) => panic!("instants are relative to the start"),
                LogEntry::Interval(interval) => {
                    let bytes =
                        base64::engine::general_purpose::STANDARD.decode(interval.encoded_histogram());
                    let histogram: Histogram<u64> =
                        Deserializer::new().deserialize(&mut &bytes.unwrap()[..]).unwrap();
                    assert!((interval.max() * MAX_UNIT - histogram.max() as f64).abs() <= 500.0);
                    assert_eq!(interval.duration(), Duration::from_secs(1));
                    let tag = interval.tag().unwrap().as_str();
                    if tag == "latency" {
                        instants.push(interval.start_timestamp().as_secs());
                    }
                    merged
                        .entry(tag.to_owned())
                        .or_insert_with(|| Histogram::new(3).unwrap())
                        .add(histogram)
                        .unwrap();
                }
            }
        }
        let began = humantime::parse_rfc3339(&recordings[0].started).unwrap();
        assert_eq!(starts, [began.duration_since(SystemTime::UNIX_EPOCH).unwrap()]);
        // Two seconds of warm-up; 19:40:00 is 228 seconds after 19:36:12.
        assert_eq!(instants, (2..12).chain(230..240).collect::<Vec<u64>>());
        let estimates = &analyse(&recordings).subjects[0].estimates;
        for (tag, metric, q) in [
            ("undisturbed", MetricId::LatencyP50, 0.5),
            ("latency", MetricId::LatencyP50, 0.5),
            ("latency", MetricId::LatencyP99, 0.99),
            ("latency", MetricId::LatencyP999, 0.999),
            ("lag", MetricId::LagP99, 0.99),
            ("wait", MetricId::WaitP99, 0.99),
            ("service", MetricId::ServiceP99, 0.99),
        ] {
            assert_eq!(merged[tag].len(), 20_000, "{tag}");
            let found = merged[tag].value_at_quantile(q) as f64 / 1e9;
            assert!((found - estimates[&metric].point).abs() < 1e-12, "{metric}");
        }
    }
}
