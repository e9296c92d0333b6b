//! Local verification of JWTs: nobody is asked, and a revoked token lives until it expires.

use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::auth::architecture::key_set::KeySet;
use crate::auth::architecture::{Architecture, Context, Staleness, TokenValidator, Tokens, Verified};
use crate::auth::future::BoxFuture;
use crate::auth::issuer::Unreachable;
use crate::auth::token::Rejection;
use crate::auth::token::jwt::KeyRing;
use crate::units::{Period, Span};

/// Verifies signature and claims with the published keys.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct LocalJwt {
    /// Grace after the expiry, for clocks that disagree.
    leeway: Span,
    /// How long fetched keys are used before they are fetched again.
    refresh: Period,
    /// How long after a fetch an unknown key does not cause another one.
    cooldown: Span,
}

impl Default for LocalJwt {
    fn default() -> Self {
        Self {
            leeway: Span::from_secs(0),
            // The defaults of Spring Security and Gloo for the one, of jose for the other.
            refresh: Period::from_secs(300),
            cooldown: Span::from_secs(30),
        }
    }
}

impl Architecture for LocalJwt {
    fn tokens(&self) -> Tokens {
        Tokens::Jwt
    }

    fn staleness(&self) -> Staleness {
        Staleness::UntilExpiry(self.leeway.duration())
    }

    fn validator(&self, context: Context) -> BoxFuture<'_, Result<Arc<dyn TokenValidator>, Unreachable>> {
        Box::pin(async move {
            let issuer = Arc::clone(&context.issuer);
            let keys = KeySet::fetch(issuer, self.refresh.duration(), self.cooldown.duration()).await?;
            Ok(Arc::new(Verifying { context, keys, leeway: self.leeway.duration() }) as Arc<_>)
        })
    }
}

struct Verifying {
    context: Context,
    keys: KeySet,
    leeway: Duration,
}

impl TokenValidator for Verifying {
    fn validate<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<Verified, Rejection>> {
        Box::pin(async move {
            let keys = self.keys.current().await;
            let verdict = self.verify(token, &keys);
            if !matches!(verdict, Err(Rejection::UnknownKey)) {
                return verdict;
            }
            match self.keys.newer(&keys).await {
                Some(keys) => self.verify(token, &keys),
                None => verdict,
            }
        })
    }
}

impl Verifying {
    fn verify(&self, token: &str, keys: &KeyRing) -> Result<Verified, Rejection> {
        let now = self.context.clock.now();
        let claims = keys.verify(token, &self.context.policy, now, self.leeway)?;
        Ok(Verified::Claims(Arc::new(claims)))
    }
}
