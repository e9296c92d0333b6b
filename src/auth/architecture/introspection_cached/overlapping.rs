//! Questions about one token that are under way at once: the answer that counts is that to the question which was begun last.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::time::Instant;

use crate::auth::architecture::introspection_cached::answer::KeptAnswer;
use crate::auth::token::TokenId;

/// The tokens that somebody asks about. Nothing is remembered of one whose questions have ended: no older answer can come any more.
#[derive(Default)]
pub(super) struct Overlapping(Mutex<HashMap<TokenId, Overlap>>);

/// The questions about one token.
#[derive(Default)]
struct Overlap {
    under_way: usize,
    /// What was said to the one that was begun last of those that have ended.
    newest: Option<Arc<KeptAnswer>>,
}

/// A question, which is under way until it is dropped.
pub(super) struct PendingQuestion<'a> {
    all: &'a Overlapping,
    id: TokenId,
    /// When it was begun.
    pub(super) asked: Instant,
}

impl Overlapping {
    /// Begins a question.
    pub(super) fn begin(&self, id: TokenId) -> PendingQuestion<'_> {
        self.lock().entry(id).or_default().under_way += 1;
        PendingQuestion { all: self, id, asked: Instant::now() }
    }

    /// Held by those who meet no answer, for as long as it takes to keep one.
    fn lock(&self) -> MutexGuard<'_, HashMap<TokenId, Overlap>> {
        self.0.lock().expect("no holder of this lock panics")
    }
}

impl PendingQuestion<'_> {
    /// Ends with this answer, which `keep` keeps unless a question that was begun later has been answered. What counts for whoever asked:
    /// the newer answer then, but that a token is not active counts however old it is.
    pub(super) fn end(self, answer: Arc<KeptAnswer>, keep: impl FnOnce(&Arc<KeptAnswer>)) -> Arc<KeptAnswer> {
        let mut all = self.all.lock();
        let newest = &mut all.get_mut(&self.id).expect("this question is under way").newest;
        match newest {
            Some(newer) if newer.asked > answer.asked => {
                if answer.claims.is_some() {
                    Arc::clone(newer)
                } else {
                    answer
                }
            }
            _ => {
                keep(&answer);
                *newest = Some(Arc::clone(&answer));
                answer
            }
        }
    }
}

impl Drop for PendingQuestion<'_> {
    fn drop(&mut self) {
        let mut all = self.all.lock();
        let Some(overlap) = all.get_mut(&self.id) else { return };
        overlap.under_way -= 1;
        if overlap.under_way == 0 {
            all.remove(&self.id);
        }
    }
}
