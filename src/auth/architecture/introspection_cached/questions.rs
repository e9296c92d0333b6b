//! Asks about tokens, alone or together, and keeps what is said.

use std::num::NonZeroU64;
use std::sync::Arc;

use moka::{future, sync};
use tokio::time::Instant;

use crate::auth::architecture::Context;
use crate::auth::architecture::introspection_cached::answer::{KeptAnswer, Lifetimes};
use crate::auth::architecture::introspection_cached::overlapping::Overlapping;
use crate::auth::issuer::{Issuer, Unreachable};
use crate::auth::token::{TokenId, WallClock};

/// The answers that are kept, and the way to new ones.
pub(super) struct Questions {
    issuer: Arc<dyn Issuer>,
    clock: WallClock,
    lifetimes: Lifetimes,
    /// It only bounds the memory: freshness is told by tokio's clock, which tests can hold.
    answers: sync::Cache<TokenId, Arc<KeptAnswer>>,
    /// Who asks now: a question that was begun before another one does not undo what that one brought.
    overlapping: Overlapping,
    /// Brings those together who ask about one token at once. It has room for nothing: what is kept is kept above, where a hit is taken
    /// without a future.
    under_way: Option<future::Cache<TokenId, Arc<KeptAnswer>>>,
}

impl Questions {
    pub(super) fn new(
        context: &Context,
        lifetimes: Lifetimes,
        capacity: NonZeroU64,
        coalesce: bool,
    ) -> Arc<Self> {
        let answers =
            sync::Cache::builder().max_capacity(capacity.get()).time_to_live(lifetimes.longest()).build();
        Arc::new(Self {
            issuer: Arc::clone(&context.issuer),
            clock: context.clock,
            lifetimes,
            answers,
            overlapping: Overlapping::default(),
            under_way: coalesce.then(|| future::Cache::new(0)),
        })
    }

    /// What is kept of a token, whether it still counts or not.
    pub(super) fn kept(&self, id: TokenId) -> Option<Arc<KeptAnswer>> {
        self.answers.get(&id)
    }

    /// Asks, and keeps what is said. `None` if nobody can be asked. Whoever joins a question that is under way gets its answer, unless that
    /// took so long that it no longer counts: then they ask once more, together. `known` is one that will not do, though it may be fresh.
    pub(super) async fn ask(
        self: &Arc<Self>,
        id: TokenId,
        token: &str,
        known: Option<Arc<KeptAnswer>>,
    ) -> Option<Arc<KeptAnswer>> {
        let Some(under_way) = &self.under_way else { return self.ask_alone(id, token).await.ok() };
        let begun = Instant::now();
        let answer = self.ask_together(under_way, id, token, known).await?;
        if answer.asked >= begun || answer.is_fresh(Instant::now()) {
            return Some(answer);
        }
        self.ask_together(under_way, id, token, Some(answer)).await
    }

    async fn ask_together(
        self: &Arc<Self>,
        under_way: &future::Cache<TokenId, Arc<KeptAnswer>>,
        id: TokenId,
        token: &str,
        known: Option<Arc<KeptAnswer>>,
    ) -> Option<Arc<KeptAnswer>> {
        let (questions, under_way, token) = (Arc::clone(self), under_way.clone(), token.to_owned());
        // A task of its own: where the request that asks is given up, those that wait need not begin anew.
        let together = tokio::spawn(async move {
            let newer = async {
                // The question that this one would have joined may just have ended.
                match questions.newer(id, known.as_ref()) {
                    Some(answer) => Ok(answer),
                    None => questions.ask_alone(id, &token).await,
                }
            };
            under_way.try_get_with(id, newer).await
        });
        together.await.ok()?.ok()
    }

    /// What is kept and counts, and is not what is known.
    fn newer(&self, id: TokenId, known: Option<&Arc<KeptAnswer>>) -> Option<Arc<KeptAnswer>> {
        let is_known = |answer: &Arc<KeptAnswer>| known.is_some_and(|known| Arc::ptr_eq(known, answer));
        self.kept(id).filter(|answer| answer.is_fresh(Instant::now()) && !is_known(answer))
    }

    async fn ask_alone(&self, id: TokenId, token: &str) -> Result<Arc<KeptAnswer>, Unreachable> {
        let question = self.overlapping.begin(id);
        let said = self.issuer.introspect(token).await?;
        let answer = Arc::new(self.lifetimes.answer(id, said, question.asked, self.clock));
        Ok(question.end(answer, |answer| {
            if answer.claims.is_some() || self.lifetimes.negative.is_some() {
                self.answers.insert(id, Arc::clone(answer));
            } else {
                // What was said before must not count again when nobody can be asked.
                self.answers.invalidate(&id);
            }
        }))
    }
}
