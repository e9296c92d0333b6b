//! Every trial decided, nothing started.

mod bad_kind;
mod pace;
mod placement;
#[cfg(test)]
mod shipped;
mod subject;
mod token_class;
mod workload;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use rand::seq::SliceRandom;
use rand::{Rng as _, RngExt as _, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::metric::Threshold;
use crate::registry::nearest;
use crate::scenario::{InvalidScenario, Mix, Scenario, ScenarioFile, Tokens};
use crate::units::{Offset, Period, Span};

pub use bad_kind::BadKind;
pub use pace::Pace;
pub use placement::Placement;
pub use subject::Subject;
pub use token_class::TokenClass;
pub use workload::{PROBE_HEADER, Pool, Workload};

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
    /// One subject measured once, each; repetitions are the outer loop.
    pub trials: Vec<Trial>,
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
}

impl Plan {
    /// Decides every trial of a scenario on a machine with these cores. `only` names the subjects to keep; none keeps all.
    pub fn decide(file: &ScenarioFile, only: &[String], cores: &[u32]) -> Result<Self, InvalidScenario> {
        let subjects = chosen(subjects(file)?, only, file)?;
        let scenario = &file.scenario;
        ensure_tokens_last(file)?;
        ensure_bounded(file)?;
        ensure_mixed(file)?;
        let mut seeds = ChaCha8Rng::seed_from_u64(scenario.seed);
        let (mut trials, mut needed) = (Vec::new(), 0);
        for repetition in 0..scenario.repetitions.get() {
            let seed = seeds.next_u64();
            let workload = Arc::new(workload(scenario, seed));
            needed = needed.max(workload.live_needed(seed));
            let mut order = subjects.clone();
            order.shuffle(&mut seeds);
            trials.extend(order.into_iter().map(|subject| Trial {
                subject,
                workload: Arc::clone(&workload),
                repetition,
                seed,
            }));
        }
        ensure_enough_tokens(file, needed)?;
        Ok(Self {
            name: file.name(),
            question: scenario.question.clone(),
            thresholds: scenario.thresholds.clone(),
            lifetime: scenario.tokens.lifetime.duration(),
            placement: Placement::on(cores, scenario.load.generators.get() as usize),
            times_signatures: true,
            trials,
        })
    }

    /// The same subjects, each once for a second, nothing revoked or timed by itself: enough to see whether answers are right.
    #[must_use]
    pub fn brief(mut self) -> Self {
        self.times_signatures = false;
        self.trials.retain(|trial| trial.repetition == 0);
        for trial in &mut self.trials {
            let workload = Arc::make_mut(&mut trial.workload);
            workload.warmup = Span::from_secs(0);
            workload.window = Period::from_secs(1);
            workload.revocations.clear();
            let needed = u32::try_from(workload.live_needed(trial.seed)).unwrap_or(u32::MAX);
            workload.pool.live = workload.pool.live.min(BRIEF_TOKENS.max(needed));
        }
        self
    }

    /// How long the load of all trials lasts. Starting servers and issuing tokens comes on top.
    pub fn load_time(&self) -> Duration {
        self.trials.iter().map(|trial| Duration::from_nanos(trial.workload.end().nanos())).sum()
    }
}

/// As many as a second of requests needs.
const BRIEF_TOKENS: u32 = 500;

/// Tokens are issued before the load: those that expire while it runs would be refused rightly, and counted
/// as wrong answers.
fn ensure_tokens_last(file: &ScenarioFile) -> Result<(), InvalidScenario> {
    let (load, lifetime) = (&file.scenario.load, file.scenario.tokens.lifetime);
    if lifetime.duration().subsec_nanos() != 0 {
        let problem =
            format!("a token lives {lifetime}, expected whole seconds, which is what tokens can say");
        return Err(file.key_error("tokens.lifetime", problem));
    }
    let length = load.warmup.duration() + load.duration.duration();
    if lifetime.duration() > length {
        return Ok(());
    }
    let length = humantime::format_duration(length);
    let problem =
        format!("a token lives {lifetime}, expected more than the {length} of load.warmup and load.duration");
    Err(file.key_error("tokens.lifetime", problem))
}

/// What a scenario may ask for at most: beyond it the memory of any machine would end before the run does.
const MOST_TOKENS: u32 = 10_000_000;
const MOST_REPETITIONS: u32 = 10_000;

fn ensure_bounded(file: &ScenarioFile) -> Result<(), InvalidScenario> {
    let (tokens, revocation) = (&file.scenario.tokens, &file.scenario.revocation);
    let counts = [
        ("repetitions", file.scenario.repetitions.get(), MOST_REPETITIONS),
        ("tokens.live", tokens.live.get(), MOST_TOKENS),
        ("tokens.bad_per_kind", tokens.bad_per_kind.get(), MOST_TOKENS),
        ("revocation.tokens", revocation.tokens, MOST_TOKENS),
    ];
    match counts.into_iter().find(|(_, count, most)| count > most) {
        Some((key, count, most)) => Err(file.key_error(key, format!("expected at most {most}, not {count}"))),
        None => Ok(()),
    }
}

fn ensure_mixed(file: &ScenarioFile) -> Result<(), InvalidScenario> {
    let tokens = &file.scenario.tokens;
    if f64::from(tokens.bad) > 0.0 && mix(tokens).is_empty() {
        let problem = "no kind has a weight above 0, expected one at least, like { expired = 2, garbage = 1 }; \
                       without bad tokens set tokens.bad = 0";
        return Err(file.key_error("tokens.mix", problem));
    }
    Ok(())
}

/// `needed`: what the repetition needs that sends the most.
fn ensure_enough_tokens(file: &ScenarioFile, needed: u64) -> Result<(), InvalidScenario> {
    let tokens = &file.scenario.tokens;
    let (live, reuse) = (tokens.live, tokens.reuse.to_string());
    if needed <= u64::from(live.get()) {
        return Ok(());
    }
    let remedy = if needed <= u64::from(MOST_TOKENS) {
        format!("set tokens.live = {needed} or more, or choose another tokens.reuse")
    } else {
        format!(
            "there can be {MOST_TOKENS}: lower load.rate or load.duration, or choose another tokens.reuse"
        )
    };
    let problem = format!("{live} live tokens, expected {needed} for reuse {reuse:?}; {remedy}");
    Err(file.key_error("tokens.live", problem))
}

fn subjects(file: &ScenarioFile) -> Result<Vec<Arc<Subject>>, InvalidScenario> {
    let written = &file.scenario.subjects;
    if written.is_empty() {
        return Err(InvalidScenario::file(&file.path, "no subject; add a [[subject]] with an architecture"));
    }
    let mut names = HashSet::new();
    let mut subjects = Vec::new();
    for ((index, subject), position) in written.iter().enumerate().zip(0..) {
        let subject = Subject::decide(subject, position, &file.scenario.load)
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

fn workload(scenario: &Scenario, seed: u64) -> Workload {
    let (load, tokens, revocation) = (&scenario.load, &scenario.tokens, &scenario.revocation);
    let mut workload = Workload {
        rate: load.arrivals.own_rate().unwrap_or(load.rate),
        arrivals: load.arrivals.clone(),
        warmup: load.warmup,
        window: load.duration,
        resource_servers: load.resource_servers.get(),
        connections: load.connections,
        pool: Pool {
            live: tokens.live.get(),
            reuse: tokens.reuse.clone(),
            bad_fraction: tokens.bad.into(),
            mix: mix(tokens),
            bad_per_kind: tokens.bad_per_kind.get(),
        },
        revocations: Vec::new(),
        probe_rate: revocation.probes,
    };
    workload.revocations = revocation_times(&workload, revocation.tokens, seed);
    workload
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
