//! The miss log: which tokens a cache was asked for in vain, and when.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};

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
#[derive(Debug)]
pub struct MissLog {
    /// Held for one push.
    chunks: Mutex<Vec<Vec<Miss>>>,
    most_chunks: usize,
    /// Set when one was not kept.
    is_full: AtomicBool,
}

/// Misses in a piece of memory of 64 KB: one that grew would be moved while requests wait.
const CHUNK: usize = 4_096;
/// So many take 160 MB: more than any trial has, and an end where there is none.
const MOST_CHUNKS: usize = 10_000_000 / CHUNK;

impl Default for MissLog {
    fn default() -> Self {
        Self { chunks: Mutex::default(), most_chunks: MOST_CHUNKS, is_full: AtomicBool::new(false) }
    }
}

impl MissLog {
    /// Notes that there is no answer about this token now.
    pub fn add(&self, token: TokenId) {
        let miss = Miss { token: token.first_bits(), at: Stamp::now() };
        let mut chunks = self.chunks.lock().expect("no holder of this lock panics");
        if chunks.last().is_none_or(|chunk| chunk.len() == CHUNK) {
            if chunks.len() == self.most_chunks {
                self.is_full.store(true, Ordering::Relaxed);
                return;
            }
            chunks.push(Vec::with_capacity(CHUNK));
        }
        chunks.last_mut().expect("there is one with room").push(miss);
    }

    /// All of them; nothing if there were more than are kept, since the rest would look like hits.
    pub fn all(&self) -> Option<Vec<Miss>> {
        let chunks = self.chunks.lock().expect("no holder of this lock panics");
        (!self.is_full.load(Ordering::Relaxed)).then(|| chunks.concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_miss_is_kept_in_its_order_or_none_is_told() {
        let log = MissLog { most_chunks: 2, ..MissLog::default() };
        let token = |number: usize| TokenId::of(&number.to_string());
        (0..2 * CHUNK).for_each(|number| log.add(token(number)));
        let all = log.all().unwrap();
        assert_eq!(all.len(), 2 * CHUNK);
        assert!((0..).zip(&all).all(|(number, miss)| miss.token == token(number).first_bits()));
        assert!(all.is_sorted_by_key(|miss| miss.at));
        log.add(token(0));
        assert_eq!(log.all(), None);
    }
}
