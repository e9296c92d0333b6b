//! Phantom tokens: clients hold opaque ones, and behind the gateway each is a JWT.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::auth::architecture::gateway::{self, Ask};
use crate::auth::architecture::introspection_cached::Cached;
use crate::auth::architecture::jwt::LocalJwt;
use crate::auth::architecture::{Architecture, Context, NotReady, TokenValidator, Tokens};
use crate::auth::future::BoxFuture;
use crate::auth::issuer::{ExchangeKind, Introspection, Issuer, Unreachable};
use crate::design::Design;

/// A gateway introspects the opaque token of a request and passes the request on with a JWT in its place.
///
/// * Data flow: the gateway asks the introspection endpoint for `application/jwt`, and the authorization server signs a JWT that says what
///   the opaque token means, with the same expiry and the same `jti`. The gateway keeps it as `introspection-cached` keeps an answer, refuses
///   a token of another audience or scope by itself, and sends the JWT to the resource server behind it, which decides as `jwt` does.
/// * Specification: RFC 7662 for the question, RFC 9068 for the JWT. That an introspection endpoint answers with an access token in
///   `application/jwt`, and with 204 where it is not active, is what products do (Curity's phantom tokens). The signed answers of RFC 9701
///   are something else: their `typ` says that they are no access tokens (section 8.1).
/// * The gateway does not verify the JWT, which comes from whom it asked; the resource server does.
/// * A revoked token is accepted for as long as the gateway keeps its answer, and never past its expiry. The JWT itself stays good until
///   then, but no client ever holds it.
/// * The cost is two servers on the way of each request, and a question with a signature for each token that the gateway does not know.
/// * Without the authorization server the gateway accepts what it has an answer about, and answers 503 to the rest. The resource server
///   goes on with the keys that it has; it needs the authorization server at the start.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(example = serde_json::json!({ "gateway": { "ttl": "10s" } }))]
pub(super) struct PhantomToken {
    /// How the gateway asks, and keeps the answers: the settings of the architecture `introspection-cached`.
    gateway: Cached,
    /// How the resource server behind it verifies the JWTs: the settings of the architecture `jwt`.
    #[serde(default)]
    jwt: LocalJwt,
}

impl Architecture for PhantomToken {
    fn tokens(&self) -> Tokens {
        Tokens::Phantom
    }

    fn design(&self) -> Design {
        let key_set_age_seconds = self.jwt.design().key_set_age_seconds;
        Design { key_set_age_seconds, ..self.gateway.design() }
    }

    fn inner(&self) -> Option<&dyn Architecture> {
        Some(&self.jwt)
    }

    fn validator(&self, context: Context) -> BoxFuture<'_, Result<Arc<dyn TokenValidator>, NotReady>> {
        gateway::asking(&self.gateway, ForJwts, context)
    }
}

/// Introspects, and takes a JWT for an answer.
pub(super) struct ForJwts;

impl Ask for ForJwts {
    fn ask<'a>(
        &'a self,
        server: &'a dyn Issuer,
        token: &'a str,
    ) -> BoxFuture<'a, Result<Introspection, Unreachable>> {
        Box::pin(async move {
            Introspection::from_jwt(server.exchange(token, ExchangeKind::Introspection).await?)
        })
    }
}
