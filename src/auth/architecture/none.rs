//! The control: what a resource server costs that checks nothing.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::auth::architecture::{Architecture, Context, NotReady, TokenValidator, Tokens, Verified};
use crate::auth::future::BoxFuture;
use crate::auth::token::Rejection;
use crate::design::Design;

/// Looks at no token and accepts every request.
///
/// * Data flow: the resource server answers a request without a look at its token.
/// * Specification: none; it is the control that every other architecture is measured against.
/// * A revoked token is accepted for ever, and so is everything else that stands in the place of a token.
/// * The cost is that of HTTP alone. What another architecture takes beyond it, its way to decide takes.
/// * Without the authorization server nothing changes: it is never asked, not even at the start.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

impl Architecture for Nothing {
    fn tokens(&self) -> Tokens {
        Tokens::Any
    }

    fn design(&self) -> Design {
        Design::UNCHECKED
    }

    fn validator(&self, _: Context) -> BoxFuture<'_, Result<Arc<dyn TokenValidator>, NotReady>> {
        Box::pin(async { Ok(Arc::new(Unchecking) as Arc<_>) })
    }
}

struct Unchecking;

impl TokenValidator for Unchecking {
    fn validate<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Verified, Rejection>> {
        Box::pin(async { Ok(Verified::Unchecked) })
    }
}
