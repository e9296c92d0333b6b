//! What was measured in each phase of a subject.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use crate::analysis::followed::{FollowedSeconds, From, Reach};
use crate::analysis::latency::few_samples;
use crate::analysis::phases::{PhaseState, Phases, counts_expired, expired};
use crate::analysis::trials::Trials;
use crate::analysis::{Basis, Estimate, usage};
use crate::metric::MetricId;
use crate::observation::{Recording, Second, Slices, VALID};
use crate::units::Offset;

/// A phase of a subject, over all of its trials.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PhaseFigures {
    /// What was the case.
    #[serde(flatten)]
    pub state: PhaseState,
    /// How long it lasted in all trials together.
    pub seconds: f64,
    /// Requests with a valid token that were due in it.
    pub requests: u64,
    /// The share of them that was accepted, at whatever time; absent if there were none.
    pub availability: Option<f64>,
    /// What became of the others, by count, of the seconds that the phase touched. "refused" are those that were told that their token is bad.
    pub failures: BTreeMap<String, u64>,
    /// Probes that were sent in it with a token that was revoked by then, and accepted.
    pub unsafe_acceptances: u64,
    /// The 99th percentile of the latency in seconds, of the requests that were answered, over the seconds that the phase touched.
    pub p99: Option<f64>,
    /// True if fewer than 100 requests lie beyond it.
    pub few_samples: bool,
    /// Calls to the authorization server for each request, in the second of these seconds that had the most; absent without requests.
    pub busiest_calls_per_request: Option<f64>,
    /// How long it took afterwards until all was as before; absent for what is no disturbance.
    pub recovery: Option<Recovery>,
}

/// The longest time that it took to recover from a disturbance.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Recovery {
    /// In seconds.
    pub seconds: f64,
    /// True if the measured time, or the next disturbance, came first: it would have taken longer.
    pub is_cut_off: bool,
}

/// Everything that is summed up over trials before it is told.
#[derive(Default)]
struct Sums<'a> {
    seconds: f64,
    valid: u64,
    accepted: u64,
    failures: BTreeMap<String, u64>,
    unsafe_acceptances: u64,
    touched: Vec<&'a Second>,
    busiest: Option<f64>,
    recovery: Option<Recovery>,
}

/// The phases of a subject: undisturbed ones together, then each disturbance and what followed it. None if nothing was done to its servers.
pub(in crate::analysis) fn figures(trials: &Trials<'_>) -> Vec<PhaseFigures> {
    let mut found: Vec<(PhaseState, Sums<'_>)> = Vec::new();
    for recording in &trials.recordings {
        let phases = Phases::of(recording);
        if phases.are_disturbed() {
            add(&mut found, recording, &phases);
        }
    }
    found.into_iter().map(|(state, sums)| sums.told(state)).collect()
}

/// The figures of what was done to servers; none if nothing was.
pub(in crate::analysis) fn estimates(phases: &[PhaseFigures]) -> BTreeMap<MetricId, Estimate> {
    let disturbed = || phases.iter().filter(|phase| matches!(phase.state, PhaseState::Disturbed { .. }));
    let mut estimates = BTreeMap::new();
    if disturbed().next().is_none() {
        return estimates;
    }
    let requests: u64 = disturbed().map(|phase| phase.requests).sum();
    let accepted: f64 =
        disturbed().map(|phase| phase.availability.unwrap_or(0.0) * phase.requests as f64).sum();
    if requests > 0 {
        let share = Estimate::counted(accepted / requests as f64);
        estimates.insert(MetricId::AvailabilityDisturbed, share);
    }
    let accepted: u64 = disturbed().map(|phase| phase.unsafe_acceptances).sum();
    estimates.insert(MetricId::UnsafeDisturbed, Estimate::counted(accepted as f64));
    let recoveries = || disturbed().filter_map(|phase| phase.recovery);
    let longest = recoveries().map(|recovery| recovery.seconds).fold(0.0, f64::max);
    let is_bounded = !recoveries().any(|recovery| recovery.is_cut_off);
    let high = is_bounded.then_some(longest);
    estimates.insert(MetricId::Recovery, Estimate::between(longest, longest, high, Basis::Counted));
    estimates
}

fn add<'a>(found: &mut Vec<(PhaseState, Sums<'a>)>, recording: &'a Recording, phases: &Phases) {
    for phase in &phases.phases {
        sums(found, &phase.state).seconds += phase.to.since(phase.from).as_secs_f64();
    }
    for (by, recovery) in &phases.recoveries {
        let disturbed = sums(found, &PhaseState::Disturbed { by: by.clone() });
        let before = disturbed.recovery.unwrap_or(Recovery { seconds: 0.0, is_cut_off: false });
        disturbed.recovery = Some(Recovery {
            seconds: before.seconds.max(recovery.seconds),
            is_cut_off: before.is_cut_off || recovery.is_cut_off,
        });
    }
    let begin = Offset::from(Duration::from_secs_f64(recording.workload.warmup_seconds));
    let seconds = recording.load.iter().flat_map(|load| &load.seconds);
    for (number, second) in (0_u32..).zip(seconds) {
        let from = begin + Duration::from_secs(number.into());
        let state = phases.state([from, from + Duration::from_secs(1)]);
        sums(found, state).touch(second, if counts_expired(recording) { expired(second) } else { 0 });
        let Some(slices) = second.slices else { continue };
        for (tenth, (valid, accepted)) in (0..).zip(slices.valid.iter().zip(slices.accepted)) {
            let from = from + Slices::LENGTH * tenth;
            let sums = sums(found, phases.state([from, from + Slices::LENGTH]));
            sums.valid += u64::from(*valid);
            sums.accepted += u64::from(accepted);
        }
    }
    for (event, revocation) in recording.revocations() {
        let Some(acknowledged) = event.ended else { continue };
        for probe in revocation.probes.iter().filter(|probe| probe.accepted && probe.sent > acknowledged) {
            sums(found, phases.at(probe.sent)).unsafe_acceptances += 1;
        }
    }
    for step in usage::steps(&recording.nodes) {
        if let Some(calls) = step.calls_per_request() {
            let sums = sums(found, phases.state(step.between));
            sums.busiest = Some(sums.busiest.map_or(calls, |before| before.max(calls)));
        }
    }
}

/// What is known of a phase until now. It is put behind the others if it is new.
fn sums<'f, 'a>(found: &'f mut Vec<(PhaseState, Sums<'a>)>, state: &PhaseState) -> &'f mut Sums<'a> {
    let known = found.iter().position(|(known, _)| known == state);
    let index = known.unwrap_or_else(|| {
        found.push((state.clone(), Sums::default()));
        found.len() - 1
    });
    &mut found[index].1
}

impl<'a> Sums<'a> {
    /// `expired`: requests whose clients could not refresh.
    fn touch(&mut self, second: &'a Second, expired: u64) {
        self.valid += expired;
        self.touched.push(second);
        let Some(valid) = second.outcomes.of(VALID) else { return };
        let refused = (valid.refused > 0).then_some(("refused", valid.refused));
        let errors = valid.errors.iter().map(|(kind, count)| (kind.as_str(), *count));
        for (kind, count) in errors.chain(refused) {
            *self.failures.entry(kind.to_owned()).or_default() += count;
        }
    }

    fn told(self, state: PhaseState) -> PhaseFigures {
        let followed = FollowedSeconds::of(&self.touched, From::Due);
        let p99 = followed.whole(0.99).map(Reach::seconds);
        PhaseFigures {
            seconds: self.seconds,
            requests: self.valid,
            availability: (self.valid > 0).then(|| self.accepted as f64 / self.valid as f64),
            failures: self.failures,
            unsafe_acceptances: self.unsafe_acceptances,
            p99,
            few_samples: p99.is_some() && few_samples(followed.count(), 0.99),
            busiest_calls_per_request: self.busiest,
            recovery: self.recovery,
            state,
        }
    }
}
