//! When the servers of a trial were undisturbed, when something was done to them, and when they recovered from it.
//!
//! A disturbance begins when servers are killed or paused, and ends when all of them answer again. From then on they recover, until
//! for the next second as many of the valid tokens are accepted as before the first disturbance, and no more requests are under way than then.

pub(super) mod calm;
mod figures;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::time::Duration;

use serde::Serialize;

use crate::analysis::trials::Trials;
use crate::observation::{Action, Event, Load, Recording, Role, Second, Slices, TOKEN_EXPIRED, VALID};
use crate::units::Offset;

pub use figures::{PhaseFigures, Recovery};
pub(super) use figures::{estimates, figures};

/// What was the case for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "phase", rename_all = "snake_case")]
pub enum PhaseState {
    /// Nothing was done to servers, or they have recovered from it.
    Undisturbed,
    /// Servers were down, or hung.
    Disturbed {
        /// Which ones, in words.
        by: String,
    },
    /// They answer again, and not all is as it was.
    Recovering {
        /// From what, in the same words.
        from: String,
    },
}

/// A part of the measured window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Phase {
    pub(super) from: Offset,
    pub(super) to: Offset,
    pub(super) state: PhaseState,
}

/// The measured window of a trial, without a gap.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Phases {
    pub(super) phases: Vec<Phase>,
    /// One for each disturbance, in words by what and how long it took.
    recoveries: Vec<(String, Recovery)>,
}

/// So many tenths of a second in a row must be as before.
const STEADY: usize = 10;
/// So many standard deviations of the usual number of requests without an acceptance are chance.
const CHANCE: f64 = 3.0;
/// More requests on their way than this part of those of a second are a queue that is still being worked off ...
const QUEUE: f64 = 0.01;
/// ... but for so few.
const FEW: f64 = 5.0;

impl Phases {
    /// Those of a trial; none if it was not measured.
    pub(super) fn of(recording: &Recording) -> Self {
        let Some(load) = &recording.load else { return Self::default() };
        let begin = Offset::from(Duration::from_secs_f64(recording.workload.warmup_seconds));
        let end = begin + Duration::from_secs_f64(load.measured_seconds);
        let disturbances = disturbances(&recording.events, end);
        let mut phases = Self::default();
        let mut reached = begin;
        let tenths = tenths(load, counts_expired(recording));
        let usual = disturbances.first().map(|first| Usual::before(&tenths, begin, first.from));
        for (index, Disturbance { from, to, by, .. }) in disturbances.iter().enumerate() {
            let limit = disturbances.get(index + 1).map_or(end, |next| next.from);
            let by = by.join(", ");
            phases.add(reached, *from, PhaseState::Undisturbed);
            phases.add(*from, to.unwrap_or(end), PhaseState::Disturbed { by: by.clone() });
            let Some(over) = *to else {
                phases.recoveries.push((by, Recovery { seconds: 0.0, is_cut_off: true }));
                reached = end;
                continue;
            };
            let recovered = usual.as_ref().and_then(|usual| usual.is_back(&tenths, begin, [over, limit]));
            let until = recovered.unwrap_or(limit);
            phases.add(over, until, PhaseState::Recovering { from: by.clone() });
            let seconds = until.since(over).as_secs_f64();
            phases.recoveries.push((by, Recovery { seconds, is_cut_off: recovered.is_none() }));
            reached = until;
        }
        phases.add(reached, end, PhaseState::Undisturbed);
        phases
    }

    fn add(&mut self, from: Offset, to: Offset, state: PhaseState) {
        if from < to {
            self.phases.push(Phase { from, to, state });
        }
    }

    /// Whether anything was done to servers.
    pub(super) fn are_disturbed(&self) -> bool {
        !self.recoveries.is_empty()
    }

    /// When that was first.
    pub(super) fn first_disturbance(&self) -> Option<Offset> {
        let mut disturbed =
            self.phases.iter().filter(|phase| matches!(phase.state, PhaseState::Disturbed { .. }));
        disturbed.next().map(|phase| phase.from)
    }

    /// What was the case between two instants: a disturbance if there was any, and else a recovery.
    pub(super) fn state(&self, [from, to]: [Offset; 2]) -> &PhaseState {
        let within = self.phases.iter().filter(|phase| phase.from < to && phase.to > from);
        within
            .map(|phase| &phase.state)
            .max_by_key(|state| state.weight())
            .unwrap_or(&PhaseState::Undisturbed)
    }

    /// What was the case at an instant.
    pub(super) fn at(&self, instant: Offset) -> &PhaseState {
        self.state([instant, instant + Duration::from_nanos(1)])
    }
}

impl PhaseState {
    fn weight(&self) -> u8 {
        match self {
            Self::Undisturbed => 0,
            Self::Recovering { .. } => 1,
            Self::Disturbed { .. } => 2,
        }
    }
}

/// Whether an authorization server that kept tokens in memory was killed.
pub(super) fn lose_tokens(trials: &Trials<'_>) -> bool {
    let in_memory = trials.subject.parts.get("store").is_some_and(|store| store.kind == MEMORY);
    let killed = trials.recordings.iter().flat_map(|recording| {
        let killed = recording.events.iter().filter(|event| matches!(event.what, Action::Kill(_)));
        killed
            .filter_map(Event::servers)
            .flat_map(|servers| &servers.nodes)
            .map(move |node| (*recording, *node))
    });
    let is_authorization_server = |(recording, node): (&Recording, u32)| {
        recording.nodes.get(node as usize).is_some_and(|node| node.role == Role::AuthorizationServer)
    };
    in_memory && killed.into_iter().any(is_authorization_server)
}

/// The kind of the store that forgets everything with its process.
const MEMORY: &str = "memory";

/// A time in which some servers were down, or hung. Those that overlap are one.
struct Disturbance {
    from: Offset,
    /// When all answered again; absent if they never did.
    to: Option<Offset>,
    /// When the last of those that have been started or resumed answered.
    answered: Option<Offset>,
    by: Vec<String>,
}

fn disturbances(events: &[Event], end: Offset) -> Vec<Disturbance> {
    let mut found: Vec<Disturbance> = Vec::new();
    let mut away: BTreeSet<u32> = BTreeSet::new();
    let mut done: Vec<&Event> = events
        .iter()
        // What a subject does not have cannot be taken from it.
        .filter(|event| event.servers().is_some_and(|servers| !servers.nodes.is_empty()))
        .filter(|event| event.began < end)
        .collect();
    done.sort_by_key(|event| event.began);
    for event in done {
        let (by, begins) = match &event.what {
            Action::Kill(servers) => (format!("{} down", servers.target), true),
            Action::Pause(servers) => (format!("{} hangs", servers.target), true),
            Action::Start(_) | Action::Resume(_) | Action::Revocation(_) => (String::new(), false),
        };
        let nodes = event.servers().into_iter().flat_map(|servers| &servers.nodes);
        if begins {
            let goes_on = !away.is_empty()
                || found.last().is_some_and(|last| last.to.is_none_or(|to| event.began < to));
            match found.last_mut().filter(|_| goes_on) {
                Some(last) => {
                    last.to = None;
                    if !last.by.contains(&by) {
                        last.by.push(by);
                    }
                }
                None => found.push(Disturbance { from: event.began, to: None, answered: None, by: vec![by] }),
            }
            away.extend(nodes);
        } else {
            nodes.for_each(|node| {
                away.remove(node);
            });
            let Some(last) = found.last_mut() else { continue };
            // Servers are started beside each other: the last to begin need not be the last to answer.
            last.answered = last.answered.max(event.ended);
            if away.is_empty() {
                last.to = event.ended.and(last.answered).filter(|answered| *answered < end);
            }
        }
    }
    found
}

/// How it was before the first disturbance.
struct Usual {
    /// Share of the requests with valid tokens that were not accepted.
    missing: f64,
    /// The most requests under way at the end of any tenth of a second.
    under_way: f64,
    /// Requests in a second.
    rate: f64,
}

/// A tenth of a second, in counts.
#[derive(Clone, Copy, Default)]
struct Tenth {
    valid: f64,
    missing: f64,
    due: f64,
    /// Requests that were due until its end and had not ended by then.
    under_way: f64,
}

impl Usual {
    fn before(tenths: &[Tenth], begin: Offset, first: Offset) -> Self {
        let before = tenth_of(begin, first);
        let tenths = &tenths[..before.min(tenths.len())];
        let sum = |of: fn(&Tenth) -> f64| tenths.iter().map(of).sum::<f64>();
        let valid = sum(|tenth| tenth.valid);
        Self {
            missing: if valid > 0.0 { sum(|tenth| tenth.missing) / valid } else { 0.0 },
            under_way: tenths.iter().map(|tenth| tenth.under_way).fold(0.0, f64::max),
            rate: sum(|tenth| tenth.due) / (tenths.len().max(1) as f64 * Slices::LENGTH.as_secs_f64()),
        }
    }

    /// When it was so again, after a disturbance was over and before a limit.
    fn is_back(&self, tenths: &[Tenth], begin: Offset, [over, limit]: [Offset; 2]) -> Option<Offset> {
        let last = tenth_of(begin, limit).min(tenths.len());
        let queue = self.under_way.max(FEW).max(QUEUE * self.rate);
        let is_usual = |first: &usize| {
            let Some(following) = tenths[..last].get(*first..first + STEADY) else { return false };
            let valid: f64 = following.iter().map(|tenth| tenth.valid).sum();
            let missing: f64 = following.iter().map(|tenth| tenth.missing).sum();
            let expected = valid * self.missing;
            valid > 0.0 && missing <= expected + CHANCE * expected.sqrt() && tenths[*first].under_way <= queue
        };
        let first = (tenth_of(begin, over)..last).find(is_usual)?;
        let first = u32::try_from(first).expect("a trial lasts less than a decade");
        // Before the tenth in which it was over nothing can have been as usual.
        Some((begin + Slices::LENGTH * first).max(over))
    }
}

/// How many tenths of a second have passed.
fn tenth_of(begin: Offset, instant: Offset) -> usize {
    let passed = instant.since(begin).as_nanos() / Slices::LENGTH.as_nanos();
    usize::try_from(passed).expect("a trial lasts less than 13 years, even on 32 bits")
}

/// Whether a token that is refused since it has expired was there to be used: its client refreshes, and could not.
pub(super) fn counts_expired(recording: &Recording) -> bool {
    recording.subject.design.refreshing.is_some()
}

/// Valid tokens of a second that were refused since they had expired. Its tenths do not have them.
pub(super) fn expired(second: &Second) -> u64 {
    second.outcomes.of(VALID).and_then(|valid| valid.errors.get(TOKEN_EXPIRED)).copied().unwrap_or(0)
}

fn tenths(load: &Load, counts_expired: bool) -> Vec<Tenth> {
    let mut under_way: f64 = 0.0;
    let mut tenths = Vec::new();
    for second in &load.seconds {
        let slices = second.slices.unwrap_or_default();
        let expired = if counts_expired { expired(second) as f64 / slices.valid.len() as f64 } else { 0.0 };
        for (index, valid) in slices.valid.iter().enumerate() {
            let [due, answered, errors, accepted] =
                [slices.due, slices.answered, slices.errors, slices.accepted].map(|of| f64::from(of[index]));
            // Answers to requests of the warm-up come in the first tenths.
            under_way = (under_way + due - answered - errors).max(0.0);
            let valid = f64::from(*valid) + expired;
            tenths.push(Tenth { valid, missing: (valid - accepted).max(0.0), due, under_way });
        }
    }
    tenths
}
