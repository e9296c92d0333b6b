//! Introspection for every request: the authorization server decides, and a revocation counts at once.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::auth::architecture::{Architecture, Context, NotReady, TokenValidator, Tokens, Verified};
use crate::auth::future::BoxFuture;
use crate::auth::issuer::{Introspection, Unreachable};
use crate::auth::token::{Rejection, Section, StatedClaims};
use crate::design::Design;

/// Asks the authorization server about the token of every request, and keeps no answer.
///
/// * Data flow: the resource server sends the token of each request to `/introspect`, and says who it is. The authorization server looks
///   the token up in its store and answers whether it is active, and with which claims. The resource server checks the claims that
///   the answer states.
/// * Specification: OAuth 2.0 Token Introspection (RFC 7662).
/// * A revoked token is accepted no more once its revocation is acknowledged: the next answer says that it is inactive.
/// * The cost is a call to the authorization server for each request, in latency and in CPU time of both, whether the token is good or not.
/// * Without the authorization server nobody can decide: every request is answered with 503 until it is back. It is not needed at the start.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Introspecting {
    /// What the authorization server must say of a token beside that it is active, the one thing that RFC 7662 section
    /// 2.2 requires. A token of which it is not said is refused. What is said is checked in any case.
    #[serde(default)]
    require: Vec<Member>,
}

/// A member of an introspection answer that is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Member {
    /// The issuer.
    Iss,
    /// The audience.
    Aud,
    /// The date from which on the token does not count.
    Exp,
    /// The scope.
    Scope,
}

impl Architecture for Introspecting {
    fn tokens(&self) -> Tokens {
        Tokens::Any
    }

    fn design(&self) -> Design {
        Design::ASKING_EVERY_TIME
    }

    fn validator(&self, context: Context) -> BoxFuture<'_, Result<Arc<dyn TokenValidator>, NotReady>> {
        let require = self.require.clone();
        Box::pin(async { Ok(Arc::new(Asking { context, require }) as Arc<_>) })
    }
}

struct Asking {
    context: Context,
    require: Vec<Member>,
}

impl TokenValidator for Asking {
    fn validate<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<Verified, Rejection>> {
        Box::pin(async move {
            let claims = ask(&self.context, token).await?;
            check(&self.context, &self.require, &claims)?;
            Ok(Verified::Stated(Arc::new(claims)))
        })
    }
}

/// What is said of an active token, not yet checked.
pub(super) async fn ask(context: &Context, token: &str) -> Result<StatedClaims, Rejection> {
    match context.issuer.introspect(token).await {
        Ok(Introspection::Active(claims)) => Ok(claims),
        Ok(Introspection::Inactive) => Err(Rejection::Inactive),
        Err(Unreachable(_)) => Err(Rejection::Undecided),
    }
}

/// Whether everything required is said, and everything said fits.
pub(super) fn check(context: &Context, require: &[Member], claims: &StatedClaims) -> Result<(), Rejection> {
    require.iter().try_for_each(|member| member.ensure_said(claims))?;
    context.policy.check_stated(claims, context.clock.now())
}

impl Member {
    /// Refuses as a JWT without that claim is refused: without a scope it allows nothing.
    fn ensure_said(self, claims: &StatedClaims) -> Result<(), Rejection> {
        let lacks = |name| Err(Rejection::Lacks(Section::Claims, name));
        match self {
            Self::Iss if claims.iss.is_none() => lacks("iss"),
            Self::Aud if claims.aud.is_none() => lacks("aud"),
            Self::Exp if claims.exp.is_none() => lacks("exp"),
            Self::Scope if claims.scope.is_none() => Err(Rejection::InsufficientScope),
            _ => Ok(()),
        }
    }
}
