//! Where the time of a subject goes: the parts of its latency, and latency by kind of token and of answer.

use serde::Serialize;

use crate::analysis::latency::{few_samples, merge};
use crate::analysis::trials::Trials;
use crate::observation::{ClassLatency, Distribution, Parts, Sealed};

/// All trials of a subject together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Breakdown {
    /// answered - due.
    pub latency: Option<Figures>,
    /// What it is made of, in the order in which it happens; nothing for recordings that keep no parts.
    pub parts: Vec<(LatencyPart, Figures)>,
    /// By class of token and class of status.
    pub classes: Vec<Class>,
}

/// A stretch of a latency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LatencyPart {
    /// taken up - due.
    Lag,
    /// sent - taken up.
    Wait,
    /// first byte of the answer - sent.
    FirstByte,
    /// answered - first byte of the answer.
    Response,
}

/// A distribution in three numbers, in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figures {
    /// Median.
    pub p50: f64,
    /// 99th percentile.
    pub p99: f64,
    /// Mean, exact: unlike quantiles, the means of parts add up to that of the whole.
    pub mean: f64,
}

/// Requests with one class of token that were answered with one class of status.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Class {
    /// "valid", or what is bad about the tokens.
    pub class: String,
    /// The first digit of the status, like "2xx".
    pub status: String,
    /// How many there were.
    pub requests: u64,
    /// Median latency in seconds.
    pub p50: f64,
    /// 99th percentile in seconds.
    pub p99: f64,
    /// True if fewer than 100 of them lie beyond the 99th percentile.
    pub few_samples: bool,
}

impl Breakdown {
    pub(super) fn of(trials: &Trials<'_>) -> Self {
        let seconds = trials.seconds();
        let parts: Vec<&Parts> = trials.loads().filter_map(|load| load.parts.as_ref()).collect();
        let whole = |part: fn(&Parts) -> &Sealed| merge(parts.iter().map(|parts| part(parts).open()));
        let stretches = [
            (LatencyPart::Lag, merge(seconds.iter().map(|second| second.lag.open()))),
            (LatencyPart::Wait, merge(seconds.iter().map(|second| second.wait_of_all()))),
            (LatencyPart::FirstByte, whole(|parts| &parts.first_byte)),
            (LatencyPart::Response, whole(|parts| &parts.response)),
        ];
        let told = stretches.iter().filter_map(|(part, found)| Some((*part, Figures::of(found)?)));
        Self {
            latency: Figures::of(&merge(seconds.iter().map(|second| second.latency.open()))),
            parts: if parts.is_empty() { Vec::new() } else { told.collect() },
            classes: classes(&parts),
        }
    }
}

impl Figures {
    fn of(distribution: &Distribution) -> Option<Self> {
        let quantile = |q| Some(distribution.quantile(q)? as f64 / 1e9);
        Some(Self { p50: quantile(0.5)?, p99: quantile(0.99)?, mean: distribution.mean()? / 1e9 })
    }
}

/// Every class that any trial saw, in the order of the first that did.
fn classes(parts: &[&Parts]) -> Vec<Class> {
    let mut merged: Vec<(&ClassLatency, Distribution)> = Vec::new();
    for class in parts.iter().flat_map(|parts| &parts.classes) {
        let same = |(known, _): &&mut (&ClassLatency, Distribution)| {
            (&known.class, &known.status) == (&class.class, &class.status)
        };
        match merged.iter_mut().find(same) {
            Some((_, latency)) => latency.add(&class.latency.open()),
            None => merged.push((class, class.latency.open())),
        }
    }
    let told = merged.into_iter().filter_map(|(class, latency)| {
        let Figures { p50, p99, .. } = Figures::of(&latency)?;
        Some(Class {
            class: class.class.clone(),
            status: class.status.clone(),
            requests: latency.count(),
            p50,
            p99,
            few_samples: few_samples(latency.count(), 0.99),
        })
    });
    told.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{analyse, synthetic};

    #[test]
    fn means_of_the_parts_add_up_to_that_of_the_latency_and_classes_hold_every_answer() {
        for summary in analyse(&synthetic::recordings()).subjects {
            let Breakdown { latency, parts, classes } = summary.breakdown;
            let (latency, sum) = (latency.unwrap(), parts.iter().map(|(_, part)| part.mean).sum::<f64>());
            // Every part of the made-up recordings is cut to a whole nanosecond.
            assert!((sum - latency.mean).abs() < 2e-9, "{sum} {}", latency.mean);
            let order: Vec<LatencyPart> = parts.iter().map(|(part, _)| *part).collect();
            assert_eq!(
                order,
                [LatencyPart::Lag, LatencyPart::Wait, LatencyPart::FirstByte, LatencyPart::Response]
            );
            assert_eq!(classes.iter().map(|class| class.requests).sum::<u64>(), 10_000);
            assert_eq!(classes.len(), 6, "valid tokens and five kinds of bad ones");
        }
    }

    #[test]
    fn a_recording_without_parts_has_no_breakdown_but_its_latency() {
        let mut recording = synthetic::recording(1);
        recording.load.as_mut().unwrap().parts = None;
        let summary = analyse(&[recording]).subjects.remove(0);
        assert!(summary.breakdown.parts.is_empty() && summary.breakdown.classes.is_empty());
        let metrics = [crate::metric::MetricId::FirstByteP50, crate::metric::MetricId::ConnectP99];
        assert!(metrics.iter().all(|metric| !summary.estimates.contains_key(metric)), "absent, not 0");
    }
}
