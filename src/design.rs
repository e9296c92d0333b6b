//! How a subject decides on tokens, in numbers: whom it asks and how often, and what bounds how long it accepts a revoked token.

mod on_top;
mod refreshing;

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use on_top::OnTop;
pub use refreshing::Refreshing;

/// The design of a validation architecture. What is expected of it follows from these numbers, whatever its name is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Design {
    /// What it looks at.
    pub checks: Checks,
    /// When it asks the authorization server about a token, or about what was revoked.
    pub asks: Asks,
    /// Whether the authorization server wants to know who asks.
    pub authenticates: bool,
    /// How long a revocation is under way that is pushed to it, at the most; absent if none is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub push_delay_seconds: Option<f64>,
    /// How long it goes on without the channel by which it is pushed to; absent if it has none, or if what it asks bounds that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub without_channel_seconds: Option<f64>,
    /// How long fetched keys are used before they are fetched again; absent if it verifies no signature, and in recordings before
    /// version 4.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_set_age_seconds: Option<f64>,
    /// Grace after the expiry of a token.
    #[serde(default, skip_serializing_if = "is_none")]
    pub leeway_seconds: f64,
    /// About which part of the requests that it accepts a server behind it asks the authorization server, which refuses those with a revoked
    /// token; absent if none does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_behind: Option<f64>,
    /// How clients keep short-lived tokens usable; absent if a token lives as long as the workload says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refreshing: Option<Refreshing>,
}

/// What clients hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TokenFormat {
    /// A random string: only the authorization server can resolve it.
    Opaque,
    /// A JWT (RFC 9068).
    Jwt,
    /// The signature of a JWT: the authorization server keeps its header and its claims.
    Signature,
}

/// What a resource server looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Checks {
    /// Not known: it is somebody else's.
    Unknown,
    /// Nothing: a control.
    Nothing,
    /// Every token, its expiry included.
    Tokens,
}

/// When a resource server asks its authorization server. Fetching keys is no question about a token.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Asks {
    /// Not known.
    Unknown,
    /// Never.
    Never,
    /// For every request.
    EveryRequest,
    /// For a token of which it keeps no answer.
    OnMiss(Caching),
    /// Again and again, for all tokens at once.
    EveryPeriod {
        /// How far apart it asks.
        poll_interval_seconds: f64,
    },
}

/// What a resource server keeps of the answers about tokens. Whether those who ask at once ask together changes none of these numbers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Caching {
    /// How long it keeps an answer, never past the expiry of the token.
    pub cache_lifetime_seconds: f64,
    /// How long it keeps the answer that a token is not active; absent if it keeps none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub negative_lifetime_seconds: Option<f64>,
    /// How long before its end an answer is asked for again in the background, at the earliest; each token at an instant of its own in the
    /// first half of that time. Absent if nothing is asked for ahead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_ahead_seconds: Option<f64>,
    /// How long after its end an answer is used while the authorization server cannot be asked; absent if it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale_if_error_seconds: Option<f64>,
    /// Whether it reads a token before it asks about it, and refuses by itself what it cannot read.
    #[serde(default, skip_serializing_if = "is_false")]
    pub reads_first: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_none(seconds: &f64) -> bool {
    *seconds == 0.0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_false(flag: &bool) -> bool {
    !flag
}

impl Design {
    /// A server of somebody else's.
    pub const UNKNOWN: Self = Self::of(Checks::Unknown, Asks::Unknown);
    /// A control that looks at nothing.
    pub const UNCHECKED: Self = Self::of(Checks::Nothing, Asks::Never);
    /// It asks for every request.
    pub const ASKING_EVERY_TIME: Self =
        Self { authenticates: true, ..Self::of(Checks::Tokens, Asks::EveryRequest) };

    const fn of(checks: Checks, asks: Asks) -> Self {
        Self {
            checks,
            asks,
            authenticates: false,
            push_delay_seconds: None,
            without_channel_seconds: None,
            key_set_age_seconds: None,
            leeway_seconds: 0.0,
            asked_behind: None,
            refreshing: None,
        }
    }

    /// It keeps answers for a while.
    pub fn caching(lifetime: Duration) -> Self {
        Self::keeping(Caching::for_a_while(lifetime))
    }

    /// It keeps answers in this way.
    pub const fn keeping(caching: Caching) -> Self {
        Self { authenticates: true, ..Self::of(Checks::Tokens, Asks::OnMiss(caching)) }
    }

    /// It verifies tokens by itself, with keys that it fetches now and then.
    pub fn verifying(leeway: Duration, key_set_age: Duration) -> Self {
        Self {
            leeway_seconds: leeway.as_secs_f64(),
            key_set_age_seconds: Some(key_set_age.as_secs_f64()),
            ..Self::of(Checks::Tokens, Asks::Never)
        }
    }

    /// The same, and it asks again and again what was revoked.
    #[must_use]
    pub fn polling(self, interval: Duration) -> Self {
        Self { asks: Asks::EveryPeriod { poll_interval_seconds: interval.as_secs_f64() }, ..self }
    }

    /// The same, and it asks nobody about what it cannot read.
    #[must_use]
    pub fn reading_first(self) -> Self {
        let asks = match self.asks {
            Asks::OnMiss(caching) => Asks::OnMiss(Caching { reads_first: true, ..caching }),
            others => others,
        };
        Self { asks, ..self }
    }

    /// The same, and revocations are pushed to it, which takes so long at the most; without the channel for that it goes on for a time.
    #[must_use]
    pub fn pushed_to(self, delay: Duration, without_channel: Option<Duration>) -> Self {
        Self {
            authenticates: true,
            push_delay_seconds: Some(delay.as_secs_f64()),
            without_channel_seconds: without_channel.map(|length| length.as_secs_f64()),
            ..self
        }
    }

    /// What it keeps of answers; `None` if it keeps none.
    pub fn cache(&self) -> Option<Caching> {
        match self.asks {
            Asks::OnMiss(caching) => Some(caching),
            Asks::Unknown | Asks::Never | Asks::EveryRequest | Asks::EveryPeriod { .. } => None,
        }
    }

    /// How long it keeps answers, in seconds; `None` if it keeps none.
    pub fn cache_lifetime(&self) -> Option<f64> {
        self.cache().map(|caching| caching.cache_lifetime_seconds)
    }

    /// After so many seconds it knows of a revocation; `None` if nothing ever tells it. What is pushed may come before what it would ask.
    pub fn learns_within(&self) -> Option<f64> {
        let asked = match self.asks {
            Asks::Unknown | Asks::Never => None,
            Asks::EveryRequest => Some(0.0),
            Asks::OnMiss(caching) => Some(caching.cache_lifetime_seconds),
            Asks::EveryPeriod { poll_interval_seconds } => Some(poll_interval_seconds),
        };
        self.push_delay_seconds.into_iter().chain(asked).reduce(f64::min)
    }

    /// For so many seconds after its revocation a token may be accepted that expires in `expires_in` seconds; `None` if nothing bounds it.
    pub fn accepts_revoked_for(&self, expires_in: f64) -> Option<f64> {
        if self.checks != Checks::Tokens {
            return None;
        }
        let expired = self.expired_after(expires_in);
        Some(self.learns_within().map_or(expired, |learned| learned.min(expired)))
    }

    /// The same while the authorization server cannot be asked, and pushes nothing: for so long a token that it was asked about just
    /// before goes on being accepted, revoked or not. What is fetched for all tokens is taken to be used without limit.
    pub fn accepts_revoked_in_outage_for(&self, expires_in: f64) -> Option<f64> {
        if self.checks != Checks::Tokens {
            return None;
        }
        let expired = self.expired_after(expires_in);
        Some(match self.asks {
            Asks::EveryRequest => 0.0,
            Asks::OnMiss(caching) => caching.used_in_outage_for().min(expired),
            Asks::Unknown | Asks::Never | Asks::EveryPeriod { .. } => {
                self.without_channel_seconds.map_or(expired, |seconds| seconds.min(expired))
            }
        })
    }

    fn expired_after(&self, expires_in: f64) -> f64 {
        (self.token_life(expires_in) + self.leeway_seconds).max(0.0)
    }

    /// How many seconds a token lives that the workload gives so many: no longer than until clients have it refreshed.
    pub fn token_life(&self, seconds: f64) -> f64 {
        self.refreshing.map_or(seconds, |refreshing| seconds.min(refreshing.token_life_seconds))
    }

    /// For so many seconds after its revocation a token may be accepted that was never seen before: whoever asks about that token learns of it
    /// at once. Infinite if nothing ever tells.
    pub fn misses_earlier_revocations_for(&self) -> f64 {
        match self.asks {
            _ if self.checks == Checks::Nothing => 0.0,
            Asks::EveryRequest | Asks::OnMiss(_) => 0.0,
            Asks::Unknown | Asks::Never | Asks::EveryPeriod { .. } => {
                self.learns_within().unwrap_or(f64::INFINITY)
            }
        }
    }

    /// Whether a token is good until it expires, revoked or not.
    pub fn ignores_revocations(&self) -> bool {
        self.checks == Checks::Tokens && self.learns_within().is_none()
    }

    /// Every number of it with its name, in seconds.
    pub fn terms(&self) -> Vec<(&'static str, f64)> {
        let polled = match self.asks {
            Asks::EveryPeriod { poll_interval_seconds } => Some(("poll interval", poll_interval_seconds)),
            Asks::Unknown | Asks::Never | Asks::EveryRequest | Asks::OnMiss(_) => None,
        };
        let kept = self.cache().into_iter().flat_map(Caching::terms);
        let pushed = self.push_delay_seconds.map(|seconds| ("push delay", seconds));
        let alone = self.without_channel_seconds.map(|seconds| ("without the channel", seconds));
        let keys = self.key_set_age_seconds.map(|seconds| ("key-set age", seconds));
        let leeway = (self.leeway_seconds > 0.0).then_some(("leeway", self.leeway_seconds));
        let refreshing = self.refreshing.into_iter().flat_map(Refreshing::terms);
        kept.chain([polled, pushed, alone, keys, leeway].into_iter().flatten()).chain(refreshing).collect()
    }
}

impl Caching {
    /// It keeps answers about active tokens, and does nothing else.
    pub fn for_a_while(lifetime: Duration) -> Self {
        Self {
            cache_lifetime_seconds: lifetime.as_secs_f64(),
            negative_lifetime_seconds: None,
            refresh_ahead_seconds: None,
            stale_if_error_seconds: None,
            reads_first: false,
        }
    }

    /// For so many seconds an answer is used if nobody can be asked.
    fn used_in_outage_for(&self) -> f64 {
        self.cache_lifetime_seconds + self.stale_if_error_seconds.unwrap_or(0.0)
    }

    fn terms(self) -> impl Iterator<Item = (&'static str, f64)> {
        let terms = [
            ("cache lifetime", Some(self.cache_lifetime_seconds)),
            ("negative lifetime", self.negative_lifetime_seconds),
            ("refresh ahead", self.refresh_ahead_seconds),
            ("stale if error", self.stale_if_error_seconds),
        ];
        terms.into_iter().filter_map(|(name, seconds)| Some((name, seconds?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TTL: Duration = Duration::from_secs(5);

    #[test]
    fn a_revoked_token_lives_until_it_is_known_or_expires_whichever_is_first() {
        let polling = Design::verifying(Duration::ZERO, TTL).polling(Duration::from_secs(30));
        let pushed = polling.pushed_to(Duration::from_millis(10), None);
        for (design, learns, bounds, misses) in [
            (Design::UNKNOWN, None, [None, None], f64::INFINITY),
            (Design::UNCHECKED, None, [None, None], 0.0),
            (Design::ASKING_EVERY_TIME, Some(0.0), [Some(0.0), Some(0.0)], 0.0),
            (Design::caching(TTL), Some(5.0), [Some(2.0), Some(5.0)], 0.0),
            (Design::verifying(Duration::from_secs(1), TTL), None, [Some(3.0), Some(61.0)], f64::INFINITY),
            (polling, Some(30.0), [Some(2.0), Some(30.0)], 30.0),
            (pushed, Some(0.01), [Some(0.01), Some(0.01)], 0.01),
            (Design::caching(TTL).pushed_to(2 * TTL, None), Some(5.0), [Some(2.0), Some(5.0)], 0.0),
        ] {
            assert_eq!(design.learns_within(), learns, "{design:?}");
            assert_eq!(
                [2.0, 60.0].map(|expires_in| design.accepts_revoked_for(expires_in)),
                bounds,
                "{design:?}"
            );
            assert_eq!(design.ignores_revocations(), learns.is_none() && bounds[0].is_some(), "{design:?}");
            assert!(design.misses_earlier_revocations_for().total_cmp(&misses).is_eq(), "{design:?}");
            let text = serde_json::to_string(&design).unwrap();
            assert_eq!(serde_json::from_str::<Design>(&text).unwrap(), design, "{text}");
        }
    }

    /// Keeps answers in every way that there is.
    const KEEPING: Caching = Caching {
        cache_lifetime_seconds: 5.0,
        negative_lifetime_seconds: Some(1.0),
        refresh_ahead_seconds: Some(2.0),
        stale_if_error_seconds: Some(30.0),
        reads_first: false,
    };

    #[test]
    fn an_outage_lengthens_the_life_of_a_revoked_token_by_what_stale_answers_are_used_for() {
        let verifying = Design::verifying(Duration::from_secs(1), TTL);
        for (design, usually, in_outage) in [
            (Design::UNCHECKED, None, None),
            (Design::ASKING_EVERY_TIME, Some(0.0), Some([0.0, 0.0])),
            (Design::caching(TTL), Some(5.0), Some([5.0, 5.0])),
            (Design::keeping(KEEPING), Some(5.0), Some([20.0, 35.0])),
            (verifying.polling(TTL), Some(5.0), Some([21.0, 61.0])),
            (verifying.pushed_to(TTL, Some(6 * TTL)), Some(5.0), Some([21.0, 30.0])),
            (Design::caching(2 * TTL).pushed_to(TTL, None), Some(5.0), Some([10.0, 10.0])),
        ] {
            assert_eq!(design.accepts_revoked_for(60.0), usually, "{design:?}");
            let found = [20.0, 60.0].map(|expires_in| design.accepts_revoked_in_outage_for(expires_in));
            assert_eq!(found, in_outage.map_or([None; 2], |bounds| bounds.map(Some)), "{design:?}");
        }
    }

    #[test]
    fn a_cache_is_written_as_before_unless_it_does_more() {
        let text = |design: Design| serde_json::to_string(&design.asks).unwrap();
        assert_eq!(text(Design::caching(TTL)), r#"{"kind":"on_miss","cache_lifetime_seconds":5.0}"#);
        let written = text(Design::keeping(KEEPING));
        assert_eq!(serde_json::from_str::<Asks>(&written).unwrap(), Asks::OnMiss(KEEPING), "{written}");
        let reading = Design::caching(TTL).reading_first();
        assert_eq!(text(reading), r#"{"kind":"on_miss","cache_lifetime_seconds":5.0,"reads_first":true}"#);
        let unknown = r#"{"kind":"on_miss","cache_lifetime_seconds":5.0,"other":1}"#;
        assert!(serde_json::from_str::<Asks>(unknown).is_err());
    }

    #[test]
    fn every_number_has_its_name() {
        assert_eq!(Design::caching(TTL).terms(), [("cache lifetime", 5.0)]);
        let names = Design::keeping(KEEPING).terms().into_iter().map(|(name, _)| name);
        let all = ["cache lifetime", "negative lifetime", "refresh ahead", "stale if error"];
        assert_eq!(names.collect::<Vec<_>>(), all);
        let verifying = Design::verifying(Duration::from_secs(1), Duration::from_mins(5));
        assert_eq!(verifying.terms(), [("key-set age", 300.0), ("leeway", 1.0)]);
        let pushed = verifying.pushed_to(TTL, Some(2 * TTL)).terms();
        assert_eq!(pushed[..2], [("push delay", 5.0), ("without the channel", 10.0)]);
        assert_eq!(Design::UNCHECKED.terms(), []);
    }
}
