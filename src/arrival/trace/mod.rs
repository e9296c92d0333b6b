//! Requests at the instants of a recorded trace.

mod file;
mod seconds;

use std::path::PathBuf;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::arrival::ArrivalProcess;
use crate::arrival::gaps::rounded;
use crate::units::{Offset, Rate};

/// Replays the instants of a file, from zero, again and again: a mean gap after its last instant it starts over.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Written")]
pub struct Trace {
    /// Nanoseconds since the first instant, in order; shared with the schedules made of it.
    nanos: Arc<Vec<u64>>,
    speed: Speed,
}

/// The settings of `trace`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(example = serde_json::json!({ "file": "scenarios/trace.csv" }))]
struct Written {
    /// Instants in seconds, in order, one a line or in the first column of a CSV; `#` begins a comment. Found from the
    /// folder in which the program is started.
    file: PathBuf,
    /// How fast it is replayed.
    #[serde(default)]
    speed: Speed,
}

/// How fast a trace is replayed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
enum Speed {
    /// Stretched or squeezed so that its mean rate is the load's.
    #[default]
    #[serde(rename = "load rate")]
    LoadRate,
    /// At its own rate, whatever the load's is.
    #[serde(rename = "as recorded")]
    AsRecorded,
}

impl ArrivalProcess for Trace {
    fn instants(&self, rate: Rate, _seed: u64) -> Box<dyn Iterator<Item = Offset> + Send> {
        let nanos = Arc::clone(&self.nanos);
        let stretch = match self.speed {
            Speed::LoadRate => self.per_second() / rate.per_second(),
            Speed::AsRecorded => 1.0,
        };
        let count = nanos.len() as u64;
        let due = (0_u64..).map(move |number| at(&nanos, number / count, number % count));
        Box::new(due.map(move |nanos| rounded(nanos * stretch)))
    }

    fn own_rate(&self) -> Option<Rate> {
        // Nine digits: it is for people to read, and to a billionth it is the rate.
        let digits = format!("{:.8e}", self.per_second()).parse::<f64>().expect("a number was written");
        let rate = || Rate::try_from(digits).expect("checked when the file was read");
        (self.speed == Speed::AsRecorded).then(rate)
    }
}

/// The unstretched nanoseconds of an instant in a repetition of the trace.
fn at(nanos: &[u64], repetition: u64, index: u64) -> f64 {
    #[expect(clippy::cast_possible_truncation, reason = "an index of a slice")]
    let within = nanos[index as usize];
    // A repetition lasts `count` mean gaps, which is no whole number of nanoseconds.
    let (count, span) = (nanos.len() as u128, u128::from(length(nanos)));
    let start = u128::from(repetition) * span * count / (count - 1);
    (start + u128::from(within)) as f64
}

/// From the first instant to the last.
fn length(nanos: &[u64]) -> u64 {
    nanos.last().copied().unwrap_or_default()
}

impl Trace {
    /// The mean rate as recorded: gaps by time.
    fn per_second(&self) -> f64 {
        (self.nanos.len() - 1) as f64 * 1e9 / length(&self.nanos) as f64
    }
}

impl TryFrom<Written> for Trace {
    type Error = file::InvalidTrace;

    fn try_from(written: Written) -> Result<Self, file::InvalidTrace> {
        Ok(Self { nanos: Arc::new(file::read(&written.file)?), speed: written.speed })
    }
}

impl JsonSchema for Trace {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        Written::schema_name()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Written::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn trace(nanos: &[u64], speed: Speed) -> Trace {
        Trace { nanos: Arc::new(nanos.to_vec()), speed }
    }

    fn first(trace: &Trace, per_second: f64, count: usize) -> Vec<u64> {
        trace.instants(Rate::try_from(per_second).unwrap(), 1).take(count).map(Offset::nanos).collect()
    }

    const GAPS: [u64; 3] = [0, 1_000_000_000, 4_000_000_000];

    #[test]
    fn as_recorded_it_starts_over_a_mean_gap_after_its_end_and_tells_its_rate() {
        let trace = trace(&GAPS, Speed::AsRecorded);
        let seconds: Vec<u64> = first(&trace, 99.0, 7).iter().map(|nanos| nanos / 1_000_000_000).collect();
        assert_eq!(seconds, [0, 1, 4, 6, 7, 10, 12]);
        assert_eq!(trace.own_rate(), Some(Rate::try_from(0.5).unwrap()));
    }

    #[test]
    fn otherwise_it_is_stretched_to_the_rate_of_the_load() {
        let trace = trace(&GAPS, Speed::LoadRate);
        assert_eq!(first(&trace, 50.0, 5), [0, 10_000_000, 40_000_000, 60_000_000, 70_000_000]);
        assert_eq!(trace.own_rate(), None);
    }

    proptest! {
        #[test]
        fn after_any_number_of_repetitions_it_is_in_order_and_at_its_rate(
            gaps in prop::collection::vec(0..1_000_000_000_u64, 1..20),
            per_second in 1.0..10_000.0_f64,
        ) {
            let sum = |total: &mut u64, gap: u64| { *total += gap; Some(*total) };
            let nanos: Vec<u64> = [0, 1].into_iter().chain(gaps).scan(0, sum).collect();
            let trace = trace(&nanos, Speed::LoadRate);
            let found = first(&trace, per_second, 1_000 * nanos.len() + 1);
            prop_assert!(found.is_sorted());
            let expected = 1_000.0 * nanos.len() as f64 * 1e9 / per_second;
            let last = *found.last().unwrap() as f64;
            // Repetitions begin on whole nanoseconds of the trace, and a nanosecond of it may be stretched.
            let stretch = trace.per_second() / per_second;
            prop_assert!((last - expected).abs() <= 1.0 + stretch + expected * 1e-12, "{last} {expected}");
        }
    }
}
