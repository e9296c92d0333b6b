//! Who answers soonest if the authorization server were further away and a revocation had to be known within a limit: computed from what a run
//! measured without any distance, and from the closed forms. No network is emulated for it.
//!
//! The mean latency of a subject is `m + (w(limit) - w) * q + (w(limit) + b) * RTT`, in seconds. Measured in the run are m, its mean latency,
//! and q, what a question adds to the request that waits for it. Computed are w, the part of the requests that waited for a question in the run,
//! and w(limit), the part that would with the setting by which the design keeps the limit. b is the part that is asked about behind a gateway.

mod asking;
mod measured;
#[cfg(test)]
mod tests;

use serde::Serialize;

use crate::analysis::expectation::{SteadyQuestions, in_the_long_run};
use crate::analysis::trials::Trials;
use crate::analysis::{Summary, student};
use crate::design::{Asks, Caching, Checks, Design};
use crate::observation::Workload;
use asking::{AskingRate, caching_within};
pub use measured::MeasuredMean;

/// Round trips between who decides and the authorization server, in seconds: the same host, the same zone, two of a region, two of a continent,
/// another continent.
const ROUND_TRIPS: [f64; 7] = [0.05e-3, 0.5e-3, 2e-3, 10e-3, 40e-3, 80e-3, 150e-3];
/// Seconds within which a revocation must be known; 0 if no revoked token may be accepted at all.
const LIMITS: [f64; 7] = [0.0, 1.0, 5.0, 10.0, 60.0, 300.0, 3_600.0];

/// Who would answer soonest, by limit and round trip.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WinnerMap {
    /// Round trips to the authorization server, in seconds, ascending.
    pub round_trips: Vec<f64>,
    /// Seconds within which a revocation must be known, ascending.
    pub limits: Vec<f64>,
    /// Whose latencies were compared, and what is known of them.
    pub contenders: Vec<Contender>,
    /// For each limit the winner at each round trip; none if nobody keeps that limit.
    pub winners: Vec<Vec<Option<Winner>>>,
    /// Who was not compared, by name, and why.
    pub left_out: Vec<(String, NotCompared)>,
}

/// A subject whose latency is known without any distance.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Contender {
    /// What it is called: without the settings that a limit changes, where that tells it from the others.
    pub name: String,
    /// Its name in the scenario.
    pub subject: String,
    /// What was measured of it.
    #[serde(flatten)]
    pub measured: MeasuredMean,
    #[serde(skip)]
    design: Design,
    /// What was sent to it: how many servers share that differs by subject, and so does the rate of a closed loop.
    #[serde(skip)]
    workload: Workload,
}

/// Who answers soonest.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Winner {
    /// Its place among the contenders.
    pub contender: usize,
    /// Its mean latency, in seconds.
    pub mean_seconds: f64,
    /// The places of those that are not told apart from it.
    pub ties: Vec<usize>,
    /// The part of its requests that wait for the authorization server: where it is more than 1 %, p99 is longer by the round trip at least.
    pub waits_per_request: f64,
    /// What the authorization server is asked per second, or has to say by itself.
    pub calls_per_second: f64,
}

/// Why a subject was not compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NotCompared {
    /// Its signatures are verified by an implementation that decides wrongly.
    NotConforming,
    /// A revoked token worked for longer than its design allows.
    Contradicted,
    /// Its mean latency could not be measured here.
    NotMeasured,
    /// Its mean latency is not known to a factor of ten: it would be told apart from nobody.
    NotSure,
    /// Too few of its requests waited for a question, or too few did not, to tell what one adds.
    NoQuestions,
    /// No closed form tells how often it asks under such a load.
    NoClosedForm,
}

impl WinnerMap {
    /// The map of a run; `None` unless there are two kinds of designs or more, of which one asks about tokens: nothing is traded else. `None` too
    /// if something was done to servers: neither all the seconds nor the undisturbed ones are those of the closed forms.
    pub(super) fn of(groups: &[Trials<'_>], subjects: &[Summary]) -> Option<Self> {
        if subjects.iter().any(|summary| !summary.phases.is_empty()) {
            return None;
        }
        let mut contenders = Vec::new();
        let mut left_out = Vec::new();
        for (trials, summary) in groups.iter().zip(subjects) {
            let design = summary.subject.design;
            if summary.is_control || design.checks != Checks::Tokens || design.asks == Asks::Unknown {
                continue;
            }
            match MeasuredMean::of(trials, summary) {
                Ok(measured) => contenders.push(Contender {
                    name: kind_of(summary),
                    subject: summary.subject.name.clone(),
                    measured,
                    design,
                    workload: trials.workload().clone(),
                }),
                Err(why) => left_out.push((summary.subject.name.clone(), why)),
            }
        }
        name_apart(&mut contenders);
        let map = Self::over(&ROUND_TRIPS, &LIMITS, contenders, left_out);
        map.is_worth_a_look().then_some(map)
    }

    fn over(
        round_trips: &[f64],
        limits: &[f64],
        contenders: Vec<Contender>,
        left_out: Vec<(String, NotCompared)>,
    ) -> Self {
        let among = contenders.as_slice();
        let mut steady = SteadyCaches::default();
        let row = |limit: &f64| {
            round_trips.iter().map(|round_trip| winner(among, &mut steady, *limit, *round_trip)).collect()
        };
        let winners = limits.iter().map(row).collect();
        Self { round_trips: round_trips.to_vec(), limits: limits.to_vec(), contenders, winners, left_out }
    }

    /// Some wait for the authorization server and are sure, others do not and hear of a revocation later.
    fn is_worth_a_look(&self) -> bool {
        let asks =
            |contender: &Contender| matches!(contender.design.asks, Asks::EveryRequest | Asks::OnMiss(_));
        let first = self.contenders.first().map(|first| kind(&first.design));
        self.contenders.iter().any(asks)
            && self.contenders.iter().any(|other| Some(kind(&other.design)) != first)
    }
}

/// By what a design hears of a revocation, of designs that trade latency against that.
fn kind(design: &Design) -> (u8, bool, bool) {
    let asks = match design.asks {
        Asks::Unknown => 0,
        Asks::Never => 1,
        Asks::EveryRequest => 2,
        Asks::OnMiss(_) => 3,
        Asks::EveryPeriod { .. } => 4,
    };
    (asks, design.push_delay_seconds.is_some(), design.refreshing.is_some())
}

/// The architecture without its settings, if the recording says it as data.
fn kind_of(summary: &Summary) -> String {
    let architecture = summary.subject.parts.get("architecture");
    architecture.map_or_else(|| summary.subject.name.clone(), |choice| choice.kind.clone())
}

/// Who is called as others are has the name of the scenario instead.
fn name_apart(contenders: &mut [Contender]) {
    let names: Vec<String> = contenders.iter().map(|contender| contender.name.clone()).collect();
    for contender in contenders {
        if names.iter().filter(|name| **name == contender.name).count() > 1 {
            contender.name.clone_from(&contender.subject);
        }
    }
}

/// What caches ask in the long run, each setting under each workload computed once.
#[derive(Default)]
struct SteadyCaches<'a> {
    known: Vec<(&'a Workload, Caching, Option<SteadyQuestions>)>,
}

impl<'a> SteadyCaches<'a> {
    fn of(&mut self, workload: &'a Workload, caching: &Caching) -> Option<SteadyQuestions> {
        let is_it = |(under, kept, _): &&(&Workload, Caching, _)| kept == caching && *under == workload;
        if let Some((.., steady)) = self.known.iter().find(is_it) {
            return *steady;
        }
        let steady = in_the_long_run(workload, caching);
        self.known.push((workload, *caching, steady));
        steady
    }
}

/// A contender as it would be with a limit and a round trip.
struct Computed {
    contender: usize,
    /// What is added to what was measured, in seconds.
    added: f64,
    asking: AskingRate,
}

fn winner<'a>(
    contenders: &'a [Contender],
    steady: &mut SteadyCaches<'a>,
    limit: f64,
    round_trip: f64,
) -> Option<Winner> {
    let mut computed = Vec::new();
    for (index, contender) in contenders.iter().enumerate() {
        let Contender { design, workload, .. } = contender;
        let questions =
            caching_within(design, limit, round_trip).and_then(|caching| steady.of(workload, &caching));
        let Some(asking) = AskingRate::within(design, workload, limit, round_trip, questions) else {
            continue;
        };
        let MeasuredMean { question_seconds, waits_per_request, .. } = contender.measured;
        let added = (asking.waits_per_request - waits_per_request) * question_seconds.unwrap_or(0.0)
            + (asking.waits_per_request + asking.waits_behind) * round_trip;
        computed.push(Computed { contender: index, added, asking });
    }
    let mean = |one: &Computed| contenders[one.contender].measured.mean_seconds + one.added;
    let first = computed.iter().min_by(|a, b| mean(a).total_cmp(&mean(b)))?;
    let is_tied = |other: &&Computed| {
        let [quick, slow] = [first, *other].map(|one| (&contenders[one.contender].measured, one.added));
        other.contender != first.contender && !is_sooner(quick, slow)
    };
    Some(Winner {
        contender: first.contender,
        mean_seconds: mean(first),
        ties: computed.iter().filter(is_tied).map(|other| other.contender).collect(),
        waits_per_request: first.asking.waits_per_request + first.asking.waits_behind,
        calls_per_second: first.asking.calls_per_second,
    })
}

/// Whether one is sooner by more than chance, as measured latencies are told apart: by the ratio within each round, and of a single one by
/// intervals that do not overlap; and by more than the generator may have added.
fn is_sooner((quick, quick_added): (&MeasuredMean, f64), (slow, slow_added): (&MeasuredMean, f64)) -> bool {
    if quick.mean_seconds + quick_added >= slow.mean_seconds + slow_added - slow.bias {
        return false;
    }
    let ratio = |(round, mean): (&u32, &f64)| {
        Some(((slow.by_round.get(round)? + slow_added) / (mean + quick_added)).ln())
    };
    let ratios: Vec<f64> =
        quick.by_round.iter().filter_map(ratio).filter(|ratio| ratio.is_finite()).collect();
    if ratios.len() > 1 {
        return student::interval(&ratios).is_some_and(|(low, _)| low > 0.0);
    }
    let ends = quick.interval.zip(slow.interval);
    ends.is_some_and(|((_, high), (low, _))| high + quick_added < low + slow_added - slow.bias)
}
