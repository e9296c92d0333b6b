//! Every token once: what no cache can help with.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::observation::Reuse;
use crate::reuse::round_robin::InTurn;
use crate::reuse::{Demand, Picker, ReuseLaw, Slice};

/// Each token once, in order. It has no settings; the plan sees to it that there are enough tokens.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Unique {}

impl ReuseLaw for Unique {
    fn picker(&self, live: u32, slice: Slice) -> Box<dyn Picker> {
        Box::new(InTurn::new(live, slice))
    }

    fn demand(&self) -> Demand {
        Demand::OnePerRequest
    }

    fn facts(&self) -> Reuse {
        Reuse::Unique {}
    }
}
