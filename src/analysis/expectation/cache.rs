//! How often a resource server that caches answers must ask.

use crate::analysis::expectation::{UNEVEN, Z99};
use crate::analysis::oracle::{misses, zipf};
use crate::analysis::trials::Trials;
use crate::observation::{Recording, Revocation, Workload};
use crate::units::Offset;

/// Expected calls per request, and how far a run may be from it.
///
/// Misses are at most as random as a Poisson count, so its 99 % interval is on the safe side.
pub(super) fn calls_per_request(trials: &Trials<'_>, ttl: f64) -> Option<(f64, f64)> {
    let (mut calls, mut requests) = (0.0, 0.0);
    for recording in trials.recordings.iter().filter(|recording| recording.load.is_some()) {
        let workload = &recording.workload;
        let probed = probe_calls(recording, ttl);
        calls += load_calls(workload, ttl) + probed.0;
        requests += workload.rate * workload.window_seconds + probed.1;
    }
    (requests > 0.0).then(|| (calls / requests, Z99 * calls.sqrt() / requests + UNEVEN))
}

/// Calls that the load of one trial causes within its measured window.
fn load_calls(workload: &Workload, ttl: f64) -> f64 {
    let gateways = f64::from(workload.resource_servers);
    let (begin, end) = (workload.warmup_seconds, workload.warmup_seconds + workload.window_seconds);
    let missed =
        |rate: f64| gateways * (misses(rate / gateways, ttl, end) - misses(rate / gateways, ttl, begin));
    let good = workload.rate * (1.0 - workload.bad_fraction);
    let live: f64 = zipf(workload.live_tokens, workload.zipf_exponent)
        .into_iter()
        .map(|(share, tokens)| tokens * missed(good * share))
        .sum();
    live + bad_calls(workload, missed)
}

/// Kinds of bad tokens that the authorization server calls active, since what is wrong with them only a resource
/// server can tell: they are meant for another one. Of `plan::workload::BAD_KINDS`.
const ACTIVE_KINDS: [&str; 1] = ["wrong audience"];

fn is_active(kind: &str) -> bool {
    ACTIVE_KINDS.contains(&kind)
}

/// An answer "not active" is not kept: every request with such a token is a call. That about an active token is
/// kept.
fn bad_calls(workload: &Workload, missed: impl Fn(f64) -> f64) -> f64 {
    let kinds = workload.bad_kinds.len() as f64;
    let each = workload.rate * workload.bad_fraction / kinds.max(1.0);
    let distinct = f64::from(workload.bad_tokens_per_kind);
    workload
        .bad_kinds
        .iter()
        .map(|kind| {
            if is_active(kind) { distinct * missed(each / distinct) } else { each * workload.window_seconds }
        })
        .sum()
}

/// Calls and requests of the probes within the measured window: an ideal cache is given the probes that
/// were sent.
fn probe_calls(recording: &Recording, ttl: f64) -> (f64, f64) {
    let begin = recording.workload.warmup_seconds;
    let window = begin..begin + recording.workload.window_seconds;
    let mut sum = (0.0, 0.0);
    for revocation in &recording.revocations {
        for server in 0..recording.workload.resource_servers {
            for (sent, is_call) in replay(revocation, server, ttl) {
                if window.contains(&sent) {
                    sum = (sum.0 + f64::from(u8::from(is_call)), sum.1 + 1.0);
                }
            }
        }
    }
    sum
}

/// When each probe was sent, and whether an ideal cache would have had to ask.
fn replay(revocation: &Revocation, server: u32, ttl: f64) -> impl Iterator<Item = (f64, bool)> {
    let revoked = revocation.acknowledged.map_or(f64::INFINITY, Offset::seconds);
    let mut fresh_until = f64::NEG_INFINITY;
    revocation.probes.iter().filter(move |probe| probe.resource_server == server).map(move |probe| {
        let sent = probe.sent.seconds();
        let is_call = sent >= fresh_until;
        if is_call && sent < revoked {
            fresh_until = (sent + ttl).min(revocation.expires_seconds);
        }
        (sent, is_call)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::BAD_KINDS;

    #[test]
    fn every_kind_that_is_said_to_be_active_exists() {
        for kind in ACTIVE_KINDS {
            assert!(BAD_KINDS.contains(&kind), "{kind}");
        }
    }
}
