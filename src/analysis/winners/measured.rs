//! What a run tells of a subject: its mean latency, and what a question to the authorization server adds to it.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::analysis::expectation::{as_replaced, waits_per_request};
use crate::analysis::followed::{FollowedSeconds, From, Reach};
use crate::analysis::trials::Trials;
use crate::analysis::winners::NotCompared;
use crate::analysis::{Basis, Check, Summary};
use crate::design::Asks;
use crate::metric::MetricId;

/// A subject without any distance to the authorization server.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct MeasuredMean {
    /// Its mean latency, in seconds, of requests that no gap disturbed.
    pub mean_seconds: f64,
    /// The 95 % interval of that.
    pub interval: Option<(f64, f64)>,
    /// What a question adds to the request that waits for it, in seconds; absent where no request waits, or each does.
    pub question_seconds: Option<f64>,
    /// The part of the requests that waited for a question in the run, by the closed form.
    pub waits_per_request: f64,
    /// The mean of each round.
    #[serde(skip)]
    pub(super) by_round: BTreeMap<u32, f64>,
    /// How much of the mean may be the generator's lag, in seconds.
    #[serde(skip)]
    pub(super) bias: f64,
}

/// How much larger the upper end of an interval of the mean may be than the lower one.
const WIDEST: f64 = 10.0;
/// So many requests must have waited for a question, and as many not.
const ENOUGH: f64 = 100.0;
/// Where a smaller part waited, or did not, the tail of the others hides what a question takes.
const SMALLEST_PART: f64 = 0.1;

impl MeasuredMean {
    /// Of a subject that decides on tokens.
    pub(super) fn of(trials: &Trials<'_>, summary: &Summary) -> Result<Self, NotCompared> {
        if !summary.subject.is_trusted() {
            return Err(NotCompared::NotConforming);
        }
        let contradicts =
            |check: &Check| check.metric == MetricId::PropagationMax && check.agreement.is_contradiction();
        if summary.checks.iter().any(contradicts) {
            return Err(NotCompared::Contradicted);
        }
        let mean = summary.estimates.get(&MetricId::LatencyMean).filter(|mean| !mean.standing.is_lost());
        let mean = mean.ok_or(NotCompared::NotMeasured)?;
        let interval = mean.high.filter(|_| mean.basis != Basis::TooFew).map(|high| (mean.low, high));
        if interval.is_some_and(|(low, high)| high > WIDEST * low) {
            return Err(NotCompared::NotSure);
        }
        let (question_seconds, waits_per_request) = match summary.subject.design.asks {
            Asks::OnMiss(caching) => {
                let first = trials.recordings.first().ok_or(NotCompared::NotMeasured)?;
                let waits =
                    waits_per_request(&as_replaced(first), &caching).ok_or(NotCompared::NoClosedForm)?;
                (Some(question(trials, waits).ok_or(NotCompared::NoQuestions)?), waits)
            }
            Asks::EveryRequest => (None, 1.0),
            Asks::Unknown | Asks::Never | Asks::EveryPeriod { .. } => (None, 0.0),
        };
        let by_round = summary.by_round.get(&MetricId::LatencyMean).cloned().unwrap_or_default();
        let (mean_seconds, bias) = (mean.point, mean.bias);
        Ok(Self { mean_seconds, interval, question_seconds, waits_per_request, by_round, bias })
    }
}

/// What a question adds, in seconds, where the part `waits` of the requests waited for one: the median of those that did less the median of the
/// others. Which are which no answer tells, but the former are longer: their median is where 1 - waits / 2 of all are shorter, that of the latter
/// where (1 - waits) / 2 are. `None` if they are too few, or do not differ.
fn question(trials: &Trials<'_>, waits: f64) -> Option<f64> {
    let seconds = trials.seconds();
    let followed = FollowedSeconds::of(&seconds, From::Due);
    let rarer = waits.min(1.0 - waits);
    if rarer < SMALLEST_PART || rarer * (followed.count() as f64) < ENOUGH {
        return None;
    }
    let quantile = |q| match followed.whole(q)? {
        Reach::At(seconds) => Some(seconds),
        Reach::Beyond(_) => None,
    };
    let [with, without] = [quantile(1.0 - waits / 2.0)?, quantile((1.0 - waits) / 2.0)?];
    (with > without).then_some(with - without)
}
