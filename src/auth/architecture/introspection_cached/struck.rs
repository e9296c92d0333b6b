//! Which of the answers that are kept no longer count, by what was pushed.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, RwLock};
use std::time::Duration;

use moka::sync;
use tokio::time::Instant;

use crate::auth::architecture::introspection_cached::answer::KeptAnswer;
use crate::auth::future::BoxFuture;
use crate::auth::issuer::Unreachable;
use crate::auth::pushed::RevocationListener;
use crate::auth::revocation_event::RevocationEvent;
use crate::auth::token::TokenId;

/// Strikes answers. To take one out of the cache is not enough, and is done for the memory alone: the answer may be under way, and kept after
/// the event about its token. So each knows what had been heard when it was asked for.
pub(super) struct Struck {
    answers: sync::Cache<TokenId, Arc<KeptAnswer>>,
    /// How long an answer may be of use, and an event be needed.
    longest: Duration,
    /// Held for a look-up, or to add an event.
    heard: RwLock<Heard>,
}

#[derive(Default)]
struct Heard {
    /// Events, and gaps in which events may have been missed, so far.
    sequence: u64,
    /// The last gap: what was asked for before does not count.
    gap: u64,
    /// The last event about a token, by the hash of its text. Others may know it by another text: a signature can be written in several ways.
    tokens: HashMap<TokenId, u64>,
    /// The same by its `jti`, if the answer says it. A token that was exchanged for another has another one.
    jtis: HashMap<Arc<str>, u64>,
    /// The numbers of all of them in order, and when they are needed no more.
    ends: VecDeque<(Instant, u64, TokenId, Arc<str>)>,
}

impl Struck {
    pub(super) fn new(answers: sync::Cache<TokenId, Arc<KeptAnswer>>, longest: Duration) -> Self {
        Self { answers, longest, heard: RwLock::default() }
    }

    /// What an answer knows that is asked for now.
    pub(super) fn sequence(&self) -> u64 {
        self.read(|heard| heard.sequence)
    }

    /// Whether what is kept counts.
    pub(super) fn stands(&self, id: TokenId, answer: &KeptAnswer) -> bool {
        self.read(|heard| heard.gap <= answer.sequence && !heard.has_struck(id, answer))
    }

    /// Whether it was asked for so long ago that a revocation of the token may have been missed. That it is not active is said once for all.
    pub(super) fn is_of_before_a_gap(&self, answer: &KeptAnswer) -> bool {
        answer.claims.is_some() && self.read(|heard| answer.sequence < heard.gap)
    }

    /// Whether the token was revoked since it was asked about.
    pub(super) fn has_struck(&self, id: TokenId, answer: &KeptAnswer) -> bool {
        self.read(|heard| heard.has_struck(id, answer))
    }

    fn read<T>(&self, read: impl FnOnce(&Heard) -> T) -> T {
        read(&self.heard.read().expect("no holder of this lock panics"))
    }
}

impl Heard {
    fn has_struck(&self, id: TokenId, answer: &KeptAnswer) -> bool {
        if answer.sequence == self.sequence {
            return false;
        }
        let jti = answer.claims.as_ref().and_then(|claims| claims.jti.as_deref());
        let events = [self.tokens.get(&id), jti.and_then(|jti| self.jtis.get(jti))];
        events.into_iter().flatten().any(|event| answer.sequence < *event)
    }

    fn forget(&mut self, now: Instant) {
        while let Some((_, event, token, jti)) = self.ends.pop_front_if(|(end, ..)| *end <= now) {
            // There may be a later one about the token: nothing says that no event comes twice.
            if self.tokens.get(&token) == Some(&event) {
                self.tokens.remove(&token);
            }
            if self.jtis.get(&jti) == Some(&event) {
                self.jtis.remove(&jti);
            }
        }
    }
}

impl RevocationListener for Struck {
    fn catch_up(&self) -> BoxFuture<'_, Result<(), Unreachable>> {
        let mut heard = self.heard.write().expect("no holder of this lock panics");
        let sequence = heard.sequence + 1;
        *heard = Heard { sequence, gap: sequence, ..Heard::default() };
        drop(heard);
        self.answers.invalidate_all();
        Box::pin(async { Ok(()) })
    }

    fn revoked(&self, event: &RevocationEvent) {
        let now = Instant::now();
        let mut heard = self.heard.write().expect("no holder of this lock panics");
        heard.forget(now);
        heard.sequence += 1;
        let sequence = heard.sequence;
        heard.tokens.insert(event.token, sequence);
        heard.jtis.insert(Arc::clone(&event.jti), sequence);
        heard.ends.push_back((now + self.longest, sequence, event.token, Arc::clone(&event.jti)));
        drop(heard);
        self.answers.invalidate(&event.token);
    }
}
