//! A number never travels without its uncertainty.

use serde::Serialize;

use crate::analysis::Standing;

/// A value with the interval it may lie in, in the unit of its metric.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// The value itself.
    pub point: f64,
    /// The lower end of the interval.
    pub low: f64,
    /// The upper end; absent if nothing bounds the value from above: "at least `point`". A token was never
    /// refused, more requests got no answer than lie beyond the quantile, or no step of a search failed.
    pub high: Option<f64>,
    /// Where the interval comes from.
    pub basis: Basis,
    /// True for a quantile with fewer than 100 requests, or timed operations, beyond it: for information, not for a gate.
    pub few_samples: bool,
    /// How far it can be trusted, whatever its interval says.
    pub standing: Standing,
    /// How much of it may be the bench's own doing, in its unit: the truth is at least the value minus this.
    pub bias: f64,
    /// The same figure over all requests, those that a gap disturbed among them, where it is told apart.
    pub of_all: Option<f64>,
}

/// Where an interval comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// 95 %, from the seconds of one run, or the rounds of timed operations: the spread between runs is not in it.
    WithinRun,
    /// 95 %, from several runs; from six on, with the seconds within each.
    AcrossRuns,
    /// A single run of less than three seconds, or of too few values: no interval.
    TooFew,
    /// Counted or read off once: no interval.
    Counted,
    /// From the highest rate that passed to the lowest that failed.
    Bracket,
    /// From the last acceptance to the refusal after it: what a probe cannot tell.
    ProbeGap,
}

impl Estimate {
    /// A value that was counted.
    pub fn counted(point: f64) -> Self {
        Self::between(point, point, Some(point), Basis::Counted)
    }

    /// A sound value with its interval.
    pub(super) fn between(point: f64, low: f64, high: Option<f64>, basis: Basis) -> Self {
        Self {
            point,
            low,
            high,
            basis,
            few_samples: false,
            standing: Standing::Sound,
            bias: 0.0,
            of_all: None,
        }
    }

    /// True if the interval has two different ends.
    pub fn is_interval(&self) -> bool {
        !matches!(self.basis, Basis::Counted | Basis::TooFew) && self.high.is_some_and(|high| high > self.low)
    }
}
