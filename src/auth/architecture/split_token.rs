//! Split tokens: clients hold the signature of a JWT, and the gateway adds the rest.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::auth::architecture::gateway::{self, Ask};
use crate::auth::architecture::introspection_cached::Cached;
use crate::auth::architecture::jwt::LocalJwt;
use crate::auth::architecture::{Architecture, Context, NotReady, TokenValidator, Tokens};
use crate::auth::future::BoxFuture;
use crate::auth::issuer::{ExchangeKind, Introspection, Issuer, Unreachable};
use crate::auth::token::signature::SignatureScheme;
use crate::design::Design;

/// A gateway looks header and claims up by the hash of the signature that it is sent, and passes the whole JWT on.
///
/// * Data flow: the authorization server signs a JWT, gives the client its signature alone, and keeps the claims under the SHA-256 of the
///   signature. The gateway asks for header and claims at `/split-token` with that hash, joins the three, keeps the JWT as
///   `introspection-cached` keeps an answer, refuses a token of another audience or scope by itself, and sends the JWT to the resource
///   server behind it, which decides as `jwt` does.
/// * Specification: none; the parts are those of RFC 7515 section 7.1. Products let the authorization server push header and claims to the
///   gateways when it issues the token; here they ask, as they must after a restart, and so hear of a revocation (RFC 7009).
/// * A token is signed once, when it is issued, and not for each gateway as a phantom token is. It is as long as the signature.
/// * A revoked token is accepted for as long as the gateway keeps the JWT, and never past its expiry.
/// * The cost is two servers on the way of each request, and a question for each token that the gateway does not know.
/// * Without the authorization server the gateway accepts what it has the rest of, and answers 503 to all else. The resource server goes
///   on with the keys that it has; it needs the authorization server at the start.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(example = serde_json::json!({ "gateway": { "ttl": "10s" } }))]
pub(super) struct SplitToken {
    /// How the gateway keeps what it was told: the settings of the architecture `introspection-cached`.
    gateway: Cached,
    /// How the resource server behind it verifies the JWTs: the settings of the architecture `jwt`.
    #[serde(default)]
    jwt: LocalJwt,
}

impl Architecture for SplitToken {
    fn tokens(&self) -> Tokens {
        Tokens::Split
    }

    fn accepts(&self, scheme: &dyn SignatureScheme) -> Result<(), String> {
        if scheme.facts().signature_bytes == 0 {
            return Err(
                "a split token is a signature; choose a scheme that signs, like signature = \"ES256\""
                    .to_owned(),
            );
        }
        self.jwt.accepts(scheme)
    }

    fn design(&self) -> Design {
        let key_set_age_seconds = self.jwt.design().key_set_age_seconds;
        Design { key_set_age_seconds, ..self.gateway.design() }
    }

    fn inner(&self) -> Option<&dyn Architecture> {
        Some(&self.jwt)
    }

    fn validator(&self, context: Context) -> BoxFuture<'_, Result<Arc<dyn TokenValidator>, NotReady>> {
        gateway::asking(&self.gateway, ForTheRest, context)
    }
}

/// Asks for what stands before a signature.
struct ForTheRest;

impl Ask for ForTheRest {
    fn ask<'a>(
        &'a self,
        server: &'a dyn Issuer,
        signature: &'a str,
    ) -> BoxFuture<'a, Result<Introspection, Unreachable>> {
        Box::pin(
            async move { Introspection::from_jwt(server.exchange(signature, ExchangeKind::Split).await?) },
        )
    }
}
