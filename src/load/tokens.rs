//! The tokens that requests carry, and what is the right answer to each.

use std::collections::{BTreeMap, HashMap};
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

    /// Whether a valid token is known to have expired at an instant.
    pub(crate) fn has_expired(&self, token: Token, at: Stamp) -> bool {
        let Token::Live(index) = token else { return false };
        self.expiries.get(index as usize).is_some_and(|expiry| *expiry <= at)
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
mod tests {
    use super::*;

    fn filled() -> TokenPool {
        let mut filling = TokenPool::filling([BadKind::Expired, BadKind::Revoked]);
        for (class, token) in [
            (TokenClass::Valid, "good"),
            (TokenClass::Valid, "better"),
            (TokenClass::Bad(0), "old"),
            (TokenClass::Bad(1), "withdrawn"),
            (TokenClass::Bad(1), "gone"),
            (TokenClass::Watched, "soon"),
        ] {
            filling.add(class, token);
        }
        filling.full()
    }

    #[test]
    fn every_token_has_its_text_and_its_class() {
        let pool = filled();
        assert_eq!(pool.classes(), ["valid", "expired", "revoked", "watched"]);
        for (token, text, class) in [
            (Token::Live(1), "better", 0),
            (Token::Bad { kind: 0, index: 0 }, "old", 1),
            (Token::Bad { kind: 1, index: 1 }, "gone", 2),
            (Token::Watched(0), "soon", 3),
        ] {
            assert_eq!(pool.text(token), text);
            assert_eq!(pool.class_of(token), class);
        }
        assert_eq!(pool.valid().collect::<Vec<_>>(), ["good", "better"]);
        assert_eq!(pool.watched().collect::<Vec<_>>(), ["soon"]);
    }

    #[test]
    #[should_panic(expected = "is not in the pool")]
    fn a_token_beyond_its_class_is_not_taken_from_the_next() {
        filled().text(Token::Live(2));
    }

    #[test]
    #[should_panic(expected = "one after the other")]
    fn a_class_that_is_filled_stays_so() {
        let mut filling = TokenPool::filling([BadKind::Expired]);
        filling.add(TokenClass::Watched, "soon");
        filling.add(TokenClass::Valid, "good");
    }

    #[test]
    fn tokens_expire_when_it_is_known_and_others_take_their_place() {
        let at = Stamp::from_nanos;
        let mut filling = TokenPool::filling([]);
        for (token, expires) in [("a", None), ("b", Some(at(20))), ("c", Some(at(10))), ("d", None)] {
            filling.add_valid(token, expires);
        }
        let pool = filling.full();
        assert_eq!(pool.first_expiry(), Some((2, at(10))));
        assert_eq!(pool.expiring_before(at(20)), [2]);
        assert_eq!(pool.expiring_before(at(21)), [1, 2]);
        let expired =
            |pool: &TokenPool, now| [0, 1, 2, 3].map(|token| pool.has_expired(Token::Live(token), at(now)));
        assert_eq!(expired(&pool, 10), [false, false, true, false]);
        let fresh = BTreeMap::from([
            (Token::Live(2), ("cc".to_owned(), Some(at(30)))),
            (Token::Live(0), ("aa".to_owned(), None)),
        ]);
        let renewed = pool.with(&fresh);
        assert_eq!(renewed.valid().collect::<Vec<_>>(), ["aa", "b", "cc", "d"]);
        assert_eq!(expired(&renewed, 29), [false, true, false, false]);
        assert_eq!(TokenPool::of_valid(["a"]).first_expiry(), None);
    }

    #[test]
    fn tokens_take_the_place_of_others_of_their_class_and_the_text_is_shared() {
        let pool = filled();
        let once = pool.replacing([(1, "best".into())]);
        let twice = once.replacing([(0, "fine".into()), (1, "very best".into())]);
        assert!(Arc::ptr_eq(&pool.text, &twice.text));
        assert_eq!(pool.valid().collect::<Vec<_>>(), ["good", "better"]);
        assert_eq!(once.valid().collect::<Vec<_>>(), ["good", "best"]);
        assert_eq!(twice.valid().collect::<Vec<_>>(), ["fine", "very best"]);
        assert_eq!(twice.text(Token::Live(1)), "very best");
        assert_eq!(twice.text(Token::Bad { kind: 0, index: 0 }), "old");
        assert_eq!(twice.live_count(), 2);
    }

    #[test]
    #[should_panic(expected = "2 is no valid token")]
    fn no_token_takes_the_place_of_a_bad_one() {
        let _ = filled().replacing([(2, "good".into())]);
    }

    #[test]
    fn tokens_that_take_the_place_of_others_leave_those_of_every_other_class_where_they_are() {
        let at = Stamp::from_nanos(7);
        let fresh = BTreeMap::from([
            (Token::Live(0), ("best".to_owned(), Some(at))),
            (Token::Watched(0), ("later".to_owned(), Some(at))),
        ]);
        let pool = filled().with(&fresh);
        assert_eq!(pool.classes(), filled().classes());
        for (token, text) in [
            (Token::Live(0), "best"),
            (Token::Live(1), "better"),
            (Token::Bad { kind: 0, index: 0 }, "old"),
            (Token::Bad { kind: 1, index: 1 }, "gone"),
            (Token::Watched(0), "later"),
        ] {
            assert_eq!(pool.text(token), text);
        }
        assert_eq!(pool.first_expiry(), Some((0, at)));
    }

    #[test]
    fn sizes_are_those_of_the_smallest_the_median_and_the_largest_valid_token() {
        let sizes = |tokens: &[&str]| TokenPool::of_valid(tokens).characters();
        assert_eq!(sizes(&[]), None);
        assert_eq!(sizes(&["abc"]), Some([3, 3, 3]));
        assert_eq!(sizes(&["a", "abc", "ab", "abcdef"]), Some([1, 3, 6]));
        assert_eq!(sizes(&["ab", "a", "ab", "abcdef", "a"]), Some([1, 2, 6]));
        assert_eq!(TokenPool::of_valid(["abcdef", "a", "bc", "de", "f"]).median(), Some("bc"));
    }

    #[test]
    fn a_million_tokens_cost_at_most_nine_bytes_each_besides_their_text() {
        let tokens: usize = 1_000_000;
        let mut filling = TokenPool::filling(BadKind::ALL);
        for number in 0..tokens {
            filling.add(TokenClass::Valid, &format!("token number {number} of many"));
        }
        let pool = filling.full();
        let length: usize = pool.valid().map(str::len).sum();
        let held = pool.text.capacity() + size_of_val(pool.ends.as_slice());
        assert_eq!(pool.ends.capacity(), pool.ends.len());
        assert!(held <= length + 9 * tokens, "{held} bytes for {length} of text");
        assert_eq!(pool.text(Token::Live(999_999)), "token number 999999 of many");
    }
}
