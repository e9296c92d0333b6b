//! Introspection for every request: the authorization server decides, and a revocation counts at once.

use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::auth::architecture::{
    Architecture, Context, NotReady, Staleness, TokenValidator, Tokens, Verified,
};
use crate::auth::future::BoxFuture;
use crate::auth::issuer::{Introspection, Unreachable};
use crate::auth::token::{Claims, Rejection};

/// Asks every time.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Introspecting {}

impl Architecture for Introspecting {
    fn tokens(&self) -> Tokens {
        Tokens::Any
    }

    fn staleness(&self) -> Staleness {
        Staleness::AskedEveryTime
    }

    fn validator(&self, context: Context) -> BoxFuture<'_, Result<Arc<dyn TokenValidator>, NotReady>> {
        Box::pin(async { Ok(Arc::new(Asking { context }) as Arc<_>) })
    }
}

struct Asking {
    context: Context,
}

impl TokenValidator for Asking {
    fn validate<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<Verified, Rejection>> {
        Box::pin(async move {
            let claims = ask(&self.context, token).await?;
            let now = self.context.clock.now();
            self.context.policy.check(&claims, now, Duration::ZERO)?;
            Ok(Verified::Claims(Arc::new(claims)))
        })
    }
}

/// The claims of an active token, not yet checked against the policy.
pub(super) async fn ask(context: &Context, token: &str) -> Result<Claims, Rejection> {
    match context.issuer.introspect(token).await {
        Ok(Introspection::Active(claims)) => Ok(claims),
        Ok(Introspection::Inactive) => Err(Rejection::Inactive),
        Err(Unreachable(_)) => Err(Rejection::Undecided),
    }
}
