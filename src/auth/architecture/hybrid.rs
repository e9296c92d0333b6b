//! A hybrid estate: behind one gateway some services verify JWTs, and others still introspect.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::auth::architecture::introspection::Introspecting;
use crate::auth::architecture::introspection_cached::Cached;
use crate::auth::architecture::jwt::LocalJwt;
use crate::auth::architecture::phantom_token::ForJwts;
use crate::auth::architecture::{Architecture, Branch, Context, NotReady, TokenValidator, Tokens, gateway};
use crate::auth::future::BoxFuture;
use crate::design::Design;

/// A gateway introspects the opaque token of a request as that of `phantom-token` does, and passes the request on to one of two services in
/// turn: one verifies the JWT, the other introspects the opaque token once more.
///
/// * Data flow: the gateway asks the introspection endpoint for a JWT and keeps it as `introspection-cached` keeps an answer. Every other
///   request that it accepts goes to the service that decides as `jwt` does, with the JWT in the place of the token. The rest goes to the
///   service that decides as `introspection` does, with the token that the client sent.
/// * Specification: RFC 7662 for both questions, RFC 9068 for the JWT. None has such an estate: it is what is found where services move to
///   JWTs one after the other.
/// * A revoked token is accepted by the one service for as long as the gateway keeps its answer, and by the other no more: of the
///   requests that the gateway passes on after a revocation half are accepted. Never is one past its expiry.
/// * The cost is that of `phantom-token`, and a call to the authorization server for every other request that the gateway accepts.
/// * Without the authorization server the gateway passes on what it has an answer about, which the one service goes on to accept, and the
///   other answers with 503; so does the gateway to all else. It is needed at the start.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(example = serde_json::json!({ "gateway": { "ttl": "10s" } }))]
pub(super) struct Hybrid {
    /// How the gateway asks, and keeps the answers: the settings of the architecture `introspection-cached`.
    gateway: Cached,
    /// How the one service verifies the JWTs: the settings of the architecture `jwt`.
    #[serde(default)]
    jwt: LocalJwt,
    /// How the other one introspects: the settings of the architecture `introspection`.
    #[serde(default)]
    introspection: Introspecting,
}

impl Architecture for Hybrid {
    fn tokens(&self) -> Tokens {
        Tokens::Phantom
    }

    fn design(&self) -> Design {
        let key_set_age_seconds = self.jwt.design().key_set_age_seconds;
        Design { key_set_age_seconds, asked_behind: Some(0.5), ..self.gateway.design() }
    }

    fn inner(&self) -> Option<&dyn Architecture> {
        Some(&self.jwt)
    }

    fn branches(&self) -> Vec<Branch<'_>> {
        vec![
            Branch { name: "jwt", architecture: &self.jwt },
            Branch { name: "introspection", architecture: &self.introspection },
        ]
    }

    fn validator(&self, context: Context) -> BoxFuture<'_, Result<Arc<dyn TokenValidator>, NotReady>> {
        gateway::asking(&self.gateway, ForJwts, context)
    }
}
