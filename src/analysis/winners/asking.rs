//! By which setting a design keeps a limit on revocations, and how often it asks then.

use crate::analysis::expectation::{FETCH, SteadyQuestions};
use crate::design::{Asks, Caching, Design, Refreshing};
use crate::observation::Workload;

/// Round trips until a channel is open again and up to date: a connection, the stream, the snapshot.
const RECONNECT_ROUND_TRIPS: f64 = 3.0;
/// A channel is told so often that everything was said, within the time after which it counts as broken.
const HEARTBEATS: f64 = 3.0;
/// A channel that is silent for so long at the least may count as broken, in seconds.
const LEAST_SILENCE: f64 = 0.03;
/// So long before its end a token is refreshed at the least, in seconds: its date is a whole second.
const LEAST_MARGIN: f64 = 2.0;
/// A token is refreshed earlier than that by this part of it at the most.
const EARLIER: f64 = 0.25;

/// How often a design asks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct AskingRate {
    /// The part of the requests that wait for a question before they are decided on.
    pub(super) waits_per_request: f64,
    /// The part that is asked about behind the gateway.
    pub(super) waits_behind: f64,
    /// Questions, fetches, refreshes and heartbeats per second, of all servers.
    pub(super) calls_per_second: f64,
}

/// How answers are kept by a design that keeps some, so that it knows of a revocation within `limit` seconds, with a round trip of so many: with
/// that lifetime, and asked for ahead by the same part of it as in the run. If revocations are pushed to it in time, an answer may be
/// kept for longer. `None` for other designs, and if nothing may be kept.
pub(super) fn caching_within(design: &Design, limit: f64, round_trip: f64) -> Option<Caching> {
    let caching = design.cache().filter(|_| limit > 0.0)?;
    let measured = caching.cache_lifetime_seconds;
    let is_pushed = design.push_delay_seconds.is_some() && silence(limit, round_trip).is_some();
    let lifetime = if is_pushed { limit.max(measured) } else { limit };
    let ahead = caching.refresh_ahead_seconds.map(|ahead| ahead / measured * lifetime);
    Some(Caching { cache_lifetime_seconds: lifetime, refresh_ahead_seconds: ahead, ..caching })
}

/// After how much silence a channel must count as broken, so that revocations are known within `limit` all the same.
fn silence(limit: f64, round_trip: f64) -> Option<f64> {
    let silence = limit - FETCH - RECONNECT_ROUND_TRIPS * round_trip;
    (silence >= LEAST_SILENCE).then_some(silence)
}

impl AskingRate {
    /// Of a design that knows of every revocation within `limit` seconds, with a round trip of so many. `questions` are those of its cache, kept as
    /// [`caching_within`] says. `None` if it cannot keep the limit by any setting.
    pub(super) fn within(
        design: &Design,
        workload: &Workload,
        limit: f64,
        round_trip: f64,
        questions: Option<SteadyQuestions>,
    ) -> Option<Self> {
        let servers = f64::from(workload.resource_servers);
        let good = 1.0 - workload.bad_fraction;
        let waits_behind = design.asked_behind.map_or(0.0, |part| part * good);
        let pushed = design.push_delay_seconds.and_then(|_| silence(limit, round_trip));
        let heartbeats = pushed.map_or(0.0, |silence| HEARTBEATS * servers / silence);
        let (waits_per_request, calls_per_second) = match design.asks {
            Asks::Unknown => return None,
            Asks::EveryRequest => (1.0, workload.rate),
            Asks::OnMiss(_) => {
                let questions = questions?;
                (questions.waits_per_request, questions.per_second + heartbeats)
            }
            Asks::EveryPeriod { .. } => {
                // What is polled for has to be fetched within the limit too.
                let interval = limit - FETCH - round_trip;
                (0.0, if interval > 0.0 { servers / interval } else { return None })
            }
            Asks::Never if pushed.is_some() => (0.0, heartbeats),
            Asks::Never => (0.0, until_expiry(design, workload, limit, round_trip)?),
        };
        let calls_per_second = calls_per_second + waits_behind * workload.rate;
        Some(Self { waits_per_request, waits_behind, calls_per_second })
    }
}

/// Refreshes per second of a design by which a token works until it expires; `None` if that is later than the limit.
fn until_expiry(design: &Design, workload: &Workload, limit: f64, round_trip: f64) -> Option<f64> {
    let Some(Refreshing { token_life_seconds, refresh_margin_seconds }) = design.refreshing else {
        return (workload.token_lifetime_seconds + design.leeway_seconds <= limit).then_some(0.0);
    };
    // Dates are whole seconds.
    let life = (limit - design.leeway_seconds).floor().min(workload.token_lifetime_seconds);
    let margin = (refresh_margin_seconds / token_life_seconds * life).max(LEAST_MARGIN);
    let is_in_time = margin * (1.0 + EARLIER) < life && round_trip < margin / 4.0;
    is_in_time.then(|| workload.live_tokens as f64 / (life - margin))
}
