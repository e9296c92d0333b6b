//! What servers note while requests wait, to be read afterwards: all of it, or nothing.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

/// Keeps entries in their order, up to a limit.
#[derive(Debug)]
pub struct BoundedLog<T> {
    /// Held for one push.
    chunks: Mutex<Vec<Vec<T>>>,
    most_chunks: usize,
    /// Set when an entry was not kept.
    is_full: AtomicBool,
}

/// Entries in a piece of memory: one that grew would be moved while requests wait.
const CHUNK: usize = 4_096;
/// A server left running alone must not grow without end: ten million entries.
const MOST_CHUNKS: usize = 10_000_000 / CHUNK;

impl<T> Default for BoundedLog<T> {
    fn default() -> Self {
        Self { chunks: Mutex::default(), most_chunks: MOST_CHUNKS, is_full: AtomicBool::new(false) }
    }
}

impl<T: Clone> BoundedLog<T> {
    /// Notes an entry, if there is room.
    pub fn add(&self, entry: T) {
        let mut chunks = self.chunks.lock().expect("no holder of this lock panics");
        if chunks.last().is_none_or(|chunk| chunk.len() == CHUNK) {
            if chunks.len() == self.most_chunks {
                self.is_full.store(true, Ordering::Relaxed);
                return;
            }
            chunks.push(Vec::with_capacity(CHUNK));
        }
        chunks.last_mut().expect("there is one with room").push(entry);
    }

    /// All of them; nothing if there were more than are kept, since the rest would look as if it had not been.
    pub fn all(&self) -> Option<Vec<T>> {
        let chunks = self.chunks.lock().expect("no holder of this lock panics");
        (!self.is_full.load(Ordering::Relaxed)).then(|| chunks.concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_is_kept_in_its_order_or_none_is_told() {
        let log = BoundedLog { most_chunks: 3, ..BoundedLog::default() };
        (0..CHUNK * 3).for_each(|number| log.add(number));
        let all = log.all().unwrap();
        assert_eq!(all.len(), CHUNK * 3);
        assert!((0..).zip(&all).all(|(number, entry)| *entry == number));
        log.add(CHUNK * 3);
        assert_eq!(log.all(), None);
    }
}
