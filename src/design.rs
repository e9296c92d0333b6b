//! How a subject decides on tokens, in numbers: whom it asks and how often, and what bounds how long it accepts a revoked token.

mod asks;
mod on_top;
mod refreshing;
#[cfg(test)]
mod tests;

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use asks::{Asks, Caching};
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

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_none(seconds: &f64) -> bool {
    *seconds == 0.0
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
