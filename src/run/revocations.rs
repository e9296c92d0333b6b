//! Brings together what was revoked when, what was sent when, and what was decided when.

use std::collections::HashMap;
use std::time::Duration;

use crate::load::SentProbe;
use crate::observation::{Probe, Revocation};
use crate::plan::Workload;
use crate::testbed::{Decision, Issued, Revoked};
use crate::units::Stamp;

/// The facts of every revocation that was sent. `start` is the beginning of the load, `watched` tells when
/// the revoked tokens were issued, `decisions` are those of each resource server.
pub(super) fn facts(
    workload: &Workload,
    lifetime: Duration,
    start: Stamp,
    watched: Issued,
    revoked: &[Revoked],
    sent: &[SentProbe],
    decisions: &[Vec<Decision>],
) -> Vec<Revocation> {
    let decided: HashMap<u64, Decision> =
        decisions.iter().flatten().map(|decision| (decision.probe, *decision)).collect();
    let mut revocations: Vec<Revocation> = revoked
        .iter()
        .zip(&workload.revocations)
        .map(|(revoked, due)| Revocation {
            due: *due,
            sent: revoked.sent.offset(start),
            acknowledged: revoked.acknowledged.map(|stamp| stamp.offset(start)),
            expires_seconds: watched.expiry(lifetime, start),
            probed_until: workload.end(),
            probes: Vec::new(),
            undecided: 0,
        })
        .collect();
    for probe in sent {
        let Some(revocation) = revocations.get_mut(probe.revocation as usize) else { continue };
        match decided.get(&probe.id) {
            Some(Decision { decided, accepted: Some(accepted), .. }) => revocation.probes.push(Probe {
                resource_server: probe.resource_server,
                sent: probe.sent,
                decided: decided.offset(start),
                accepted: *accepted,
            }),
            Some(Decision { accepted: None, .. }) | None => revocation.undecided += 1,
        }
    }
    revocations
}
