//! Asks about tokens, alone or together, and keeps what is said.

use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use moka::{future, sync};
use tokio::time::Instant;

use crate::auth::architecture::Context;
use crate::auth::architecture::introspection_cached::answer::{KeptAnswer, Lifetimes};
use crate::auth::architecture::introspection_cached::overlapping::Overlapping;
use crate::auth::architecture::introspection_cached::struck::Struck;
use crate::auth::issuer::{Issuer, Unreachable};
use crate::auth::pushed::PushChannel;
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
    /// What is pushed, if anything is.
    channel: Option<PushChannel<Struck>>,
}

impl Questions {
    pub(super) fn new(
        context: &Context,
        lifetimes: Lifetimes,
        capacity: NonZeroU64,
        coalesce: bool,
        push: Option<Duration>,
    ) -> Arc<Self> {
        let answers =
            sync::Cache::builder().max_capacity(capacity.get()).time_to_live(lifetimes.longest()).build();
        let channel = push.map(|silence| {
            let struck = Struck::new(answers.clone(), lifetimes.longest());
            PushChannel::connecting(Arc::clone(&context.issuer), silence, struck)
        });
        Arc::new(Self {
            issuer: Arc::clone(&context.issuer),
            clock: context.clock,
            lifetimes,
            answers,
            overlapping: Overlapping::default(),
            under_way: coalesce.then(|| future::Cache::new(0)),
            channel,
        })
    }

    /// What is kept of a token, whether it is still fresh or not. Nothing is that was pushed away, nor where nobody hears what is pushed.
    pub(super) fn kept(&self, id: TokenId) -> Option<Arc<KeptAnswer>> {
        let answer = self.answers.get(&id)?;
        let stands =
            |channel: &PushChannel<Struck>| channel.is_held_open() && channel.listener().stands(id, &answer);
        self.channel.as_ref().is_none_or(stands).then_some(answer)
    }

    /// What was counted of what is pushed, if anything is: events, channels opened again, and how often all answers were dropped.
    pub(super) fn pushed(&self) -> Option<[u64; 3]> {
        self.channel.as_ref().map(PushChannel::counts)
    }

    /// Asks, and keeps what is said. `None` if nobody can be asked. A token that was revoked meanwhile is not active, whatever was said; where
    /// that may have been missed meanwhile, it is asked once more.
    pub(super) async fn ask(
        self: &Arc<Self>,
        id: TokenId,
        token: &str,
        known: Option<Arc<KeptAnswer>>,
    ) -> Option<Arc<KeptAnswer>> {
        let mut answer = self.asked(id, token, known).await?;
        let Some(channel) = &self.channel else { return Some(answer) };
        if channel.listener().is_of_before_a_gap(&answer) {
            answer = self.asked(id, token, Some(answer)).await?;
            if channel.listener().is_of_before_a_gap(&answer) {
                return None;
            }
        }
        let is_struck = channel.listener().has_struck(id, &answer);
        Some(if is_struck { Arc::new(KeptAnswer::inactive(answer.asked, Duration::ZERO)) } else { answer })
    }

    /// Whoever joins a question that is under way gets its answer, unless that
    /// took so long that it no longer counts: then they ask once more, together. `known` is one that will not do, though it may be fresh.
    async fn asked(
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
        let sequence = self.channel.as_ref().map_or(0, |channel| channel.listener().sequence());
        let question = self.overlapping.begin(id);
        let said = self.issuer.introspect(token).await?;
        let answer = Arc::new(self.lifetimes.answer(id, said, (question.asked, sequence), self.clock));
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
