//! Introspection with a cache: fewer questions, and a revoked token lives on until its answer is dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use moka::sync::Cache;
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::time::Instant;

use crate::auth::architecture::introspection::{Member, ask, check};
use crate::auth::architecture::{
    Architecture, CacheCounts, Context, NotReady, TokenValidator, Tokens, Verified,
};
use crate::auth::future::BoxFuture;
use crate::auth::token::{Rejection, StatedClaims, TokenId};
use crate::design::Design;
use crate::units::Period;

/// Asks the authorization server about a token, and keeps the answer for the requests that follow.
///
/// * Data flow: the resource server looks for the answer in its memory, under the SHA-256 of the token. If there is none, or it is too
///   old, it asks as `introspection` does. It keeps the answer about an active token for `ttl` from the question on, but never past
///   the expiry of the token, as far as the answer says it (`require = ["exp"]`). The answer about an inactive one is not kept: what is
///   issued a moment later must work.
/// * Specification: RFC 7662, whose section 4 leaves caches to resource servers, within the expiry that the answer states.
/// * A revoked token is accepted for `ttl` at most, and never past its expiry where the answer states it. One that this resource server
///   has not seen within `ttl` is refused at once.
/// * The cost is a call for each token and resource server every `ttl` while the token is in use, and an answer in memory for each.
/// * Without the authorization server tokens are accepted whose answers are kept, and all others are answered with 503. It is not
///   needed at the start.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(example = serde_json::json!({ "ttl": "10s" }))]
pub(super) struct Cached {
    /// How long an answer is kept.
    ttl: Period,
    /// How many answers are kept; beyond it the least useful is dropped.
    #[serde(default = "default_capacity")]
    #[schemars(default = "default_capacity")]
    capacity: u64,
    /// What the authorization server must say of a token beside that it is active, as for `introspection`.
    #[serde(default)]
    require: Vec<Member>,
}

fn default_capacity() -> u64 {
    1_000_000
}

impl Architecture for Cached {
    fn tokens(&self) -> Tokens {
        Tokens::Any
    }

    fn design(&self) -> Design {
        Design::caching(self.ttl.duration())
    }

    fn validator(&self, context: Context) -> BoxFuture<'_, Result<Arc<dyn TokenValidator>, NotReady>> {
        let ttl = self.ttl.duration();
        // The cache only bounds the memory: freshness is told by tokio's clock, which tests can hold.
        let answers = Cache::builder().max_capacity(self.capacity).time_to_live(ttl).build();
        let require = self.require.clone();
        let (hits, misses) = (AtomicU64::new(0), AtomicU64::new(0));
        Box::pin(async move {
            Ok(Arc::new(Remembering { context, require, ttl, answers, hits, misses }) as Arc<_>)
        })
    }
}

struct Remembering {
    context: Context,
    require: Vec<Member>,
    ttl: Duration,
    answers: Cache<TokenId, Answer>,
    hits: AtomicU64,
    misses: AtomicU64,
}

#[derive(Clone)]
struct Answer {
    claims: Arc<StatedClaims>,
    fresh_until: Instant,
}

impl TokenValidator for Remembering {
    fn validate<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<Verified, Rejection>> {
        Box::pin(async move {
            let claims = self.claims(token).await?;
            check(&self.context, &self.require, &claims)?;
            Ok(Verified::Stated(claims))
        })
    }

    fn cache(&self) -> CacheCounts {
        CacheCounts { hits: self.hits.load(Ordering::Relaxed), misses: self.misses.load(Ordering::Relaxed) }
    }
}

impl Remembering {
    async fn claims(&self, token: &str) -> Result<Arc<StatedClaims>, Rejection> {
        let id = TokenId::of(token);
        if let Some(answer) = self.answers.get(&id)
            && Instant::now() < answer.fresh_until
        {
            self.hits.fetch_add(1, Ordering::Relaxed);
            return Ok(answer.claims);
        }
        self.misses.fetch_add(1, Ordering::Relaxed);
        // Counted from the question, not from the answer: what was true when asked is at most `ttl` old.
        let asked = Instant::now();
        let claims = Arc::new(ask(&self.context, token).await?);
        let expiry = claims.exp.map(|exp| self.context.clock.instant(exp));
        let stale = asked + self.ttl;
        let fresh_until = expiry.map_or(stale, |expiry| expiry.min(stale));
        self.answers.insert(id, Answer { claims: Arc::clone(&claims), fresh_until });
        Ok(claims)
    }
}
