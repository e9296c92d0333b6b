//! Which tokens the caches of a trial were asked for in vain.

use std::collections::HashMap;

use futures_util::future::try_join_all;

use crate::auth::architecture::Miss;
use crate::auth::token::TokenId;
use crate::testbed::{Testbed, TestbedError};
use crate::units::Stamp;

impl Testbed {
    /// How often, from an instant on, the servers that the load reaches had no answer about each of these tokens; `None` if one of them does not
    /// tell.
    pub async fn misses<'t>(
        &self,
        tokens: impl Iterator<Item = &'t str>,
        from: Stamp,
    ) -> Result<Option<Vec<u32>>, TestbedError> {
        let told: Vec<Option<Vec<Miss>>> =
            try_join_all(self.edge().map(|server| self.ask(server, "/bench/misses"))).await?;
        let misses: Option<Vec<Vec<Miss>>> = told.into_iter().collect();
        Ok(misses.map(|misses| by_token(misses.into_iter().flatten(), tokens, from)))
    }
}

fn by_token<'t>(
    misses: impl Iterator<Item = Miss>,
    tokens: impl Iterator<Item = &'t str>,
    from: Stamp,
) -> Vec<u32> {
    let mut counts: HashMap<u64, u32> = HashMap::new();
    for miss in misses.filter(|miss| miss.at >= from) {
        *counts.entry(miss.token).or_default() += 1;
    }
    let count = |token: &str| counts.get(&TokenId::of(token).first_bits()).copied().unwrap_or(0);
    tokens.map(count).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misses_are_counted_for_the_tokens_that_are_asked_about_from_an_instant_on() {
        let miss =
            |token: &str, at| Miss { token: TokenId::of(token).first_bits(), at: Stamp::from_nanos(at) };
        let misses = [miss("a", 9), miss("a", 10), miss("other", 11), miss("c", 12), miss("a", 13)];
        let counted = by_token(misses.into_iter(), ["a", "b", "c"].into_iter(), Stamp::from_nanos(10));
        assert_eq!(counted, [2, 0, 1]);
    }
}
