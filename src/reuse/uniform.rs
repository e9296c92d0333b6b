//! Every token as often as any other, by chance.

use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::observation::Reuse;
use crate::reuse::{Demand, Picker, ReuseLaw, Slice};
use crate::units::Offset;

/// Uniform. It has no settings.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Uniform {}

impl ReuseLaw for Uniform {
    fn picker(&self, live: u32, _: Slice) -> Box<dyn Picker> {
        Box::new(Any { live })
    }

    fn demand(&self) -> Demand {
        Demand::AtLeast(1)
    }

    fn facts(&self) -> Reuse {
        Reuse::Uniform {}
    }
}

struct Any {
    live: u32,
}

impl Picker for Any {
    fn pick(&mut self, _: Offset, random: &mut ChaCha8Rng) -> u32 {
        random.random_range(0..self.live)
    }
}
