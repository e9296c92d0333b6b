//! How long a revoked token is still accepted, at each enforcement point.
//!
//! R is the time from the acknowledgement of the revocation to the last unsafe acceptance (0 if there was
//! none); the refusal after it came a gap g later, so the truth lies in [R, R + g]. Without such a refusal
//! nothing bounds it from above. Where servers take turns of which some ask, one refusal is not the end: g reaches to the
//! one by which those that accept would have had their turn.

use std::collections::BTreeMap;

use crate::analysis::sparse::rank;
use crate::analysis::trials::Trials;
use crate::analysis::{Basis, Estimate};
use crate::metric::MetricId;
use crate::observation::{Event, Probe, Revocation};
use crate::units::Offset;

/// One revocation as seen at one resource server.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Observation {
    /// Which repetition, from 0.
    pub repetition: u32,
    /// Which revocation of the trial, from 0.
    pub revocation: usize,
    /// Which node of the recording, from 0.
    pub node: u32,
    /// R: seconds from the acknowledgement to the last unsafe acceptance, 0 if there was none.
    pub last_acceptance: f64,
    /// g: seconds from there to the refusal after it that shows that nobody accepts any more; absent if none was seen before probing ended.
    pub gap: Option<f64>,
    /// Seconds from the acknowledgement to the end of probing.
    pub probed_for: f64,
    /// Seconds from the acknowledgement to the token's own expiry.
    pub expires_after: f64,
    /// Probes that were accepted although sent after the acknowledgement.
    pub unsafe_acceptances: u64,
    /// Probes that were accepted after the acknowledgement but sent before it.
    pub in_flight: u64,
    /// Seconds of the last unsafe acceptance from being sent to its decision; 0 if there was none.
    pub last_flight: f64,
}

/// What the probes of a subject found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Propagation {
    /// Every revocation at every resource server that was asked after the acknowledgement.
    pub observations: Vec<Observation>,
    /// Probes refused although the token was live and its revocation had not even been sent.
    pub false_refusals: u64,
    /// Revocations that the authorization server never confirmed.
    pub not_acknowledged: u64,
    /// Why, as far as it was recorded, and how often.
    pub failures: BTreeMap<String, u64>,
}

impl Propagation {
    /// Reads the probes of every trial of a subject.
    pub(super) fn of(trials: &Trials<'_>) -> Self {
        let mut propagation = Self::default();
        let conclusive = conclusive_refusals(trials.subject.design.asked_behind);
        for recording in &trials.recordings {
            for (index, (event, revocation)) in recording.revocations().enumerate() {
                propagation.not_acknowledged += u64::from(event.ended.is_none());
                if let Some(reason) = &event.failure {
                    *propagation.failures.entry(reason.clone()).or_default() += 1;
                }
                propagation.false_refusals += false_refusals(event, revocation);
                propagation.observations.extend(recording.enforcement_points().filter_map(|node| {
                    observe(recording.repetition, index, (event, revocation), node, conclusive)
                }));
            }
        }
        propagation
    }

    /// Observations that saw no refusal behind which nobody accepts any more, until probing ended.
    pub fn unbounded(&self) -> usize {
        self.observations.iter().filter(|observation| observation.gap.is_none()).count()
    }

    /// Probes accepted although sent after the acknowledgement.
    pub fn unsafe_acceptances(&self) -> u64 {
        self.observations.iter().map(|observation| observation.unsafe_acceptances).sum()
    }

    /// The metrics; none of them if no revocation was observed.
    pub(super) fn estimates(&self) -> BTreeMap<MetricId, Estimate> {
        if self.observations.is_empty() {
            return BTreeMap::new();
        }
        let in_flight: u64 = self.observations.iter().map(|observation| observation.in_flight).sum();
        BTreeMap::from([
            (MetricId::PropagationP50, self.quantile(0.5)),
            (MetricId::PropagationP95, self.quantile(0.95)),
            (MetricId::PropagationMax, self.quantile(1.0)),
            (MetricId::UnsafeAcceptances, Estimate::counted(self.unsafe_acceptances() as f64)),
            (MetricId::InFlightAcceptances, Estimate::counted(in_flight as f64)),
            (MetricId::FalseRefusals, Estimate::counted(self.false_refusals as f64)),
        ])
    }

    /// The quantile of R, between those of the lower and of the upper ends.
    fn quantile(&self, q: f64) -> Estimate {
        let end = |of: fn(&Observation) -> f64| {
            let mut ends: Vec<f64> = self.observations.iter().map(of).collect();
            ends.sort_unstable_by(f64::total_cmp);
            let index = rank(q, ends.len() as u64) - 1;
            ends[usize::try_from(index).expect("a rank is at most the count")]
        };
        let low = end(|observation| observation.last_acceptance);
        let high = end(|observation| observation.upper().unwrap_or(f64::INFINITY));
        let high = high.is_finite().then_some(high);
        Estimate::between(low, low, high, Basis::ProbeGap)
    }
}

impl Observation {
    /// R + g, if a refusal was seen.
    pub fn upper(&self) -> Option<f64> {
        Some(self.last_acceptance + self.gap?)
    }
}

/// So likely it may be at most that refusals that are taken for the end all came from those who ask.
const BY_CHANCE: f64 = 0.005;

/// How many refusals in a row show that a token is accepted no more, where this part of the requests is asked about behind a server that
/// would accept them all.
fn conclusive_refusals(asked_behind: Option<f64>) -> usize {
    let mut refusals = 1;
    if let Some(part) = asked_behind.filter(|part| *part < 1.0) {
        let mut chance = part;
        while chance >= BY_CHANCE {
            (refusals, chance) = (refusals + 1, chance * part);
        }
    }
    refusals
}

fn observe(
    repetition: u32,
    index: usize,
    (event, revocation): (&Event, &Revocation),
    node: u32,
    conclusive: usize,
) -> Option<Observation> {
    let acknowledged = event.ended?;
    let probes = || revocation.probes.iter().filter(|probe| probe.node == node);
    // A server that was not asked afterwards was not observed.
    probes().find(|probe| probe.sent > acknowledged)?;
    let is_unsafe = |probe: &&Probe| probe.accepted && probe.sent > acknowledged;
    let last_unsafe = probes().filter(is_unsafe).max_by_key(|probe| probe.decided());
    let last = last_unsafe.map_or(acknowledged, Probe::decided);
    let refused = probes().filter(|probe| !probe.accepted && probe.decided() >= last);
    let mut refused: Vec<Offset> = refused.map(Probe::decided).collect();
    refused.sort_unstable();
    let gap = refused.get(conclusive - 1).map(|decided| decided.since(last).as_secs_f64());
    let in_flight =
        |probe: &&Probe| probe.accepted && probe.sent <= acknowledged && probe.decided() > acknowledged;
    Some(Observation {
        repetition,
        revocation: index,
        node,
        last_acceptance: last.since(acknowledged).as_secs_f64(),
        gap,
        probed_for: revocation.probed_until.since(acknowledged).as_secs_f64(),
        expires_after: revocation.expires_seconds - acknowledged.seconds(),
        unsafe_acceptances: probes().filter(is_unsafe).count() as u64,
        in_flight: probes().filter(in_flight).count() as u64,
        last_flight: last_unsafe.map_or(0.0, |probe| probe.decided().since(probe.sent).as_secs_f64()),
    })
}

fn false_refusals(event: &Event, revocation: &Revocation) -> u64 {
    let is_false = |probe: &&Probe| {
        !probe.accepted
            && probe.decided() < event.began
            && probe.decided().seconds() < revocation.expires_seconds
    };
    revocation.probes.iter().filter(is_false).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::synthetic;
    use crate::observation::Action;

    /// A probe of the first resource server, which is the third node: sent and decided in milliseconds.
    fn probe(sent: u64, decided: u64, accepted: bool) -> Probe {
        let at = |millis: u64| Offset::from_nanos(millis * 1_000_000);
        Probe { node: 2, sent: at(sent), answered: None, decided: Some(at(decided)), accepted }
    }

    /// A revocation sent at 990 ms and acknowledged at 1,000 ms, probed until 5,000 ms.
    fn observed(probes: Vec<Probe>) -> Propagation {
        observed_behind(None, probes)
    }

    /// The same, where servers behind a gateway ask about a part of the requests.
    fn observed_behind(asked_behind: Option<f64>, probes: Vec<Probe>) -> Propagation {
        let at = |millis: u64| Offset::from_nanos(millis * 1_000_000);
        let revocation = Revocation { expires_seconds: 300.0, probed_until: at(5_000), probes, undecided: 0 };
        let event = Event {
            due: at(985),
            began: at(990),
            ended: Some(at(1_000)),
            what: Action::Revocation(revocation),
            failure: None,
        };
        let mut recording = synthetic::recording(0);
        recording.subject.design.asked_behind = asked_behind;
        recording.events = vec![event];
        let recordings = [recording];
        Propagation::of(&Trials::group(&recordings.each_ref())[0])
    }

    #[test]
    fn the_last_unsafe_acceptance_and_the_refusal_after_it_enclose_the_truth() {
        let found = observed(vec![
            probe(400, 901, true),
            probe(1_100, 1_101, true),
            probe(2_000, 2_250, true),
            probe(2_400, 2_500, false),
            probe(3_000, 3_001, false),
        ]);
        let [observation] = found.observations[..] else { panic!("{found:?}") };
        assert_eq!((observation.last_acceptance, observation.gap), (1.25, Some(0.25)));
        assert_eq!((observation.unsafe_acceptances, observation.in_flight), (2, 0));
        assert!((observation.last_flight - 0.25).abs() < 1e-9, "its own, not that of a slower probe");
        let longest = found.estimates()[&MetricId::PropagationMax];
        assert_eq!((longest.point, longest.low, longest.high), (1.25, 1.25, Some(1.5)));
    }

    #[test]
    fn a_probe_sent_before_and_decided_after_the_acknowledgement_is_in_flight() {
        let found = observed(vec![probe(995, 1_020, true), probe(1_200, 1_201, false)]);
        let [observation] = found.observations[..] else { panic!("{found:?}") };
        assert_eq!((observation.unsafe_acceptances, observation.in_flight), (0, 1));
        assert_eq!((observation.last_acceptance, observation.gap), (0.0, Some(0.201)));
    }

    #[test]
    fn a_token_that_nobody_refused_is_not_bounded_from_above() {
        let found = observed(vec![probe(1_100, 1_101, true), probe(4_900, 4_901, true)]);
        let longest = found.estimates()[&MetricId::PropagationMax];
        assert_eq!((longest.point, longest.high), (3.901, None));
        assert_eq!(found.unbounded(), 1);
        assert!((found.observations[0].probed_for - 4.0).abs() < 1e-9);
    }

    #[test]
    fn a_refusal_before_the_last_acceptance_bounds_nothing() {
        let found = observed(vec![probe(1_100, 1_101, false), probe(1_200, 1_201, true)]);
        assert_eq!(found.observations[0].gap, None);
    }

    #[test]
    fn where_servers_take_turns_of_which_one_asks_a_single_refusal_is_not_the_end() {
        let refusals =
            |count: u64| (1..=count).map(|number| probe(1_100 + 10 * number, 1_105 + 10 * number, false));
        let observed = |part, count| {
            let probes = [probe(1_090, 1_100, true)].into_iter().chain(refusals(count)).collect();
            observed_behind(Some(part), probes).observations[0].gap.map(|gap| (gap * 1e3).round())
        };
        assert_eq!(observed(0.5, 7), None, "one of 128 times all were turns of the one that asks");
        assert_eq!([observed(0.5, 8), observed(0.5, 20)], [Some(85.0); 2]);
        assert_eq!(observed(0.05, 3), Some(25.0));
        assert_eq!(observed(1.0, 3), Some(15.0), "nobody accepts without asking");
    }

    #[test]
    fn a_server_that_was_not_asked_afterwards_is_not_observed() {
        let found = observed(vec![probe(900, 901, true)]);
        assert!(found.observations.is_empty() && found.estimates().is_empty());
    }

    #[test]
    fn a_refusal_before_the_revocation_was_sent_is_false() {
        let found =
            observed(vec![probe(500, 501, false), probe(989, 991, false), probe(1_200, 1_201, false)]);
        assert_eq!(found.false_refusals, 1);
    }
}
