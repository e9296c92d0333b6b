//! Decides by the answers that are kept, and counts how.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::time::Instant;

use crate::auth::architecture::introspection::{Member, check};
use crate::auth::architecture::introspection_cached::answer::KeptAnswer;
use crate::auth::architecture::introspection_cached::questions::Questions;
use crate::auth::architecture::{CacheCounts, Context, TokenValidator, Verified};
use crate::auth::future::BoxFuture;
use crate::auth::token::{Policy, Rejection, TokenId};

/// The validator.
pub(super) struct Remembering {
    context: Context,
    require: Vec<Member>,
    questions: Arc<Questions>,
    hits: AtomicU64,
    negative_hits: AtomicU64,
    misses: AtomicU64,
    stale_answers: AtomicU64,
    refreshes: AtomicU64,
}

impl Remembering {
    pub(super) fn new(context: Context, require: Vec<Member>, questions: Arc<Questions>) -> Self {
        let [hits, negative_hits, misses, stale_answers, refreshes] = [0; 5].map(AtomicU64::new);
        Self { context, require, questions, hits, negative_hits, misses, stale_answers, refreshes }
    }

    async fn answer(&self, token: &str) -> Result<Arc<KeptAnswer>, Rejection> {
        let id = TokenId::of(token);
        let now = Instant::now();
        if let Some(answer) = self.questions.kept(id).filter(|answer| answer.is_fresh(now)) {
            self.hit(&answer);
            if answer.begins_refresh(now) {
                self.refresh(id, token, &answer);
            }
            return Ok(answer);
        }
        count(&self.misses);
        if let Some(log) = &self.context.misses {
            log.add(id);
        }
        // The box keeps a hit small: what it takes to ask is several times as large.
        if let Some(answer) = Box::pin(self.questions.ask(id, token, None)).await {
            return Ok(answer);
        }
        // Looked for anew: others may have been told meanwhile, that the token is not active for one.
        let kept = self.questions.kept(id).filter(|answer| answer.is_usable_on_error(Instant::now()));
        kept.inspect(|_| count(&self.stale_answers)).ok_or(Rejection::Undecided)
    }

    fn hit(&self, answer: &KeptAnswer) {
        count(&self.hits);
        if answer.claims.is_none() {
            count(&self.negative_hits);
        }
    }

    /// Asks again, while this request and the others go on.
    fn refresh(&self, id: TokenId, token: &str, known: &Arc<KeptAnswer>) {
        count(&self.refreshes);
        let (questions, token, known) = (Arc::clone(&self.questions), token.to_owned(), Arc::clone(known));
        tokio::spawn(async move { questions.ask(id, &token, Some(known)).await });
    }
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl TokenValidator for Remembering {
    fn validate<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<Verified, Rejection>> {
        Box::pin(async move {
            let answer = self.answer(token).await?;
            let claims = answer.claims.as_ref().ok_or(Rejection::Inactive)?;
            answer.ensure_fits(
                || Policy::check_stated_dates(claims, self.context.clock.now()),
                || check(&self.context, &self.require, claims),
            )?;
            Ok(Verified::Stated(Arc::clone(claims)))
        })
    }

    fn cache(&self) -> CacheCounts {
        let now = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        CacheCounts {
            hits: now(&self.hits),
            negative_hits: now(&self.negative_hits),
            misses: now(&self.misses),
            stale_answers: now(&self.stale_answers),
            refreshes: now(&self.refreshes),
        }
    }

    fn counters(&self) -> Vec<(&'static str, u64)> {
        let names = ["push_events", "push_reconnects", "push_flushes"];
        self.questions.pushed().into_iter().flat_map(|counts| names.into_iter().zip(counts)).collect()
    }
}
