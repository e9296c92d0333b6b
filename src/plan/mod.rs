//! Every trial decided, nothing started.

mod bad_kind;
mod checks;
mod interventions;
mod needed;
mod offer;
mod pace;
mod placement;
mod search;
#[cfg(test)]
mod shipped;
mod subject;
mod timeline;
mod token_class;
mod workload;

use std::collections::HashSet;
use std::num::{NonZeroU32, NonZeroU64};
use std::sync::Arc;
use std::time::Duration;

use rand::seq::SliceRandom;
use rand::{Rng as _, RngExt as _, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::metric::Threshold;
use crate::plan::offer::Offer;
use crate::registry::nearest;
use crate::scenario::{InvalidScenario, Mix, Scenario, ScenarioFile, Tokens};
use crate::units::{Offset, Period, Rate, Span};

pub use bad_kind::BadKind;
pub use needed::NeededService;
pub use pace::Pace;
pub use placement::Placement;
pub use search::{Ending, Judgement, Search, Walk};
pub use subject::Subject;
pub use timeline::{PlannedAction, PlannedEvent, Timeline};
pub use token_class::TokenClass;
pub use workload::{PROBE_HEADER, Pool, REVOKED_HEADER, Workload};

/// Everything that will be done, in order.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The name of the scenario.
    pub name: String,
    /// The question it asks.
    pub question: String,
    /// What must hold for every subject except controls.
    pub thresholds: Vec<Threshold>,
    /// How long a token lives.
    pub lifetime: Duration,
    /// Which process runs where.
    pub placement: Placement,
    /// Whether the operations of each signature scheme are timed by themselves, for about a second a trial.
    pub times_signatures: bool,
    /// One subject measured once, each; repetitions are the outer loop. Of a search, the first step of each.
    pub trials: Vec<Trial>,
    /// What is sought from each trial on, if anything is.
    pub search: Option<Search>,
}

/// One subject measured once, on freshly started processes.
#[derive(Clone, Debug)]
pub struct Trial {
    /// What is measured.
    pub subject: Arc<Subject>,
    /// What is sent: the same for every subject of the repetition.
    pub workload: Arc<Workload>,
    /// Which repetition this is, from 0.
    pub repetition: u32,
    /// The seed of the repetition.
    pub seed: u64,
    /// Why it has the rate that it has, if the subject is measured at several.
    pub step: Option<RateStep>,
}

/// One of the rates at which a subject is measured.
#[derive(Clone, Debug, PartialEq)]
pub enum RateStep {
    /// The scenario names it, among others.
    Sweep,
    /// It is tried to find the highest rate at which a limit holds.
    Search {
        /// The limit.
        threshold: Threshold,
        /// Which step of the search it is, from 0.
        number: u32,
    },
}

impl Plan {
    /// Decides every trial of a scenario on a machine with these cores. `only` names the subjects to keep; none keeps all.
    pub fn decide(file: &ScenarioFile, only: &[String], cores: &[u32]) -> Result<Self, InvalidScenario> {
        let subjects = chosen(subjects(file)?, only, file)?;
        let scenario = &file.scenario;
        let offer = Offer::decide(file)?;
        checks::ensure_possible(file, &offer)?;
        let placement = Placement::on(cores, scenario.load.generators.get() as usize);
        let interventions = interventions::decide(file, &subjects, &placement)?;
        let mut seeds = ChaCha8Rng::seed_from_u64(scenario.seed);
        let (mut trials, mut needed) = (Vec::new(), 0);
        let rounds = scenario.repetitions.map_or_else(|| offer.rounds(), NonZeroU32::get);
        for repetition in 0..rounds {
            let seed = seeds.next_u64();
            for (pace, window, step) in offer.beginnings(scenario.load.duration) {
                let mut workload = workload(scenario, pace, window, seed);
                let begin = workload.window_start();
                workload.timeline.add(interventions.iter().map(|(at, intervention, target)| {
                    (begin + at.duration(), PlannedAction::Intervene(*intervention, *target))
                }));
                let workload = Arc::new(workload);
                needed = needed.max(workload.live_needed(seed));
                let mut order = subjects.clone();
                order.shuffle(&mut seeds);
                trials.extend(order.into_iter().map(|subject| Trial {
                    subject,
                    workload: Arc::clone(&workload),
                    repetition,
                    seed,
                    step: step.clone(),
                }));
            }
        }
        checks::ensure_enough_tokens(file, needed)?;
        Ok(Self {
            name: file.name(),
            question: scenario.question.clone(),
            thresholds: scenario.thresholds.clone(),
            lifetime: scenario.tokens.lifetime.duration(),
            placement,
            times_signatures: true,
            trials,
            search: match offer {
                Offer::Search(_, search) => Some(search),
                Offer::Fixed(_) | Offer::Sweep(_) => None,
            },
        })
    }

    /// The same subjects, each once for a second, nothing done to servers, revoked or timed by itself: enough to see whether answers are right.
    #[must_use]
    pub fn brief(mut self) -> Self {
        (self.times_signatures, self.search) = (false, None);
        let mut seen = HashSet::new();
        self.trials.retain(|trial| seen.insert(trial.subject.position));
        for trial in &mut self.trials {
            trial.step = None;
            let workload = Arc::make_mut(&mut trial.workload);
            workload.warmup = Span::from_secs(0);
            workload.window = Period::from_secs(1);
            workload.requests = None;
            workload.timeline = Timeline::default();
            let needed = u32::try_from(workload.live_needed(trial.seed)).unwrap_or(u32::MAX);
            workload.pool.live = workload.pool.live.min(BRIEF_TOKENS.max(needed));
        }
        self
    }

    /// How long the load of all trials lasts, that of a search at most. Starting servers and issuing tokens comes on top.
    pub fn load_time(&self) -> Duration {
        let trial = |trial: &Trial| match &self.search {
            Some(search) => search.at_most().1,
            None => Duration::from_nanos(trial.workload.end().nanos()),
        };
        self.trials.iter().map(trial).sum()
    }

    /// In how many rounds the subjects take turns.
    pub fn rounds(&self) -> u32 {
        self.trials.iter().map(|trial| trial.repetition + 1).max().unwrap_or(0)
    }

    /// The trials of a round with their numbers in the plan, from 1.
    pub fn round(&self, round: u32) -> impl Iterator<Item = (usize, &Trial)> {
        (1..).zip(&self.trials).filter(move |(_, trial)| trial.repetition == round)
    }

    /// Whether the signature of a trial is timed by itself: once a subject, which takes a second in many slices; where rates are
    /// tried once a repetition, whatever they are.
    pub fn times_signature_of(&self, trial: &Trial) -> bool {
        let is_first = match &trial.step {
            None => trial.repetition == 0,
            Some(RateStep::Search { number, .. }) => *number == 0,
            Some(RateStep::Sweep) => self
                .trials
                .first()
                .is_some_and(|first| first.workload.pace.rate() == trial.workload.pace.rate()),
        };
        self.times_signatures && is_first
    }
}

/// As many as a second of requests needs.
const BRIEF_TOKENS: u32 = 500;

fn subjects(file: &ScenarioFile) -> Result<Vec<Arc<Subject>>, InvalidScenario> {
    let written = &file.scenario.subjects;
    if written.is_empty() {
        return Err(InvalidScenario::file(&file.path, "no subject; add a [[subject]] with an architecture"));
    }
    let mut names = HashSet::new();
    let mut subjects = Vec::new();
    for ((index, subject), position) in written.iter().enumerate().zip(0..) {
        let subject = Subject::decide(subject, position, &file.scenario)
            .map_err(|problem| file.subject_error(index, problem))?;
        if !names.insert(subject.name.clone()) {
            let problem =
                format!("a second subject is called {:?}; give it a `name` of its own", subject.name);
            return Err(file.subject_error(index, problem));
        }
        subjects.push(Arc::new(subject));
    }
    Ok(subjects)
}

fn chosen(
    subjects: Vec<Arc<Subject>>,
    only: &[String],
    file: &ScenarioFile,
) -> Result<Vec<Arc<Subject>>, InvalidScenario> {
    for name in only {
        if !subjects.iter().any(|subject| subject.name == *name) {
            let names = || subjects.iter().map(|subject| subject.name.as_str());
            let suggestion =
                nearest(name, names()).map_or_else(String::new, |name| format!("; did you mean {name:?}?"));
            let known = names().collect::<Vec<_>>().join(", ");
            let problem = format!("--only: no subject is called {name:?}{suggestion}; known: {known}");
            return Err(InvalidScenario::file(&file.path, problem));
        }
    }
    let keep = |subject: &Arc<Subject>| only.is_empty() || only.contains(&subject.name);
    Ok(subjects.into_iter().filter(keep).collect())
}

fn workload(scenario: &Scenario, pace: Pace, window: Period, seed: u64) -> Workload {
    let (load, tokens, revocation) = (&scenario.load, &scenario.tokens, &scenario.revocation);
    let mut workload = Workload {
        pace,
        warmup: load.warmup,
        window,
        requests: load.requests.map(NonZeroU64::get),
        connections: load.connections,
        streams: load.streams,
        requests_per_connection: load.requests_per_connection,
        pool: Pool {
            live: tokens.live.get(),
            churn: tokens.churn,
            reuse: tokens.reuse.clone(),
            bad_fraction: tokens.bad.into(),
            mix: mix(tokens),
            bad_per_kind: tokens.bad_per_kind.get(),
        },
        timeline: Timeline::default(),
        probe_rate: probe_rate(scenario),
    };
    let revoked = revocation_times(&workload, revocation.tokens, seed);
    workload.timeline.revoke_at(revoked);
    workload
}

/// Of a token, at all resource servers together: as many whatever number of them a subject has.
fn probe_rate(scenario: &Scenario) -> Rate {
    let servers = f64::from(scenario.load.resource_servers.get());
    Rate::try_from(scenario.revocation.probes.per_second() * servers).unwrap_or(scenario.revocation.probes)
}

/// The kinds of bad tokens that are sent, with their weights.
fn mix(tokens: &Tokens) -> Vec<(BadKind, u32)> {
    let Mix { expired, garbage, wrong_audience, tampered, unknown, revoked } = tokens.mix;
    // In the order of `BadKind::ALL`.
    let weights = [expired, garbage, wrong_audience, tampered, unknown, revoked].map(u32::from);
    let is_sent = f64::from(tokens.bad) > 0.0;
    BadKind::ALL.into_iter().zip(weights).filter(|(_, weight)| is_sent && *weight > 0).collect()
}

/// Drawn uniformly from the first half of the window: the second half shows what became of them.
fn revocation_times(workload: &Workload, count: u32, seed: u64) -> Vec<Offset> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let half = workload.window.duration() / 2;
    let mut times: Vec<Offset> =
        (0..count).map(|_| workload.window_start() + half.mul_f64(random.random())).collect();
    times.sort_unstable();
    times
}
