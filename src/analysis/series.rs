//! What charts are drawn from.

use crate::analysis::Propagation;
use crate::analysis::followed::{FollowedSeconds, From, Reach};
use crate::analysis::latency::few_samples;
use crate::analysis::survival::Survival;
use crate::analysis::trials::Trials;
use crate::observation::{Action, Second};

/// Curves of a subject.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// Latency by percentile, as far as ten requests lie beyond it.
    pub percentiles: Vec<Percentile>,
    /// Latency second by second.
    pub moments: Vec<Moment>,
    /// When tokens were revoked, in seconds from the beginning of the measured window. Only for a single
    /// run: several have different instants.
    pub revocations: Vec<f64>,
    /// What was done to servers, the rounds one after the other.
    pub marks: Vec<EventMark>,
    /// How long revoked tokens were accepted.
    pub survival: Survival,
}

/// Something that was done to servers, on the axis of the moments.
#[derive(Clone, Debug, PartialEq)]
pub struct EventMark {
    /// When it was done, in seconds.
    pub second: f64,
    /// What, in words.
    pub what: String,
}

impl Series {
    /// Of trials, whose percentiles are those of `calm` time.
    pub(super) fn of(trials: &Trials<'_>, calm: &Trials<'_>, propagation: &Propagation) -> Self {
        Self {
            percentiles: percentiles(calm),
            moments: moments(trials),
            revocations: revocations(trials),
            marks: marks(trials),
            survival: Survival::of(&propagation.observations),
        }
    }
}

/// A point of the latency curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Percentile {
    /// 0 to 1.
    pub q: f64,
    /// Latency in seconds.
    pub seconds: f64,
    /// True if fewer than 100 requests lie beyond it.
    pub few_samples: bool,
}

/// A second of the measured time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moment {
    /// Which second, from 0; those of a later round follow those of the earlier ones.
    pub second: usize,
    /// Requests due in it.
    pub requests: u64,
    /// Median latency in seconds.
    pub p50: f64,
    /// 99th percentile in seconds.
    pub p99: f64,
}

/// 10 points for each nine from the median on.
const PER_NINE: u32 = 10;

/// Latency by percentile of a subject.
fn percentiles(trials: &Trials<'_>) -> Vec<Percentile> {
    let followed = FollowedSeconds::of(&trials.seconds(), From::Due);
    let count = followed.count();
    let fractions = (0..=6 * PER_NINE).map(|step| 1.0 - 10_f64.powf(-f64::from(step) / f64::from(PER_NINE)));
    // Those that people name, besides.
    let mut fractions: Vec<f64> = fractions.chain([0.25, 0.5, 0.75]).collect();
    fractions.sort_unstable_by(f64::total_cmp);
    fractions
        .into_iter()
        .filter(|q| count as f64 * (1.0 - q) >= 10.0)
        .filter_map(|q| {
            let Reach::At(seconds) = followed.whole(q)? else { return None };
            Some(Percentile { q, seconds, few_samples: few_samples(count, q) })
        })
        .collect()
}

/// Latency second by second, the rounds one after the other; seconds without an answer are left out.
pub(super) fn moments(trials: &Trials<'_>) -> Vec<Moment> {
    let moment = |(second, facts): (usize, &Second)| {
        let followed = FollowedSeconds::of(&[facts], From::Due);
        let at = |q| followed.whole(q).map(Reach::seconds);
        Some(Moment { second, requests: followed.count(), p50: at(0.5)?, p99: at(0.99)? })
    };
    trials.seconds().into_iter().enumerate().filter_map(moment).collect()
}

/// When tokens were revoked, if there is one run only.
fn revocations(trials: &Trials<'_>) -> Vec<f64> {
    let [recording] = trials.recordings[..] else { return Vec::new() };
    let acknowledged = recording.revocations().filter_map(|(event, _)| event.ended);
    acknowledged.map(|at| at.seconds() - recording.workload.warmup_seconds).collect()
}

/// What was done to servers that the subject has.
fn marks(trials: &Trials<'_>) -> Vec<EventMark> {
    let mut marks = Vec::new();
    let mut before = 0.0;
    for recording in trials.recordings.iter().filter(|recording| recording.load.is_some()) {
        for event in &recording.events {
            let Some(servers) = event.servers().filter(|servers| !servers.nodes.is_empty()) else { continue };
            let done = match &event.what {
                Action::Kill(_) => "killed",
                Action::Start(_) => "started",
                Action::Pause(_) => "paused",
                Action::Resume(_) => "resumed",
                Action::Revocation(_) => continue,
            };
            let second = before + event.began.seconds() - recording.workload.warmup_seconds;
            marks.push(EventMark { second, what: format!("{} {done}", servers.target) });
        }
        before += recording.load.as_ref().map_or(0.0, |load| load.seconds.len() as f64);
    }
    marks
}
