//! How clients keep short-lived tokens usable, in numbers.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Clients have every token refreshed before it expires (RFC 6749 section 6), and a revocation ends that.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Refreshing {
    /// How long a token lives.
    pub token_life_seconds: f64,
    /// How long before its end it is refreshed, on average: each time at an instant of its own, a quarter of this earlier or later at most.
    pub refresh_margin_seconds: f64,
}

impl Refreshing {
    /// How long a token lives.
    pub fn life(&self) -> Duration {
        Duration::from_secs_f64(self.token_life_seconds)
    }

    /// How old a token is when it is refreshed, in seconds, on average.
    pub fn period(&self) -> f64 {
        self.token_life_seconds - self.refresh_margin_seconds
    }

    /// The same for one token, by a number that is uniform from 0 to 1.
    pub fn age_at_refresh(&self, uniform: f64) -> f64 {
        self.period() + self.refresh_margin_seconds * (uniform - 0.5) * 0.5
    }

    pub(super) fn terms(self) -> [(&'static str, f64); 2] {
        [("token life", self.token_life_seconds), ("refresh margin", self.refresh_margin_seconds)]
    }
}
