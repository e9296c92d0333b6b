//! What the closed forms expect of a recording, beside what was measured.

mod cache;
mod popularity;
mod probes;
mod refreshes;
mod replaced;

use serde::Serialize;

use crate::analysis::propagation::Propagation;
use crate::analysis::trials::Trials;
use crate::analysis::{Estimate, Observation, usage};
use crate::design::{Asks, Checks, Design};
use crate::metric::MetricId;

pub use cache::expected_hit_ratio;
pub(super) use cache::{SteadyQuestions, in_the_long_run, waits_per_request};
pub use popularity::PopularityTenth;
pub(super) use popularity::tenths;
pub(super) use replaced::as_replaced;

/// Quantile of the standard normal for the 99 % sampling interval.
const Z99: f64 = 2.576;
/// Counters of two processes are not read in the same instant: at most this much of a ratio.
const UNEVEN: f64 = 0.005;
/// A decision may be stamped this much after the cache was asked for it, in seconds.
const STAMP: f64 = 0.005;
/// A list of revoked tokens may take that long to be fetched, or a channel to be opened again, in seconds: on one machine it takes milliseconds.
pub(super) const FETCH: f64 = 0.1;
/// The date in a token is a whole second (RFC 7519), its expiry in a recording is not.
const WHOLE_SECOND: f64 = 1.0;

/// A closed form beside a measurement.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Check {
    /// What is compared, in words.
    pub quantity: &'static str,
    /// The metric whose unit the values have.
    pub metric: MetricId,
    /// What was expected.
    pub expected: Expected,
    /// What was measured.
    pub measured: f64,
    /// Whether they fit.
    pub agreement: Agreement,
    /// Where the expectation comes from, in words.
    pub because: &'static str,
}

/// What a closed form says.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Expected {
    /// A value, and the interval in which 99 % of such runs lie.
    Value {
        /// The expected value.
        point: f64,
        /// Lower end.
        low: f64,
        /// Upper end.
        high: f64,
    },
    /// At most that.
    AtMost(f64),
    /// Anything: nothing bounds it.
    Unbounded,
}

/// Whether a measurement fits what was expected of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Agreement {
    /// Within the sampling interval.
    Agrees,
    /// Outside of it.
    Disagrees,
    /// Not above the bound, as far as the probes can tell.
    Within,
    /// Still accepted when probing ended, which was before the bound: not contradicted, not shown either.
    Unfinished,
    /// Above the bound, by more than the flight of the last accepted request.
    Exceeds,
    /// There is no bound to hold it against.
    Unbounded,
}

impl Agreement {
    /// True if theory and measurement contradict each other.
    pub fn is_contradiction(self) -> bool {
        matches!(self, Self::Disagrees | Self::Exceeds)
    }
}

/// Every check that the architecture of a subject allows; none for a load that was cut short. `tenths`: those of its tokens.
pub(super) fn checks(
    trials: &Trials<'_>,
    tenths: &[PopularityTenth],
    measured: impl Fn(MetricId) -> Option<Estimate>,
) -> Vec<Check> {
    // The closed forms are about the whole window.
    if trials.loads().any(|load| load.cut_short) {
        return Vec::new();
    }
    let mut checks = calls(trials, &measured);
    checks.extend(popularity::check(tenths));
    checks.extend(refreshes::check(trials, &measured));
    // Each trial by what happened in it: an outage in one excuses nothing in the others.
    let (stale, usual) = trials.recordings.iter().partition(|recording| usage::had_stale_answers(recording));
    for (recordings, had_stale_answers) in [(usual, false), (stale, true)] {
        let trials = trials.only(recordings);
        let propagation = Propagation::of(&trials);
        if propagation.observations.is_empty() {
            continue;
        }
        if !had_stale_answers {
            checks.extend(unsafe_acceptances(&trials, &propagation));
        }
        checks.push(bound(&trials.subject.design, &propagation, had_stale_answers));
    }
    checks
}

/// How often the authorization server is asked, and what a cache saves.
fn calls(trials: &Trials<'_>, measured: &impl Fn(MetricId) -> Option<Estimate>) -> Vec<Check> {
    let calls = |(point, slack): (f64, f64), because| {
        let quantity = "calls to the authorization server per request";
        let ends = (point, (point - slack).max(0.0), point + slack);
        let found = measured(MetricId::Amplification)?.point;
        Some(value(quantity, MetricId::Amplification, ends, found, because))
    };
    let hits = |(point, slack): (f64, f64), because| {
        let quantity = "share of decisions taken from the cache";
        let ends = (1.0 - point, 1.0 - point - slack, 1.0 - point + slack);
        let found = measured(MetricId::HitRatio)?.point;
        Some(value(quantity, MetricId::HitRatio, ends, found, because))
    };
    let Design { checks, asks, authenticates, asked_behind, .. } = trials.subject.design;
    let checks = match asks {
        Asks::Unknown => [None, None],
        Asks::Never if checks == Checks::Nothing => [calls((0.0, UNEVEN), "nobody is asked"), None],
        // A filter was polled: what it holds is asked about, revoked tokens and a few others. How many requests that is, no closed form tells.
        Asks::EveryPeriod { .. } if authenticates => [None, None],
        // What is fetched for all tokens at once is asked about none.
        Asks::Never | Asks::EveryPeriod { .. } => [introspections(trials), None],
        Asks::EveryRequest => [calls((1.0, UNEVEN), "every request is a call"), None],
        Asks::OnMiss(caching) => match cache::per_request(trials, &caching) {
            None => [None, None],
            Some(expected) => {
                let (asked, waited_for) = if caching.refresh_ahead_seconds.is_some() {
                    (
                        "a cache that was empty when the load began and asks again before answers end",
                        "1 - calls per request that a request waits for",
                    )
                } else {
                    ("misses of a cache that was empty when the load began", "1 - calls per request")
                };
                match asked_behind {
                    None => [calls(expected.calls, asked), hits(expected.misses, waited_for)],
                    Some(part) => {
                        let behind = part * usage::passed_on_per_request(trials).unwrap_or(0.0);
                        let (asked, slack) = expected.calls;
                        let because = "misses of the gateway's cache, and a server behind it that asks about each of its requests";
                        [
                            calls((asked + behind, slack), because),
                            hits(expected.misses, "1 - calls of the gateway per request"),
                        ]
                    }
                }
            }
        },
    };
    checks.into_iter().flatten().collect()
}

/// Whoever verifies tokens by itself introspects none. It may fetch keys, which is how it knows them.
fn introspections(trials: &Trials<'_>) -> Option<Check> {
    let found = usage::introspections_per_request(trials)?;
    let quantity = "introspections per request";
    Some(value(quantity, MetricId::Amplification, (0.0, 0.0, UNEVEN), found, "nobody is asked about a token"))
}

fn value(
    quantity: &'static str,
    metric: MetricId,
    (point, low, high): (f64, f64, f64),
    measured: f64,
    because: &'static str,
) -> Check {
    let agrees = (low - 1e-9..=high + 1e-9).contains(&measured);
    let agreement = if agrees { Agreement::Agrees } else { Agreement::Disagrees };
    Check { quantity, metric, expected: Expected::Value { point, low, high }, measured, agreement, because }
}

/// How many probes should have been accepted that were not to be. `None` if revocations are pushed: how many depends on instants that no
/// closed form knows.
fn unsafe_acceptances(trials: &Trials<'_>, propagation: &Propagation) -> Option<Check> {
    let points = propagation.observations.len() as f64;
    let measured = propagation.unsafe_acceptances() as f64;
    let design = &trials.subject.design;
    let (total, because) = match design.asks {
        _ if design.checks != Checks::Tokens => (probes::until_expiry(trials, f64::INFINITY), "every probe"),
        _ if design.push_delay_seconds.is_some() => return None,
        Asks::Unknown => return None,
        Asks::EveryPeriod { poll_interval_seconds } => (
            probes::polled(trials, poll_interval_seconds),
            "what is left until the next poll at the revocation",
        ),
        Asks::EveryRequest => ((0.0, 0.0, 0.0), "every probe is asked for"),
        Asks::OnMiss(caching) => match design.asked_behind {
            None => {
                (probes::cached(trials, &caching, 1.0), "what is left of a cached answer at the revocation")
            }
            Some(part) => (
                probes::cached(trials, &caching, 1.0 - part),
                "what is left of a cached answer at the revocation, where nobody behind asks again",
            ),
        },
        Asks::Never => {
            (probes::until_expiry(trials, design.leeway_seconds), "every probe until the token expires")
        }
    };
    let check = value(
        "unsafe acceptances per revocation and resource server",
        MetricId::UnsafeAcceptances,
        (total.0 / points, total.1 / points, total.2 / points),
        measured / points,
        because,
    );
    Some(check)
}

/// The observation that exceeds its bound most; if none does, the longest one. Where old answers were used since nobody could be asked, the
/// bound is that of an outage.
fn bound(design: &Design, propagation: &Propagation, had_stale_answers: bool) -> Check {
    // An answer is kept until the instant at which the authorization server says that the token expires; a JWT is believed until its date.
    let rounded = match design.asks {
        Asks::Never | Asks::EveryPeriod { .. } => WHOLE_SECOND,
        Asks::Unknown | Asks::EveryRequest | Asks::OnMiss(_) => 0.0,
    };
    let limit = |observation: &Observation| {
        let expires_in = observation.expires_after + rounded;
        let is_pushed = design.push_delay_seconds.is_some();
        let fetch = if is_pushed || matches!(design.asks, Asks::EveryPeriod { .. }) { FETCH } else { 0.0 };
        let allowed = if had_stale_answers {
            design.accepts_revoked_in_outage_for(expires_in)
        } else {
            design.accepts_revoked_for(expires_in)
        };
        allowed.map_or(f64::INFINITY, |seconds| seconds + fetch)
    };
    // An answer may have been on its way while the revocation was acknowledged.
    let excess = |observation: &Observation| {
        (observation.last_acceptance - limit(observation) - observation.last_flight - STAMP).max(0.0)
    };
    let worst = propagation
        .observations
        .iter()
        .max_by(|a, b| excess(a).total_cmp(&excess(b)).then(a.last_acceptance.total_cmp(&b.last_acceptance)))
        .expect("called with observations");
    let ends_early =
        |observation: &Observation| observation.gap.is_none() && observation.probed_for < limit(observation);
    let allowed = limit(worst);
    let agreement = match design.checks {
        Checks::Nothing | Checks::Unknown => Agreement::Unbounded,
        Checks::Tokens if excess(worst) > 0.0 => Agreement::Exceeds,
        // Who was probed until its bound and beyond has shown what it does there, though nobody saw a refusal that tells for all.
        Checks::Tokens if propagation.observations.iter().any(ends_early) => Agreement::Unfinished,
        Checks::Tokens => Agreement::Within,
    };
    Check {
        quantity: if had_stale_answers {
            "time from a revocation to the last unsafe acceptance, in rounds in which old answers were used"
        } else {
            "time from a revocation to the last unsafe acceptance"
        },
        metric: MetricId::PropagationMax,
        expected: if allowed.is_finite() { Expected::AtMost(allowed) } else { Expected::Unbounded },
        measured: worst.last_acceptance,
        agreement,
        because: if had_stale_answers {
            "how long an answer is kept, and used while the authorization server cannot be asked; how many unsafe acceptances such \
             rounds should have depends on when that was, so that they are left out of those"
        } else {
            bounded_by(design)
        },
    }
}

fn bounded_by(design: &Design) -> &'static str {
    match design.asks {
        _ if design.checks == Checks::Nothing => "nothing is checked",
        _ if design.checks == Checks::Unknown => "what the server checks is not known",
        _ if design.push_delay_seconds.is_some() => "how long a pushed revocation is under way",
        Asks::EveryRequest => "the authorization server is asked for every request",
        Asks::OnMiss(_) => "how long an answer is kept",
        Asks::EveryPeriod { .. } => {
            "how often the list of revoked tokens is fetched, and the time that takes"
        }
        Asks::Never if design.refreshing.is_some() => {
            "what is left of the token's life, which nobody prolongs any more"
        }
        Asks::Never | Asks::Unknown => "what is left of the token's life",
    }
}

#[cfg(test)]
mod tests;
