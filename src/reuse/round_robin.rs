//! One token after the other: each comes back after all the others.

use rand_chacha::ChaCha8Rng;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::observation::Reuse;
use crate::reuse::{Demand, Picker, ReuseLaw, Slice};
use crate::units::Offset;

/// In turn. It has no settings.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RoundRobin {}

impl ReuseLaw for RoundRobin {
    fn picker(&self, live: u32, slice: Slice) -> Box<dyn Picker> {
        Box::new(InTurn::new(live, slice))
    }

    fn demand(&self) -> Demand {
        Demand::AtLeast(1)
    }

    fn facts(&self) -> Reuse {
        Reuse::RoundRobin {}
    }
}

/// Every `step`th token, from `next` on, around the pool.
pub(super) struct InTurn {
    next: u64,
    step: u64,
    live: u64,
}

impl InTurn {
    pub(super) fn new(live: u32, slice: Slice) -> Self {
        Self { next: slice.index.into(), step: slice.of.into(), live: live.into() }
    }
}

impl Picker for InTurn {
    fn pick(&mut self, _: Offset, _: &mut ChaCha8Rng) -> u32 {
        let picked = self.next % self.live;
        self.next += self.step;
        u32::try_from(picked).expect("below the number of tokens, which is a u32")
    }
}
