//! What was done to the servers of a trial, with the probes of what was revoked, in the words of a recording.

use std::collections::HashMap;

use crate::load::{SentProbe, server_at};
use crate::observation::{Action, Event, Learned, Node, Probe, Revocation};
use crate::plan::Workload;
use crate::testbed::{Decision, Happened, HappenedAction, ToldOf};
use crate::units::{Offset, Stamp};

/// What a trial knows of its events.
pub(super) struct Known<'a> {
    pub(super) workload: &'a Workload,
    /// The beginning of the load.
    pub(super) start: Stamp,
    /// When each of the revoked tokens expires by itself.
    pub(super) expiries: &'a [Stamp],
    pub(super) nodes: &'a [Node],
    pub(super) happened: &'a [Happened],
    pub(super) sent: &'a [SentProbe],
    /// Those of each resource server.
    pub(super) decisions: &'a [Vec<Decision>],
}

/// Everything that was begun, in the order in which it was due.
pub(super) fn facts(known: &Known<'_>) -> Vec<Event> {
    let mut revocations = revocations(known);
    let event = |happened: &Happened| {
        let what = match &happened.what {
            HappenedAction::Intervened(action) => action.clone(),
            HappenedAction::Revoked(number) => {
                Action::Revocation(revocations.remove(number).expect("each token is revoked once"))
            }
        };
        Event {
            due: happened.due,
            began: happened.began.offset(known.start),
            ended: happened.ended.map(|stamp| stamp.offset(known.start)),
            what,
            failure: happened.failure.clone(),
        }
    };
    known.happened.iter().map(event).collect()
}

/// Why the trial is not what was planned, if something could not be done to servers. A revocation that fails is told of with the others.
pub(super) fn failure(happened: &[Happened], window_start: Offset) -> Option<String> {
    let failed = happened.iter().find_map(|event| match &event.what {
        HappenedAction::Intervened(action) => Some((event, action, event.failure.as_ref()?)),
        HappenedAction::Revoked(_) => None,
    });
    failed.map(|(event, action, failure)| {
        let what = match action {
            Action::Kill(servers) => format!("kill {}", servers.target),
            Action::Start(servers) => format!("start {}", servers.target),
            Action::Pause(servers) => format!("pause {}", servers.target),
            Action::Resume(servers) => format!("resume {}", servers.target),
            Action::Revocation(_) => "revoke".to_owned(),
        };
        let at = event.due.since(window_start).as_secs_f64();
        format!("the event `{what}` at {at} s could not be done: {failure}")
    })
}

/// The facts of every token under test whose revocation was begun, by its number.
fn revocations(known: &Known<'_>) -> HashMap<u32, Revocation> {
    let Known { workload, start, expiries, nodes, happened, sent, decisions } = *known;
    let decided: HashMap<u64, Decision> =
        decisions.iter().flatten().map(|decision| (decision.probe, *decision)).collect();
    let numbered = (0..).zip(nodes).filter(|(_, node)| node.role.enforces() && node.hop == 0);
    let enforcing: Vec<u32> = numbered.map(|(number, _)| number).collect();
    let unprobed = |number: u32| Revocation {
        expires_seconds: seconds_after(start, expiries[number as usize]),
        probed_until: workload.end(),
        probes: Vec::new(),
        undecided: 0,
    };
    let begun = happened.iter().filter_map(|event| match event.what {
        HappenedAction::Revoked(number) => Some((number, unprobed(number))),
        HappenedAction::Intervened(_) => None,
    });
    let mut revocations: HashMap<u32, Revocation> = begun.collect();
    let has_forgotten = forgetful(happened);
    for probe in sent {
        let Some(revocation) = revocations.get_mut(&probe.revocation) else { continue };
        let node = enforcing[server_at(probe.place, enforcing.len())];
        let (decided, accepted) = match decided.get(&probe.id) {
            Some(Decision { decided, accepted, .. }) => (Some(decided.offset(start)), *accepted),
            // What it decided before it was killed only its client knows.
            None if has_forgotten.contains(&node) => (None, probe.accepted),
            None => (None, None),
        };
        match accepted {
            Some(accepted) => {
                let (sent, answered) = (probe.sent, probe.answered);
                revocation.probes.push(Probe { node, sent, answered, decided, accepted });
            }
            None => revocation.undecided += 1,
        }
    }
    revocations
}

/// The nodes that were killed, and with them what they knew of their decisions.
fn forgetful(happened: &[Happened]) -> Vec<u32> {
    let killed = happened.iter().filter_map(|event| match &event.what {
        HappenedAction::Intervened(Action::Kill(servers)) => Some(&servers.nodes),
        _ => None,
    });
    killed.flatten().copied().collect()
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
