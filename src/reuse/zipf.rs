//! A few tokens carry most requests, as users do.

use rand_chacha::ChaCha8Rng;
use rand_distr::Distribution;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::observation::Reuse;
use crate::reuse::{Demand, Picker, ReuseLaw, Slice};
use crate::units::{Exponent, Offset};

/// By Zipf's law: token 0 most often, the r-th of them in proportion to 1 / r^exponent.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Zipf {
    /// The exponent; 0 is uniform.
    exponent: Exponent,
}

impl Default for Zipf {
    fn default() -> Self {
        // YCSB's constant, close to what API traffic was found to follow.
        Self { exponent: Exponent::try_from(0.99).expect("in bounds") }
    }
}

impl ReuseLaw for Zipf {
    fn picker(&self, live: u32, _: Slice) -> Box<dyn Picker> {
        let popularity = rand_distr::Zipf::new(f64::from(live), self.exponent.into())
            .expect("a pool has a live token, and the exponent is 0 or more");
        Box::new(Popularity(popularity))
    }

    fn demand(&self) -> Demand {
        Demand::AtLeast(1)
    }

    fn facts(&self) -> Reuse {
        Reuse::Zipf { exponent: self.exponent.into() }
    }
}

struct Popularity(rand_distr::Zipf<f64>);

impl Picker for Popularity {
    fn pick(&mut self, _: Offset, random: &mut ChaCha8Rng) -> u32 {
        rank(self.0.sample(random))
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole number from 1 to a u32")]
fn rank(sample: f64) -> u32 {
    sample as u32 - 1
}
