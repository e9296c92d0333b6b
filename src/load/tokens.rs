//! The tokens that requests carry, and what is the right answer to each.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;

use crate::load::Token;
use crate::observation::VALID;
use crate::plan::{BadKind, TokenClass};
use crate::units::Stamp;

/// Every token of a trial, as it stands behind `Bearer`: one read-only text, and where each token in it ends. A token costs
/// eight bytes besides its own. Clones share the text, so that one with some other tokens costs those alone.
#[derive(Clone, Debug)]
pub struct TokenPool {
    /// Every token, class after class, with nothing between them.
    text: Arc<String>,
    /// Where each token ends.
    ends: Arc<Vec<usize>>,
    /// Tokens that took the place of others, by number.
    replaced: HashMap<usize, Arc<str>>,
    /// When each valid token expires, as far as is known; empty if it is known of none.
    expiries: Vec<Stamp>,
    /// The number of tokens before those of each class, and of all tokens.
    firsts: Vec<usize>,
    /// The names of the classes: valid ones first, then the bad ones by what is bad about them, then watched ones.
    classes: Vec<String>,
}

/// A pool while it is being filled.
#[derive(Debug)]
pub struct Filling(TokenPool);

/// When a token expires of which nothing is known.
const NEVER: Stamp = Stamp::from_nanos(u64::MAX);

impl TokenPool {
    /// An empty pool, for tokens that are bad in these ways besides valid and watched ones.
    pub fn filling(kinds: impl IntoIterator<Item = BadKind>) -> Filling {
        let names = kinds.into_iter().map(BadKind::name);
        let classes: Vec<_> =
            [VALID].into_iter().chain(names).chain(["watched"]).map(str::to_owned).collect();
        let firsts = vec![0; classes.len() + 1];
        Filling(Self {
            text: Arc::default(),
            ends: Arc::default(),
            replaced: HashMap::new(),
            expiries: Vec::new(),
            firsts,
            classes,
        })
    }

    /// A pool of tokens that must be accepted.
    pub fn of_valid(tokens: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let mut filling = Self::filling([]);
        for token in tokens {
            filling.add(TokenClass::Valid, token.as_ref());
        }
        filling.full()
    }

    /// The names of the classes, in the order of [`class_of`](Self::class_of).
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// The class of a token, by its number.
    pub fn class_of(&self, token: Token) -> usize {
        token.class(self.classes.len())
    }

    /// Every valid token, in order.
    pub fn valid(&self) -> impl Iterator<Item = &str> {
        self.of_class(0)
    }

    /// Every token under revocation test, in the order of the revocations.
    pub fn watched(&self) -> impl Iterator<Item = &str> {
        self.of_class(self.classes.len() - 1)
    }

    fn of_class(&self, class: usize) -> impl Iterator<Item = &str> {
        (self.firsts[class]..self.firsts[class + 1]).map(|number| self.numbered(number))
    }

    /// How many valid tokens there are.
    pub fn live_count(&self) -> u32 {
        u32::try_from(self.firsts[1]).expect("a pool has fewer than 2^32 tokens")
    }

    /// How many different valid tokens there are.
    pub fn different_count(&self) -> u32 {
        // Of ten million tokens the hashes take less room than a table of them would.
        let random = RandomState::new();
        let mut hashes: Vec<u64> = self.valid().map(|token| random.hash_one(token)).collect();
        hashes.sort_unstable();
        hashes.dedup();
        u32::try_from(hashes.len()).expect("a pool has fewer than 2^32 tokens")
    }

    /// Size of a valid token in characters: smallest, median, largest. `None` without one.
    pub fn characters(&self) -> Option<[u64; 3]> {
        // By size rather than by token: of ten million tokens few differ in it.
        let mut counts: BTreeMap<u64, usize> = BTreeMap::new();
        for token in self.valid() {
            *counts.entry(token.len() as u64).or_default() += 1;
        }
        let mut up_to = counts.iter().scan(0, |sum, (size, count)| {
            *sum += count;
            Some((*size, *sum))
        });
        let (median, _) = up_to.find(|(_, sum)| *sum > self.firsts[1] / 2)?;
        Some([*counts.first_key_value()?.0, median, *counts.last_key_value()?.0])
    }

    /// A valid token of the median size. `None` without one.
    pub fn median(&self) -> Option<&str> {
        let [_, median, _] = self.characters()?;
        self.valid().find(|token| token.len() as u64 == median)
    }

    /// The text of a token.
    ///
    /// # Panics
    /// If the pool is smaller than the plan says.
    pub(crate) fn text(&self, token: Token) -> &str {
        let class = self.class_of(token);
        let (Token::Live(index) | Token::Bad { index, .. } | Token::Watched(index)) = token;
        let number = self.firsts[class] + index as usize;
        assert!(number < self.firsts[class + 1], "{token:?} is not in the pool");
        self.numbered(number)
    }

    fn numbered(&self, number: usize) -> &str {
        if let Some(token) = self.replaced.get(&number) {
            return token;
        }
        let begin = if number == 0 { 0 } else { self.ends[number - 1] };
        &self.text[begin..self.ends[number]]
    }

    /// The valid token that expires first, and when, as far as is known.
    pub fn first_expiry(&self) -> Option<(u32, Stamp)> {
        (0..).zip(&self.expiries).map(|(token, expiry)| (token, *expiry)).min_by_key(|(_, expiry)| *expiry)
    }

    /// The valid tokens that expire before an instant, as far as is known.
    pub fn expiring_before(&self, instant: Stamp) -> Vec<u32> {
        (0..).zip(&self.expiries).filter(|(_, expiry)| **expiry < instant).map(|(token, _)| token).collect()
    }

    /// When a valid token expires; never, as far as is known, of any other.
    #[inline]
    pub(crate) fn expiry(&self, token: Token) -> Stamp {
        let Token::Live(index) = token else { return NEVER };
        self.expiries.get(index as usize).copied().unwrap_or(NEVER)
    }

    /// The same tokens, some of the valid ones replaced by others of which it is not known when they expire: the text is shared, and what was
    /// replaced before is gone.
    #[must_use]
    pub fn replacing(&self, fresh: impl IntoIterator<Item = (u32, Arc<str>)>) -> Self {
        let mut pool = self.clone();
        for (index, token) in fresh {
            assert!((index as usize) < self.firsts[1], "{index} is no valid token of the pool");
            pool.replaced.insert(index as usize, token);
            if let Some(expiry) = pool.expiries.get_mut(index as usize) {
                *expiry = NEVER;
            }
        }
        pool
    }

    /// The same tokens, some of the valid and watched ones replaced by others, with when these expire.
    #[must_use]
    pub fn with(&self, fresh: &BTreeMap<Token, (String, Option<Stamp>)>) -> Self {
        let (firsts, classes) = (vec![0; self.firsts.len()], self.classes.clone());
        let mut filling = Filling(Self {
            text: Arc::new(String::with_capacity(self.text.len())),
            ends: Arc::default(),
            replaced: HashMap::new(),
            expiries: Vec::new(),
            firsts,
            classes,
        });
        filling.reserve(self.ends.len());
        for (index, token) in (0..).zip(self.valid()) {
            let same = || (token, self.expiries.get(index as usize).copied());
            let (token, expires) =
                fresh.get(&Token::Live(index)).map_or_else(same, |(text, expires)| (text, *expires));
            filling.add_valid(token, expires);
        }
        let last = self.classes.len() - 1;
        for class in 1..last {
            self.of_class(class).for_each(|token| filling.add(TokenClass::Bad(class - 1), token));
        }
        for (index, token) in (0..).zip(self.watched()) {
            let token = fresh.get(&Token::Watched(index)).map_or(token, |(text, _)| text);
            filling.add(TokenClass::Watched, token);
        }
        filling.full()
    }
}

impl Filling {
    /// Makes room for so many tokens.
    pub fn reserve(&mut self, tokens: usize) {
        Arc::make_mut(&mut self.0.ends).reserve_exact(tokens);
    }

    /// Adds a token behind those of its class that are there already.
    ///
    /// # Panics
    /// If a token of a later class is there already, or the class is not one of this pool.
    pub fn add(&mut self, class: TokenClass, token: &str) {
        let pool = &mut self.0;
        let class = match class {
            TokenClass::Valid => 0,
            TokenClass::Bad(kind) => 1 + kind,
            TokenClass::Watched => pool.classes.len() - 1,
        };
        assert_eq!(pool.firsts[class + 1], pool.ends.len(), "classes come one after the other");
        Arc::make_mut(&mut pool.text).push_str(token);
        Arc::make_mut(&mut pool.ends).push(pool.text.len());
        for first in &mut pool.firsts[class + 1..] {
            *first += 1;
        }
    }

    /// Adds a valid token, with when it expires if that is known.
    ///
    /// # Panics
    /// As [`Self::add`].
    pub fn add_valid(&mut self, token: &str, expires: Option<Stamp>) {
        self.add(TokenClass::Valid, token);
        let known = &mut self.0.expiries;
        if expires.is_some() || !known.is_empty() {
            known.resize(self.0.firsts[1] - 1, NEVER);
            known.push(expires.unwrap_or(NEVER));
        }
    }

    /// The pool, without room for more.
    pub fn full(mut self) -> TokenPool {
        Arc::make_mut(&mut self.0.text).shrink_to_fit();
        Arc::make_mut(&mut self.0.ends).shrink_to_fit();
        self.0.expiries.shrink_to_fit();
        self.0
    }
}

#[cfg(test)]
mod tests;
