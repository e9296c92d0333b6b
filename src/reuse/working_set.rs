//! Users come and go: few tokens are in use at once, and not the same ones for long.

use std::num::NonZeroU32;

use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::observation::Reuse;
use crate::reuse::{Demand, Picker, ReuseLaw, Slice};
use crate::units::Offset;

/// Uniformly from `size` tokens, the oldest of which is replaced by the next of the pool `churn` times a second, at
/// equal gaps. After the last token of the pool the first comes again.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(example = serde_json::json!({ "size": 100, "churn": 10 }))]
pub(super) struct WorkingSet {
    /// How many tokens are in use at once.
    size: NonZeroU32,
    /// How many of them are replaced a second.
    #[serde(default)]
    churn: Churn,
}

/// Tokens replaced per second: 0 or more.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(try_from = "f64")]
#[schemars(schema_with = "schema")]
struct Churn(f64);

impl TryFrom<f64> for Churn {
    type Error = String;

    fn try_from(per_second: f64) -> Result<Self, String> {
        // A pool that is used up within a nanosecond means nothing any more.
        if (0.0..=1e9).contains(&per_second) {
            Ok(Self(per_second))
        } else {
            Err(format!(
                "churn: expected tokens replaced per second, a number of 0 or more, not {per_second}"
            ))
        }
    }
}

fn schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({ "type": "number", "minimum": 0 })
}

impl ReuseLaw for WorkingSet {
    fn picker(&self, live: u32, _: Slice) -> Box<dyn Picker> {
        Box::new(Moving { size: self.size.get().min(live), churn: self.churn.0, live: live.into() })
    }

    fn demand(&self) -> Demand {
        Demand::AtLeast(self.size.get())
    }

    fn facts(&self) -> Reuse {
        Reuse::WorkingSet { size: u64::from(self.size.get()), churn: self.churn.0 }
    }
}

struct Moving {
    size: u32,
    churn: f64,
    live: u64,
}

impl Picker for Moving {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole, and never negative")]
    fn pick(&mut self, due: Offset, random: &mut ChaCha8Rng) -> u32 {
        let replaced = (self.churn * due.seconds()).floor() as u64;
        let picked = (replaced + u64::from(random.random_range(0..self.size))) % self.live;
        u32::try_from(picked).expect("below the number of tokens, which is a u32")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use rand::SeedableRng as _;

    use super::*;

    #[test]
    fn the_set_holds_its_size_and_moves_on_by_its_churn() {
        let law: WorkingSet = toml::from_str("size = 10\nchurn = 4").unwrap();
        let mut picker = law.picker(100, Slice::WHOLE);
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let mut seen = |seconds: f64| -> BTreeSet<u32> {
            let due = Duration::from_secs_f64(seconds).into();
            (0..1_000).map(|_| picker.pick(due, &mut random)).collect()
        };
        assert_eq!(seen(0.0), (0..10).collect());
        assert_eq!(seen(0.24), (0..10).collect());
        assert_eq!(seen(0.25), (1..11).collect());
        assert_eq!(seen(20.0), (80..90).collect());
        assert_eq!(seen(24.0), (96..100).chain(0..6).collect());
    }
}
