//! The miss log: which tokens a cache was asked for in vain, and when.

use serde::{Deserialize, Serialize};

use crate::auth::bounded_log::BoundedLog;
use crate::auth::token::TokenId;
use crate::units::Stamp;

/// A request for which a cache had no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Miss {
    /// [`TokenId::first_bits`] of its token.
    pub token: u64,
    /// When the cache was asked.
    pub at: Stamp,
}

/// Keeps every miss, up to a limit. Whoever misses is about to ask the authorization server, beside which this costs nothing; who finds an answer
/// does not come here.
#[derive(Debug, Default)]
pub struct MissLog(BoundedLog<Miss>);

impl MissLog {
    /// Notes that there is no answer about this token now.
    pub fn add(&self, token: TokenId) {
        self.0.add(Miss { token: token.first_bits(), at: Stamp::now() });
    }

    /// All of them; nothing if there were more than are kept, since the rest would look like hits.
    pub fn all(&self) -> Option<Vec<Miss>> {
        self.0.all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_miss_is_of_its_token_and_of_the_instant_at_which_it_is_noted() {
        let log = MissLog::default();
        let token = |number: usize| TokenId::of(&number.to_string());
        (0..100).for_each(|number| log.add(token(number)));
        let all = log.all().unwrap();
        assert_eq!(all.len(), 100);
        assert!((0..).zip(&all).all(|(number, miss)| miss.token == token(number).first_bits()));
        assert!(all.is_sorted_by_key(|miss| miss.at));
    }
}
