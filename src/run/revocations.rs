//! Brings together what was revoked when, what was sent when, and what was decided when.

use std::collections::HashMap;

use crate::load::SentProbe;
use crate::observation::{Action, Event, Learned, Node, Probe, Revocation};
use crate::plan::Workload;
use crate::testbed::{Decision, Revoked, ToldOf};
use crate::units::{Offset, Stamp};

/// What a trial knows of its revocations.
pub(super) struct Known<'a> {
    pub(super) workload: &'a Workload,
    /// The beginning of the load.
    pub(super) start: Stamp,
    /// When each of the revoked tokens expires by itself.
    pub(super) expiries: &'a [Stamp],
    pub(super) nodes: &'a [Node],
    pub(super) revoked: &'a [Revoked],
    pub(super) sent: &'a [SentProbe],
    /// Those of each resource server.
    pub(super) decisions: &'a [Vec<Decision>],
}

/// The facts of every revocation that was sent.
pub(super) fn facts(known: &Known<'_>) -> Vec<Event> {
    let Known { workload, start, expiries, nodes, revoked, sent, decisions } = *known;
    let decided: HashMap<u64, Decision> =
        decisions.iter().flatten().map(|decision| (decision.probe, *decision)).collect();
    let numbered = (0..).zip(nodes).filter(|(_, node)| node.role.enforces() && node.hop == 0);
    let enforcing: Vec<u32> = numbered.map(|(number, _)| number).collect();
    let unprobed = |expires: &Stamp| Revocation {
        expires_seconds: seconds_after(start, *expires),
        probed_until: workload.end(),
        probes: Vec::new(),
        undecided: 0,
    };
    let mut revocations: Vec<Revocation> = expiries.iter().take(revoked.len()).map(unprobed).collect();
    for probe in sent {
        let Some(revocation) = revocations.get_mut(probe.revocation as usize) else { continue };
        match decided.get(&probe.id) {
            Some(Decision { decided, accepted: Some(accepted), .. }) => revocation.probes.push(Probe {
                node: enforcing[probe.resource_server as usize],
                sent: probe.sent,
                answered: probe.answered,
                decided: Some(decided.offset(start)),
                accepted: *accepted,
            }),
            Some(Decision { accepted: None, .. }) | None => revocation.undecided += 1,
        }
    }
    let event = |((revoked, due), revocation): ((&Revoked, &Offset), Revocation)| Event {
        due: *due,
        began: revoked.sent.offset(start),
        ended: revoked.acknowledged.map(|stamp| stamp.offset(start)),
        what: Action::Revocation(revocation),
        failure: revoked.failure.clone(),
    };
    revoked.iter().zip(&workload.revocations).zip(revocations).map(event).collect()
}

/// What nodes were told of the tokens of these events, those of revocations in the order of their tokens.
pub(super) fn learned(start: Stamp, told: &[ToldOf], events: &[Event]) -> Vec<Learned> {
    let numbered = (0..).zip(events).filter(|(_, event)| event.revocation().is_some());
    let numbers: Vec<u32> = numbered.map(|(number, _)| number).collect();
    let of = |told: &ToldOf| {
        let event = *numbers.get(usize::try_from(told.token).ok()?)?;
        Some(Learned { node: told.node, event, at: told.at.offset(start) })
    };
    told.iter().filter_map(of).collect()
}

/// Also of an instant before it.
fn seconds_after(start: Stamp, instant: Stamp) -> f64 {
    instant.offset(start).seconds() - start.offset(instant).seconds()
}
