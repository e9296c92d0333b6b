//! Token exchange at the boundary: behind the gateway goes a token that is good for that server alone.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::auth::architecture::gateway::{self, Ask};
use crate::auth::architecture::introspection_cached::Cached;
use crate::auth::architecture::jwt::LocalJwt;
use crate::auth::architecture::{Architecture, Context, NotReady, TokenValidator, Tokens};
use crate::auth::future::BoxFuture;
use crate::auth::issuer::{ExchangeKind, Introspection, Issuer, Unreachable};
use crate::auth::token::jwt::stated_claims;
use crate::auth::token::{Policy, StatedClaims, scope};
use crate::design::Design;

/// A gateway exchanges the JWT of a request for one with a narrower audience and scope, and passes the request on with that.
///
/// * Data flow: the gateway sends the JWT to `/token-exchange` with the audience of the server behind it and the one scope that its
///   resource needs. The authorization server verifies it, refuses it if it was revoked, and signs a new one with the same subject and
///   expiry. The gateway keeps that as `introspection-cached` keeps an answer, refuses a JWT of another audience or scope by itself, and
///   sends the new one to the resource server behind it, which decides as `jwt` does and takes no token of the outside.
/// * Specification: RFC 8693, without an actor token, and with a path of its own for the token endpoint, so that exchanges are counted
///   apart from what clients are issued. RFC 9068 for both JWTs.
/// * The gateway does not verify the JWT: the authorization server does, whenever it exchanges it.
/// * A revoked token is accepted for as long as the gateway keeps the token that it got for it, and never past its expiry.
/// * The cost is two servers on the way of each request, and for each token that the gateway does not know an exchange: a verification and
///   a signature at the authorization server.
/// * Without the authorization server the gateway accepts what it has exchanged already, and answers 503 to all else. The resource server
///   goes on with the keys that it has; it needs the authorization server at the start.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(example = serde_json::json!({ "gateway": { "ttl": "10s" } }))]
pub(super) struct TokenExchange {
    /// How the gateway keeps what it has exchanged: the settings of the architecture `introspection-cached`.
    gateway: Cached,
    /// The audience of the server behind the gateway.
    #[serde(default = "default_audience")]
    #[schemars(default = "default_audience")]
    audience: String,
    /// How that server verifies the JWTs: the settings of the architecture `jwt`.
    #[serde(default)]
    jwt: LocalJwt,
}

fn default_audience() -> String {
    "https://inner.example/".to_owned()
}

impl Architecture for TokenExchange {
    fn tokens(&self) -> Tokens {
        Tokens::Jwt
    }

    fn design(&self) -> Design {
        let key_set_age_seconds = self.jwt.design().key_set_age_seconds;
        Design { key_set_age_seconds, ..self.gateway.design().reading_first() }
    }

    fn inner(&self) -> Option<&dyn Architecture> {
        Some(&self.jwt)
    }

    fn exchanges_for(&self) -> Option<&str> {
        Some(&self.audience)
    }

    fn asked_behind(&self, policy: &Policy) -> Policy {
        Policy { audience: self.audience.clone(), ..policy.clone() }
    }

    fn validator(&self, context: Context) -> BoxFuture<'_, Result<Arc<dyn TokenValidator>, NotReady>> {
        let narrowing = Narrowing { audience: self.audience.clone(), scope: context.policy.scope.clone() };
        gateway::asking(&self.gateway, narrowing, context)
    }
}

/// Asks for a token for one audience and one scope.
struct Narrowing {
    audience: String,
    scope: String,
}

impl Ask for Narrowing {
    fn ask<'a>(
        &'a self,
        server: &'a dyn Issuer,
        token: &'a str,
    ) -> BoxFuture<'a, Result<Introspection, Unreachable>> {
        Box::pin(async move {
            // What cannot be read was never issued.
            let Ok(outside) = stated_claims(token) else { return Ok(Introspection::Inactive) };
            // A token without the scope is refused for the lack of it, not by the authorization server.
            let scope = Some(&*self.scope).filter(|scope| allows(&outside, scope));
            let how = ExchangeKind::Token { audience: &self.audience, scope };
            Ok(match Introspection::from_jwt(server.exchange(token, how).await?)? {
                Introspection::Inactive => Introspection::Inactive,
                Introspection::Active(inside) => {
                    let exp = [outside.exp, inside.exp].into_iter().flatten().min();
                    Introspection::Active(StatedClaims { exp, jwt: inside.jwt, ..outside })
                }
            })
        })
    }
}

fn allows(claims: &StatedClaims, scope: &str) -> bool {
    claims.scope.as_ref().is_some_and(|allowed| scope::names(allowed, scope))
}
