//! Local verification of JWTs beside a polled list of the revoked ones: a revocation counts from the next poll on.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::auth::architecture::jwt::{LocalJwt, Verifying};
use crate::auth::architecture::{
    Architecture, Context, NotReady, TokenValidator, Tokens, Validation, Verified,
};
use crate::auth::authorization_server::{
    AuthorizationServer, Publication, PublicationError, RevocationDocument,
};
use crate::auth::future::BoxFuture;
use crate::auth::issuer::{Document, Unreachable};
use crate::auth::refreshed::{RefreshPolicy, Refreshed};
use crate::auth::store::RevokedToken;
use crate::auth::token::Rejection;
use crate::auth::token::signature::SignatureScheme;
use crate::design::Design;
use crate::units::{Period, Span};

/// Verifies as `jwt` does, and refuses what the authorization server lists as revoked.
///
/// * Data flow: a revocation (RFC 7009) puts the `jti` of the token (RFC 7519 section 4.1.7) on the list at `/deny-list`, until the token
///   has expired. Every resource server fetches the list when it starts and every `poll` from then on, whether there are requests or
///   not; a list that has not changed is not sent again (`If-None-Match`, RFC 9110 section 13.1.2). No request waits for that.
/// * Specification: none has such a list; RFC 7009 section 3 leaves to the servers how a revocation reaches the resource servers.
/// * A revoked token is accepted for `poll` and the time of one fetch at most, and never past its expiry.
/// * The cost is a fetch every `poll` for each resource server, whatever the load, and the list in the memory of each.
/// * Without the authorization server everything goes on with the last list, so that no revocation is heard of: without limit, or
///   until the list is as old as `stale_on_error` says; from then on every token is refused. It is needed at the start.
/// * The list lives as long as the token store: an authorization server with the store `memory` starts again with an empty list, and
///   what was revoked before is accepted again until it expires, from the next poll on.
/// * A resource server that was paused decides by its old list until it has polled, unless `stale_on_error` is set: then a list counts
///   for that long at most, or for `poll` and the 5 s that a fetch may take if that is longer.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(example = serde_json::json!({ "poll": "5s" }))]
pub(super) struct JwtDenyList {
    /// How often the list of revoked tokens is fetched.
    poll: Period,
    /// How long after it was fetched the list is used while it cannot be fetched again: no limit by default, so that an outage refuses
    /// nobody; `"0s"` refuses every token as soon as a poll fails, or is 5 s late.
    #[serde(default)]
    stale_on_error: Option<Span>,
    /// A list of more bytes, 46 for each token on it, is not read to its end, like one that cannot be fetched: no further revocation is
    /// heard of until tokens on it have expired, and `stale_on_error` says for how long the old list is used. The resource server does not
    /// start beside such a list.
    #[serde(default = "default_list_limit")]
    #[schemars(default = "default_list_limit")]
    list_limit: usize,
    /// How tokens are verified: the settings of the architecture `jwt`.
    #[serde(default)]
    jwt: LocalJwt,
}

/// Room for 360,000 tokens.
fn default_list_limit() -> usize {
    16 * 1024 * 1024
}

impl Architecture for JwtDenyList {
    fn tokens(&self) -> Tokens {
        self.jwt.tokens()
    }

    fn accepts(&self, scheme: &dyn SignatureScheme) -> Result<(), String> {
        self.jwt.accepts(scheme)
    }

    fn validation(&self) -> Validation {
        self.jwt.validation()
    }

    fn design(&self) -> Design {
        self.jwt.design().polling(self.poll.duration())
    }

    fn publishes(&self) -> Vec<Box<dyn Publication>> {
        vec![Box::new(RevokedTokens { grace: self.jwt.grace(), list: RevocationDocument::written_by(list) })]
    }

    fn validator(&self, context: Context) -> BoxFuture<'_, Result<Arc<dyn TokenValidator>, NotReady>> {
        Box::pin(async move {
            let stale_on_error = self.stale_on_error.map(Span::duration);
            let policy = RefreshPolicy::polling(self.poll.duration(), stale_on_error, self.list_limit);
            let issuer = Arc::clone(&context.issuer);
            let jwt = self.jwt.verifying(context).await?;
            let revoked = Refreshed::fetch(issuer, PATH, policy, Box::new(prepare)).await?;
            Ok(Arc::new(Denying { jwt, revoked }) as Arc<_>)
        })
    }
}

/// Where the list is.
const PATH: &str = "/deny-list";

/// The list on the wire.
#[derive(Serialize, Deserialize)]
struct DenyList<Ids> {
    /// The `jti` of every revoked token that has not expired.
    revoked: Ids,
}

/// The half of the authorization server.
struct RevokedTokens {
    /// How long after its expiry a token stays on the list: resource servers grant leeway.
    grace: Duration,
    list: RevocationDocument,
}

impl Publication for RevokedTokens {
    fn path(&self) -> &'static str {
        PATH
    }

    fn metadata_member(&self) -> &'static str {
        "deny_list_uri"
    }

    fn grace(&self) -> Duration {
        self.grace
    }

    fn document<'a>(
        &'a self,
        server: &'a AuthorizationServer,
    ) -> BoxFuture<'a, Result<Arc<Document>, PublicationError>> {
        self.list.document(server)
    }
}

/// The same tokens make the same list.
fn list(mut revoked: Vec<RevokedToken>) -> Vec<u8> {
    revoked.sort_unstable_by(|a, b| a.jti.cmp(&b.jti));
    let ids: Vec<&str> = revoked.iter().map(|token| &*token.jti).collect();
    serde_json::to_vec(&DenyList { revoked: ids }).expect("plain data")
}

fn prepare(json: &[u8]) -> Result<HashSet<Box<str>>, Unreachable> {
    let list: DenyList<_> = serde_json::from_slice(json)
        .map_err(|error| Unreachable(format!("expected a list of revoked tokens: {error}")))?;
    Ok(list.revoked)
}

/// The half of the resource server.
struct Denying {
    jwt: Verifying,
    revoked: Refreshed<HashSet<Box<str>>>,
}

impl TokenValidator for Denying {
    fn validate<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<Verified, Rejection>> {
        Box::pin(async move {
            let claims = self.jwt.verified(token).await?;
            let revoked = self.revoked.current().await.ok_or(Rejection::Undecided)?;
            if revoked.contains(&*claims.jti) {
                return Err(Rejection::Inactive);
            }
            Ok(Verified::Claims(Arc::new(claims)))
        })
    }
}
