//! When a resource server asks, and what it keeps of the answers.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
fn is_false(flag: &bool) -> bool {
    !flag
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
    pub(super) fn used_in_outage_for(&self) -> f64 {
        self.cache_lifetime_seconds + self.stale_if_error_seconds.unwrap_or(0.0)
    }

    pub(super) fn terms(self) -> impl Iterator<Item = (&'static str, f64)> {
        let terms = [
            ("cache lifetime", Some(self.cache_lifetime_seconds)),
            ("negative lifetime", self.negative_lifetime_seconds),
            ("refresh ahead", self.refresh_ahead_seconds),
            ("stale if error", self.stale_if_error_seconds),
        ];
        terms.into_iter().filter_map(|(name, seconds)| Some((name, seconds?)))
    }
}
