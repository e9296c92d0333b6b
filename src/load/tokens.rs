//! The tokens that requests carry, and what is the right answer to each.

use crate::load::Token;

/// Every token of a trial, as it stands behind `Bearer`.
#[derive(Clone, Debug, Default)]
pub struct TokenPool {
    /// Tokens that must be accepted, most popular first.
    pub live: Vec<String>,
    /// Tokens that must be refused, in the order of [`BAD_KINDS`](crate::plan::BAD_KINDS).
    pub bad: Vec<BadTokens>,
    /// Tokens that are revoked during the trial, in the order of the revocations.
    pub watched: Vec<String>,
}

/// Tokens that must be refused for the same reason.
#[derive(Clone, Debug)]
pub struct BadTokens {
    /// The reason, as it stands in a recording.
    pub kind: String,
    /// Different tokens of this kind.
    pub tokens: Vec<String>,
}

/// The right answer to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expectation<'a> {
    /// It must be accepted.
    Good,
    /// It must be refused, for this reason.
    Bad(&'a str),
    /// Its token is under revocation test: whoever knows when it was revoked may judge.
    Unjudged,
}

impl TokenPool {
    /// The names of the classes, in the order of [`class_of`](Self::class_of).
    pub(crate) fn classes(&self) -> Vec<String> {
        std::iter::once("valid".to_owned()).chain(self.bad.iter().map(|bad| bad.kind.clone())).collect()
    }

    /// The class of a token that is not under revocation test, by its number.
    pub(crate) fn class_of(token: Token) -> usize {
        match token {
            Token::Live(_) | Token::Watched(_) => 0,
            Token::Bad { kind, .. } => 1 + kind as usize,
        }
    }

    /// How many live tokens there are.
    pub fn live_count(&self) -> u32 {
        u32::try_from(self.live.len()).expect("a pool has fewer than 2^32 tokens")
    }

    /// Sizes of the live tokens in characters: smallest, median, largest; zeros if there is none.
    pub fn characters(&self) -> [u64; 3] {
        let mut sizes: Vec<u64> = self.live.iter().map(|token| token.len() as u64).collect();
        sizes.sort_unstable();
        let at = |index: usize| sizes.get(index).copied().unwrap_or(0);
        [at(0), at(sizes.len() / 2), at(sizes.len().saturating_sub(1))]
    }

    /// The text of a token.
    ///
    /// # Panics
    /// If the pool is smaller than the plan says.
    pub(crate) fn text(&self, token: Token) -> &str {
        match token {
            Token::Live(index) => &self.live[index as usize],
            Token::Bad { kind, index } => &self.bad[kind as usize].tokens[index as usize],
            Token::Watched(revocation) => &self.watched[revocation as usize],
        }
    }

    /// The right answer to a request that carries a token.
    pub(crate) fn expectation(&self, token: Token) -> Expectation<'_> {
        match token {
            Token::Live(_) => Expectation::Good,
            Token::Bad { kind, .. } => Expectation::Bad(&self.bad[kind as usize].kind),
            Token::Watched(_) => Expectation::Unjudged,
        }
    }
}
