//! Local verification of JWTs, each once: what was verified is remembered, so that a signature costs per token rather than per request.

use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use moka::sync::{Cache, CacheBuilder};
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::time::Instant;

use crate::auth::architecture::jwt::{LocalJwt, Verifying, VerifyingKeys};
use crate::auth::architecture::{
    Architecture, CacheCounts, Context, NotReady, TokenValidator, Tokens, Verified,
};
use crate::auth::future::BoxFuture;
use crate::auth::token::{Claims, Rejection, TokenId};
use crate::design::Design;
use crate::units::Period;

/// Verifies as `jwt` does, and keeps the claims of each token that passed, so that it need not be verified again.
///
/// * Data flow: as for `jwt`. A token is looked up by its SHA-256. What is kept are its claims and with which keys they were verified; `exp`,
///   `nbf`, `iss`, `aud` and scope are checked for every request. A token that was refused is not kept.
/// * Specification: RFC 9068 leaves open when a signature is verified; RFC 8725 section 3.3 asks for it before anything of a token is used.
/// * A revoked token is accepted until it expires. A key that is no longer published counts until the keys are fetched again, as for
///   `jwt`: claims are kept no longer than the keys that verified them, and every fetch of keys brings new ones.
/// * The cost is a hash of each token for each request, one signature for each token and `jwt.refresh`, and the memory of the claims. It pays
///   where verifying is dear beside hashing, and tokens come back: with post-quantum signatures the hash is that of a long token.
/// * Without the authorization server it does what `jwt` does: as long as keys may be used, `jwt.stale_on_error`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(example = serde_json::json!({ "ttl": "30s", "capacity": 10_000 }))]
pub(super) struct JwtCached {
    /// How long claims are kept: by default until the token expires or the keys are fetched again.
    ttl: Option<Period>,
    /// Of how many tokens claims are kept; beyond it the least useful are dropped.
    capacity: u64,
    /// How tokens are verified: the settings of the architecture `jwt`.
    jwt: LocalJwt,
}

impl Default for JwtCached {
    fn default() -> Self {
        Self { ttl: None, capacity: 1_000_000, jwt: LocalJwt::default() }
    }
}

impl Architecture for JwtCached {
    fn tokens(&self) -> Tokens {
        self.jwt.tokens()
    }

    fn built_on(&self) -> Option<&dyn Architecture> {
        Some(&self.jwt)
    }

    fn design(&self) -> Design {
        self.jwt.design()
    }

    fn validator(&self, context: Context) -> BoxFuture<'_, Result<Arc<dyn TokenValidator>, NotReady>> {
        Box::pin(async move {
            let jwt = self.jwt.verifying(context).await?;
            let ttl = self.ttl.map(Period::duration);
            // The cache only bounds the memory: tokio's clock, which tests can hold, tells how long claims count.
            let kept = Cache::builder().max_capacity(self.capacity);
            let kept = ttl.into_iter().fold(kept, CacheBuilder::time_to_live).build();
            let (hits, misses) = (AtomicU64::new(0), AtomicU64::new(0));
            Ok(Arc::new(Remembering { jwt, ttl, kept, hits, misses }) as Arc<_>)
        })
    }
}

struct Remembering {
    jwt: Verifying,
    ttl: Option<Duration>,
    kept: Cache<TokenId, Kept>,
    hits: AtomicU64,
    misses: AtomicU64,
}

#[derive(Clone)]
struct Kept {
    claims: Arc<Claims>,
    /// Not owned: keys that were replaced go, though tokens that they verified are still kept.
    keys: Weak<VerifyingKeys>,
    verified: Instant,
}

impl TokenValidator for Remembering {
    fn validate<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<Verified, Rejection>> {
        Box::pin(async move { self.claims(token).await.map(Verified::Claims) })
    }

    fn cache(&self) -> CacheCounts {
        CacheCounts {
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
            ..CacheCounts::default()
        }
    }
}

impl Remembering {
    async fn claims(&self, token: &str) -> Result<Arc<Claims>, Rejection> {
        let (id, keys) = (TokenId::of(token), self.jwt.keys().await?);
        if let Some(kept) = self.kept.get(&id)
            && self.counts(&kept, &keys)
        {
            self.hits.fetch_add(1, Ordering::Relaxed);
            self.jwt.check(&kept.claims)?;
            return Ok(kept.claims);
        }
        self.misses.fetch_add(1, Ordering::Relaxed);
        let verified = Instant::now();
        // Maybe with newer keys: then it is verified once more, since these are not those that are kept beside the claims.
        let claims = Arc::new(self.jwt.verified_with(&keys, token).await?);
        self.kept.insert(id, Kept { claims: Arc::clone(&claims), keys: Arc::downgrade(&keys), verified });
        Ok(claims)
    }

    fn counts(&self, kept: &Kept, keys: &Arc<VerifyingKeys>) -> bool {
        let is_young = self.ttl.is_none_or(|ttl| kept.verified.elapsed() < ttl);
        is_young && ptr::eq(kept.keys.as_ptr(), Arc::as_ptr(keys))
    }
}
