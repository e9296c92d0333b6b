//! How often a resource server that caches answers must ask, and how often a request waits for that.

use std::ops::{Add, Mul};

use crate::analysis::expectation::replaced::{as_replaced, of_replaced};
use crate::analysis::expectation::{UNEVEN, Z99};
use crate::analysis::oracle::{AskedAhead, misses, unsafe_acceptances};
use crate::analysis::population::Population;
use crate::analysis::trials::Trials;
use crate::design::{Caching, Design};
use crate::observation::{Event, Recording, Revocation, Workload};
use crate::units::Offset;

/// What is expected of each request, with how far a run may be from it.
pub(super) struct PerRequest {
    /// Questions to the authorization server.
    pub(super) calls: (f64, f64),
    /// Decisions that waited for one: all of them but for a cache that asks ahead.
    pub(super) misses: (f64, f64),
}

/// Calls to the authorization server in some time, and misses.
#[derive(Clone, Copy, Default)]
struct Tally {
    calls: f64,
    misses: f64,
}

/// Expected calls and misses per request. `None` if no closed form speaks of such a load.
///
/// Both are at most as random as a Poisson count, so its 99 % interval is on the safe side.
pub(super) fn per_request(trials: &Trials<'_>, caching: &Caching) -> Option<PerRequest> {
    let (mut sum, mut requests) = (Tally::default(), 0.0);
    for recording in trials.recordings.iter().filter(|recording| recording.load.is_some()) {
        let workload = &as_replaced(recording);
        let (caused, probes) = probe_calls(recording, caching);
        sum = sum + of_load(workload, caching)? + caused;
        requests += workload.rate * workload.window_seconds + probes;
    }
    let each = |count: f64| (count / requests, Z99 * count.sqrt() / requests + UNEVEN);
    (requests > 0.0).then(|| PerRequest { calls: each(sum.calls), misses: each(sum.misses) })
}

/// The part of the requests of the load that wait for a question in the measured window of this run, probes left out. `None` if no closed form
/// speaks of such a load.
pub(in crate::analysis) fn waits_per_request(workload: &Workload, caching: &Caching) -> Option<f64> {
    let requests = workload.rate * workload.window_seconds;
    Some(of_load(workload, caching)?.misses / requests).filter(|share| share.is_finite())
}

/// What a cache asks in the long run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::analysis) struct SteadyQuestions {
    /// Questions per second, of all resource servers.
    pub(in crate::analysis) per_second: f64,
    /// The part of the requests that wait for one.
    pub(in crate::analysis) waits_per_request: f64,
}

/// What a cache asks under this load, if it goes on: a token lives as long as the workload says, and the next one that comes as often takes its
/// place, which no cache knows. So each is asked about as from an empty cache on until the end of its life. `None` if no closed form speaks of
/// such a load.
pub(in crate::analysis) fn in_the_long_run(
    workload: &Workload,
    caching: &Caching,
) -> Option<SteadyQuestions> {
    let life = workload.token_lifetime_seconds;
    let population = Population::of(workload)?;
    let in_a_life = of_live(workload, &population, caching, life)? + of_bad(workload, caching, 0.0, life);
    let steady = SteadyQuestions {
        per_second: in_a_life.calls / life,
        waits_per_request: in_a_life.misses / life / workload.rate,
    };
    steady.waits_per_request.is_finite().then_some(steady)
}

/// The share of decisions in the measured window that a cache should give, told before the load: `revocations` are the
/// seconds after its beginning at which a token is revoked. `None` if no closed form speaks of such a load, or there is no cache.
pub fn expected_hit_ratio(workload: &Workload, revocations: &[f64], design: &Design) -> Option<f64> {
    let (caching, is_pushed) = (&design.cache()?, design.push_delay_seconds.is_some());
    let gateways = f64::from(workload.resource_servers);
    let probes = workload.probe_rate * workload.window_seconds * gateways * revocations.len() as f64;
    let waited =
        revocations.iter().map(|at| of_probes(workload, *at, caching, is_pushed).misses).sum::<f64>();
    let requests = workload.rate * workload.window_seconds + probes;
    Some(1.0 - (of_load(workload, caching)?.misses + gateways * waited) / requests)
}

/// How many instants stand for all at which tokens are asked about again: the closed forms are smooth in it.
const INSTANTS: u32 = 16;

/// What a cache asks ahead, for each of the instants that tokens may have, which are uniform over the first half of the time; one that asks
/// nothing ahead has none.
fn ahead(caching: &Caching) -> impl Iterator<Item = AskedAhead> {
    let most = caching.refresh_ahead_seconds;
    let lifetime = caching.cache_lifetime_seconds;
    most.into_iter().flat_map(move |most| {
        (0..INSTANTS).map(move |instant| {
            let ahead = most * (1.0 - (f64::from(instant) + 0.5) / f64::from(INSTANTS) / 2.0);
            AskedAhead { begins: lifetime - ahead, ahead }
        })
    })
}

/// The mean over those instants.
fn over_instants(caching: &Caching, of: impl Fn(AskedAhead) -> f64) -> f64 {
    ahead(caching).map(of).sum::<f64>() / f64::from(INSTANTS)
}

/// The calls of a token that comes at `rate` to one gateway, from an empty cache until `time` seconds later.
fn calls(rate: f64, time: f64, caching: &Caching) -> f64 {
    match caching.refresh_ahead_seconds {
        None => misses(rate, caching.cache_lifetime_seconds, time),
        Some(_) => over_instants(caching, |cache| cache.questions(rate, time)),
    }
}

/// Those of them that a request waits for: misses.
pub(super) fn waited_for(rate: f64, time: f64, caching: &Caching) -> f64 {
    match caching.refresh_ahead_seconds {
        None => misses(rate, caching.cache_lifetime_seconds, time),
        Some(_) => over_instants(caching, |cache| cache.misses(rate, time)),
    }
}

/// Both within the measured window.
fn of_token(rate: f64, begin: f64, end: f64, caching: &Caching) -> Tally {
    Tally {
        calls: calls(rate, end, caching) - calls(rate, begin, caching),
        misses: waited_for(rate, end, caching) - waited_for(rate, begin, caching),
    }
}

/// What probes of one token cause at one resource server within the measured window: those of a live token, and after its
/// revocation every probe that is not accepted from the cache, or refused from it. None is accepted if the revocation is pushed.
fn of_probes(workload: &Workload, revoked: f64, caching: &Caching, is_pushed: bool) -> Tally {
    let (rate, begin) = (workload.probe_rate, workload.warmup_seconds);
    let (accepted, asked_ahead) = if is_pushed {
        (0.0, 0.0)
    } else if caching.refresh_ahead_seconds.is_some() {
        let each =
            |of: fn((f64, f64)) -> f64| over_instants(caching, |cache| of(cache.unsafe_acceptances(rate)));
        (each(|both| both.0), each(|both| both.1))
    } else {
        (unsafe_acceptances(rate, caching.cache_lifetime_seconds), 0.0)
    };
    let known_for = begin + workload.window_seconds - revoked - accepted / rate;
    let refused = misses(rate, caching.negative_lifetime_seconds.unwrap_or(0.0), known_for.max(0.0));
    let after = Tally { calls: refused + asked_ahead, misses: refused };
    of_token(rate, begin, revoked, caching) + after
}

/// What the load of one trial causes within its measured window.
fn of_load(workload: &Workload, caching: &Caching) -> Option<Tally> {
    let (begin, end) = (workload.warmup_seconds, workload.warmup_seconds + workload.window_seconds);
    let live = Population::of(workload)?;
    let until = |time: f64| of_live(workload, &live, caching, time);
    Some(until(end)? + until(begin)? * -1.0 + of_bad(workload, caching, begin, end))
}

/// What live tokens cause from empty caches until `time` seconds later.
fn of_live(workload: &Workload, live: &Population, caching: &Caching, time: f64) -> Option<Tally> {
    match caching.refresh_ahead_seconds {
        _ if workload.churn_per_second > 0.0 => of_replaced(workload, live, caching, time).map(Tally::both),
        None => live.misses(caching.cache_lifetime_seconds, time).map(Tally::both),
        Some(_) => Some(Tally {
            calls: live.sum(time, |rate| calls(rate, time, caching))?,
            misses: live.sum(time, |rate| waited_for(rate, time, caching))?,
        }),
    }
}

/// That about an active token is kept. The answer that one is not active is kept only by a cache that has a lifetime for it: without,
/// every request with such a token is a call, but with one that cannot be read by a gateway that reads them first: that is decided by
/// itself.
fn of_bad(workload: &Workload, caching: &Caching, begin: f64, end: f64) -> Tally {
    let gateways = f64::from(workload.resource_servers);
    let distinct = f64::from(workload.bad_tokens_per_kind);
    let mut sum = Tally::default();
    for (bad, share) in workload.bad_shares() {
        let all = workload.rate * share;
        let rate = all / distinct / gateways;
        let kept = if bad.are_active {
            Some(*caching)
        } else {
            caching.negative_lifetime_seconds.map(|lifetime| Caching {
                cache_lifetime_seconds: lifetime,
                refresh_ahead_seconds: None,
                ..*caching
            })
        };
        let Tally { calls, misses } = match kept {
            Some(kept) => of_token(rate, begin, end, &kept) * (distinct * gateways),
            None => Tally::both(all * (end - begin)),
        };
        let unreadable = if caching.reads_first { f64::from(bad.unreadable) / distinct } else { 0.0 };
        sum = sum + Tally { calls: calls * (1.0 - unreadable), misses };
    }
    sum
}

/// What the probes of a trial cause within the measured window, and how many they are: an ideal cache is given the probes that were
/// sent. When one asks ahead depends on the token, so that only what is to be expected can be told of it.
fn probe_calls(recording: &Recording, caching: &Caching) -> (Tally, f64) {
    let (workload, is_pushed) = (&recording.workload, recording.subject.design.push_delay_seconds.is_some());
    let window = workload.warmup_seconds..workload.warmup_seconds + workload.window_seconds;
    let (mut sum, mut probes) = (Tally::default(), 0.0);
    for (event, revocation) in recording.revocations() {
        let revoked = event.ended.map_or(window.end, Offset::seconds);
        for node in recording.enforcement_points() {
            let replayed = replay((event, revocation), node, caching, is_pushed);
            let replayed = replayed.filter(|(sent, _)| window.contains(sent));
            let (mut sent, mut calls) = (0.0, 0.0);
            for (_, is_call) in replayed {
                sent += 1.0;
                calls += f64::from(u8::from(is_call));
            }
            probes += sent;
            sum = sum
                + if caching.refresh_ahead_seconds.is_some() {
                    of_probes(workload, revoked, caching, is_pushed)
                } else {
                    Tally::both(calls)
                };
        }
    }
    (sum, probes)
}

/// When each probe was sent, and whether an ideal cache that asks nothing ahead would have had to ask.
fn replay(
    (event, revocation): (&Event, &Revocation),
    node: u32,
    caching: &Caching,
    is_pushed: bool,
) -> impl Iterator<Item = (f64, bool)> {
    let revoked = event.ended.map_or(f64::INFINITY, Offset::seconds);
    let (ttl, negative) = (caching.cache_lifetime_seconds, caching.negative_lifetime_seconds.unwrap_or(0.0));
    let kept_until =
        if is_pushed { revocation.expires_seconds.min(revoked) } else { revocation.expires_seconds };
    let mut fresh_until = f64::NEG_INFINITY;
    revocation.probes.iter().filter(move |probe| probe.node == node).map(move |probe| {
        let sent = probe.sent.seconds();
        let is_call = sent >= fresh_until;
        if is_call {
            let is_active = sent < revoked;
            fresh_until = if is_active { (sent + ttl).min(kept_until) } else { sent + negative };
        }
        (sent, is_call)
    })
}

impl Tally {
    /// Every call is waited for.
    fn both(calls: f64) -> Self {
        Self { calls, misses: calls }
    }
}

impl Add for Tally {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { calls: self.calls + other.calls, misses: self.misses + other.misses }
    }
}

impl Mul<f64> for Tally {
    type Output = Self;

    fn mul(self, times: f64) -> Self {
        Self { calls: self.calls * times, misses: self.misses * times }
    }
}

#[cfg(test)]
mod tests;
