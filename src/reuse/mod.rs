//! Which live token comes next: laws by which tokens are used again. Pure: chance comes from outside.

mod round_robin;
mod uniform;
mod unique;
mod working_set;
mod zipf;

use std::fmt::Debug;

use rand_chacha::ChaCha8Rng;

use crate::observation::Reuse;
use crate::registry::{Registry, Role, entry};
use crate::units::Offset;

/// A law by which live tokens are used again.
pub trait ReuseLaw: Debug + Send + Sync {
    /// Begins to choose among `live` tokens, at least one. Pickers of all the slices together follow the law.
    fn picker(&self, live: u32, slice: Slice) -> Box<dyn Picker>;

    /// How many live tokens a load by this law needs.
    fn demand(&self) -> Demand;

    /// What a recording says of it.
    fn facts(&self) -> Reuse;
}

/// A law under way.
pub trait Picker: Send {
    /// The live token, from 0, of the next request, which is due at an instant. Instants come in order.
    fn pick(&mut self, due: Offset, random: &mut ChaCha8Rng) -> u32;
}

/// One of several pickers that choose side by side and know nothing of each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slice {
    /// Which one, from 0.
    pub index: u32,
    /// How many there are.
    pub of: u32,
}

impl Slice {
    /// The only one.
    pub const WHOLE: Self = Self { index: 0, of: 1 };
}

/// How many live tokens there must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Demand {
    /// At least so many, however many requests there are.
    AtLeast(u32),
    /// One for every request.
    OnePerRequest,
}

/// Every reuse law.
pub static REUSE_LAWS: Registry<dyn ReuseLaw> = Registry {
    role: "token reuse law",
    entries: &[
        entry!("zipf", zipf::Zipf, "few tokens carry most requests: the r-th in proportion to 1/r^exponent"),
        entry!("uniform", uniform::Uniform, "a token at random, each equally likely"),
        entry!("round-robin", round_robin::RoundRobin, "one token after the other, over and over"),
        entry!("unique", unique::Unique, "every token once: no cache ever hits"),
        entry!(
            "working-set",
            working_set::WorkingSet,
            "a token at random from a few, the oldest of which is replaced `churn` times a second"
        ),
    ],
};

impl Role for dyn ReuseLaw {
    fn registry() -> &'static Registry<Self> {
        &REUSE_LAWS
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;
    use crate::registry::Part;

    const LIVE: u32 = 1_000;

    fn laws() -> impl Iterator<Item = Part<dyn ReuseLaw>> {
        REUSE_LAWS.examples().into_iter().map(|choice| REUSE_LAWS.resolve(choice).unwrap())
    }

    fn picks(law: &Part<dyn ReuseLaw>, slice: Slice, seed: u64, count: u64) -> Vec<u32> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut picker = law.picker(LIVE, slice);
        let millisecond = |number| Offset::from_nanos(number * 1_000_000);
        (0..count).map(|number| picker.pick(millisecond(number), &mut random)).collect()
    }

    #[test]
    fn every_law_stays_within_the_pool_and_gives_the_same_tokens_for_the_same_seed() {
        for law in laws() {
            let picked = picks(&law, Slice::WHOLE, 1, 20_000);
            assert!(picked.iter().all(|token| *token < LIVE), "{law}");
            assert_eq!(picked, picks(&law, Slice::WHOLE, 1, 20_000), "{law}");
        }
    }

    #[test]
    fn every_law_that_asks_for_a_token_a_request_gives_each_request_one_of_its_own() {
        for law in laws().filter(|law| law.demand() == Demand::OnePerRequest) {
            let mut picked = picks(&law, Slice { index: 0, of: 2 }, 1, u64::from(LIVE / 2));
            picked.extend(picks(&law, Slice { index: 1, of: 2 }, 2, u64::from(LIVE / 2)));
            picked.sort_unstable();
            assert_eq!(picked, (0..LIVE).collect::<Vec<_>>(), "{law}");
        }
    }

    #[test]
    fn a_law_is_written_by_its_name_or_as_a_table() {
        let written = |text: &str| -> Result<Part<dyn ReuseLaw>, String> {
            let mut table: toml::Table = toml::from_str(text).unwrap();
            table.remove("reuse").unwrap().try_into().map_err(|error: toml::de::Error| error.to_string())
        };
        let facts = |text| written(text).unwrap().facts();
        assert_eq!(facts("reuse = \"zipf\""), Reuse::Zipf { exponent: 0.99 });
        assert_eq!(facts("reuse = { kind = \"zipf\", exponent = 1.2 }"), Reuse::Zipf { exponent: 1.2 });
        assert_eq!(facts("reuse = \"round-robin\""), Reuse::RoundRobin {});
        let set = facts("reuse = { kind = \"working-set\", size = 50, churn = 2.5 }");
        assert_eq!(set, Reuse::WorkingSet { size: 50, churn: 2.5 });
        for (text, words) in [
            ("reuse = \"unifrom\"", "did you mean \"uniform\"?"),
            ("reuse = \"working-set\"", "size"),
            ("reuse = { kind = \"working-set\", size = 5, churn = -1 }", "0 or more"),
            ("reuse = { kind = \"zipf\", exponent = -1 }", "from 0 to 100"),
        ] {
            let error = written(text).unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
