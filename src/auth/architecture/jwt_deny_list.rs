//! Local verification of JWTs beside a polled list of the revoked ones: a revocation counts from the next poll on.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::auth::architecture::jwt::{LocalJwt, Verifying};
use crate::auth::architecture::{Architecture, Context, NotReady, TokenValidator, Tokens, Verified};
use crate::auth::authorization_server::{
    AuthorizationServer, Publication, PublicationError, RevocationDocument,
};
use crate::auth::future::BoxFuture;
use crate::auth::issuer::{Document, Issuer, PATIENCE, Unreachable};
use crate::auth::refreshed::{RefreshPolicy, Refreshed, at_once};
use crate::auth::store::RevokedToken;
use crate::auth::token::Rejection;
use crate::design::Design;
use crate::units::{Period, Span};

/// Verifies as `jwt` does, and refuses what the authorization server lists as revoked.
///
/// * Data flow: a revocation (RFC 7009) puts the `jti` of the token (RFC 7519 section 4.1.7) on the list at `/deny-list`, until the token
///   has expired. Every resource server fetches the list when it starts and every `poll` from then on, whether there are requests or
///   not; a list that has not changed is not sent again (`If-None-Match`, RFC 9110 section 13.1.2). No request waits for that.
///   With `full`, `poll` fetches only what was revoked lately, at `/deny-list/recent`, and the whole list is fetched every `full`.
/// * Specification: none has such a list; RFC 7009 section 3 leaves to the servers how a revocation reaches the resource servers. A whole
///   list and a short one beside it is what delta CRLs are (RFC 5280 section 5.2.4).
/// * A revoked token is accepted for `poll` and the time of one fetch at most, and never past its expiry.
/// * The cost is a fetch every `poll` for each resource server, whatever the load, and the list in the memory of each. A fetch brings the
///   revocations of the lifetime of a token; with `full`, most bring those of twice `full` and 7 s.
/// * Without the authorization server everything goes on with the last list, so that no revocation is heard of: without limit, or
///   until the list is as old as `stale_on_error` says; from then on every token is refused. It is needed at the start.
/// * The list lives as long as the token store: an authorization server with the store `memory` starts again with an empty list, and
///   what was revoked before is accepted again until it expires, from the next poll on.
/// * A resource server that was paused decides by its old list until it has polled, unless `stale_on_error` is set: then a list counts
///   for that long at most, or for `poll` and the 5 s that a fetch may take if that is longer.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(example = serde_json::json!({ "poll": "5s" }), example = serde_json::json!({ "poll": "5s", "full": "30s" }))]
pub(super) struct JwtDenyList {
    /// How often the list of revoked tokens is fetched.
    poll: Period,
    /// How often the whole list is fetched, while `poll` brings what was revoked lately; without it, `poll` brings the whole list. A short
    /// list is not taken where the whole one could not be fetched for so long that tokens might be on neither.
    #[serde(default)]
    full: Option<Period>,
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

    fn built_on(&self) -> Option<&dyn Architecture> {
        Some(&self.jwt)
    }

    fn design(&self) -> Design {
        self.jwt.design().polling(self.poll.duration())
    }

    fn publishes(&self) -> Vec<Box<dyn Publication>> {
        let grace = self.jwt.grace();
        let whole = RevocationDocument::written_by(|revoked| list(revoked, None));
        let whole = RevokedTokens { path: PATH, metadata_member: "deny_list_uri", grace, list: whole };
        let recent = self.reach().map(|reach| {
            let written = move |revoked| list(revoked, Some(reach.as_secs()));
            let list = RevocationDocument::written_by(written).reaching_back(reach);
            RevokedTokens { path: RECENT, metadata_member: "recent_deny_list_uri", grace, list }
        });
        [whole].into_iter().chain(recent).map(|list| Box::new(list) as Box<dyn Publication>).collect()
    }

    fn validator(&self, context: Context) -> BoxFuture<'_, Result<Arc<dyn TokenValidator>, NotReady>> {
        Box::pin(async move {
            let (issuer, phase) = (Arc::clone(&context.issuer), context.poll_phase);
            let jwt = self.jwt.verifying(context).await?;
            let policy = self.policy(phase);
            let whole = Refreshed::fetch(Arc::clone(&issuer), PATH, policy, at_once(read)).await?;
            let whole = Arc::new(whole);
            let recent = match self.full {
                None => None,
                Some(_) => Some(self.recent(issuer, phase, Arc::clone(&whole)).await?),
            };
            Ok(Arc::new(Denying { jwt, whole, recent }) as Arc<_>)
        })
    }
}

impl JwtDenyList {
    /// When the whole list is fetched. One that failed is tried again with the next short one, which is of no use without it for long.
    fn policy(&self, phase: f64) -> RefreshPolicy {
        let stale_on_error = self.stale_on_error.map(Span::duration);
        let (poll, full) = (self.poll.duration(), self.full.map(Period::duration));
        let policy = RefreshPolicy::polling(full.unwrap_or(poll), phase, stale_on_error, self.list_limit);
        RefreshPolicy { cooldown: poll.min(policy.cooldown), ..policy }
    }

    /// How far back a short list reaches: a whole one may fail once without a gap between them.
    fn reach(&self) -> Option<Duration> {
        self.full.map(|full| 2 * full.duration() + PATIENCE + WHOLE_SECONDS)
    }

    /// The short list beside the whole one.
    async fn recent(
        &self,
        issuer: Arc<dyn Issuer>,
        phase: f64,
        whole: Arc<Refreshed<Revoked>>,
    ) -> Result<Refreshed<Revoked>, Unreachable> {
        let stale_on_error = self.stale_on_error.map(Span::duration);
        let policy = RefreshPolicy::polling(self.poll.duration(), phase, stale_on_error, self.list_limit);
        Refreshed::fetch(issuer, RECENT, policy, at_once(move |json| read_beside(&whole, json))).await
    }
}

/// Where the whole list is.
const PATH: &str = "/deny-list";

/// Where what was revoked lately is.
const RECENT: &str = "/deny-list/recent";

/// Dates of revocations and the end of a short list are rounded to whole seconds.
const WHOLE_SECONDS: Duration = Duration::from_secs(2);

/// The list on the wire.
#[derive(Serialize, Deserialize)]
struct DenyList<Ids> {
    /// How many seconds the list reaches back from when it was made, if not to the beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seconds: Option<u64>,
    /// The `jti` of every token that was revoked since then and has not expired.
    revoked: Ids,
}

/// The list in the form in which a token is looked up.
type Revoked = HashSet<Box<str>>;

/// The half of the authorization server.
struct RevokedTokens {
    path: &'static str,
    metadata_member: &'static str,
    /// How long after its expiry a token stays on the list: resource servers grant leeway.
    grace: Duration,
    list: RevocationDocument,
}

impl Publication for RevokedTokens {
    fn path(&self) -> &'static str {
        self.path
    }

    fn metadata_member(&self) -> &'static str {
        self.metadata_member
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
fn list(mut revoked: Vec<RevokedToken>, seconds: Option<u64>) -> Vec<u8> {
    revoked.sort_unstable_by(|a, b| a.jti.cmp(&b.jti));
    let ids: Vec<&str> = revoked.iter().map(|token| &*token.jti).collect();
    serde_json::to_vec(&DenyList { seconds, revoked: ids }).expect("plain data")
}

fn parse(json: &[u8]) -> Result<DenyList<Revoked>, Unreachable> {
    serde_json::from_slice(json)
        .map_err(|error| Unreachable(format!("expected a list of revoked tokens: {error}")))
}

fn read(json: &[u8]) -> Result<Revoked, Unreachable> {
    parse(json).map(|list| list.revoked)
}

/// A short list, if it reaches back to when the whole one was fetched: else a token that was revoked between them would be on neither.
fn read_beside(whole: &Refreshed<Revoked>, json: &[u8]) -> Result<Revoked, Unreachable> {
    let DenyList { seconds, revoked } = parse(json)?;
    let since = whole.age() + WHOLE_SECONDS;
    match seconds {
        Some(seconds) if Duration::from_secs(seconds) < since => Err(Unreachable(format!(
            "the list of tokens revoked lately reaches back {seconds} s, expected {} s: the whole list cannot be fetched",
            since.as_secs()
        ))),
        _ => Ok(revoked),
    }
}

/// The half of the resource server.
struct Denying {
    jwt: Verifying,
    whole: Arc<Refreshed<Revoked>>,
    recent: Option<Refreshed<Revoked>>,
}

impl TokenValidator for Denying {
    fn validate<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<Verified, Rejection>> {
        Box::pin(async move {
            let claims = self.jwt.verified(token).await?;
            for list in [Some(&*self.whole), self.recent.as_ref()].into_iter().flatten() {
                let revoked = list.current().await.ok_or(Rejection::Undecided)?;
                if revoked.contains(&*claims.jti) {
                    return Err(Rejection::Inactive);
                }
            }
            Ok(Verified::Claims(Arc::new(claims)))
        })
    }
}
