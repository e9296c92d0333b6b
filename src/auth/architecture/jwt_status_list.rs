//! Local verification of JWTs beside a signed list of statuses: a revocation counts once the list was fetched again.

use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use tokio::task::spawn_blocking;
use tokio::time::Instant;

use crate::auth::architecture::jwt::{LocalJwt, Verifying};
use crate::auth::architecture::{Architecture, Context, NotReady, TokenValidator, Tokens, Verified};
use crate::auth::authorization_server::{AuthorizationServer, Publication, PublicationError};
use crate::auth::future::BoxFuture;
use crate::auth::issuer::{Document, PATIENCE, Unreachable};
use crate::auth::refreshed::{Prepare, RefreshPolicy, Refreshed};
use crate::auth::store::RevokedToken;
use crate::auth::token::status_list::{CompressedStatusList, StatusList, VALID};
use crate::auth::token::{Claims, Rejection, Section, UnixTime, WallClock};
use crate::design::Design;
use crate::units::{Period, Span};

/// Verifies as `jwt` does, and looks up in a Token Status List whether the token was revoked.
///
/// * Data flow: every token has a place in the list, which its claim `status` names (`idx`, `uri`). A revocation (RFC 7009) sets the bit at
///   that place. Every resource server fetches the list at `/status-list` when it starts and every `ttl` from then on, whether there are
///   requests or not. No request waits for that.
/// * Specification: Token Status List (draft-ietf-oauth-status-list-21). The list is a JWT of the type `statuslist+jwt`, signed with the
///   key of the tokens and verified with the keys of `jwt`, whatever `library` verifies tokens. Its statuses have one bit. What
///   section 8.3 asks of a resource server is checked: `typ`, signature, `sub` against the `uri` of the token, `exp`, the format, and
///   that the list has the place of the token.
/// * A revoked token is accepted for `ttl` and the time of one fetch at most, and never past its expiry. A list that a new key signed has
///   the keys fetched again, as a token has; where that comes within `jwt.cooldown` of the last fetch of keys, the list before it
///   counts until the first `ttl` after the cool-down.
/// * The cost is a fetch every `ttl` for each resource server, whatever the load, with a signature to verify and a few bytes for each revoked
///   token; at the authorization server a signature every `ttl` and after each revocation that somebody fetches. In memory a token
///   takes two to four bits, revoked or not, and a look-up reads one byte.
/// * Without the authorization server everything goes on with the last list until that expires (`exp`): `stale_on_error` after it should
///   have been fetched again, and 5 s at least, `ttl` and 7 s at most, more. From then on every token is refused. It is needed at the start.
/// * A list has room for twice the tokens that were issued when it was made, and for 1,048,576 at least. A token that is issued when the
///   list in use has no room any more is refused until the next fetch.
/// * Places live as long as the token store: an authorization server with the store `memory` gives the same places again when it has
///   started again, and what was revoked before is accepted again. Where an old and a new token share a place, one revocation refuses both.
/// * A resource server that was paused decides by its old list until that expires or it has fetched another.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(example = serde_json::json!({ "ttl": "5s" }))]
pub(super) struct JwtStatusList {
    /// How often the list is fetched. It is also the claim `ttl` of the list.
    ttl: Period,
    /// How long after it should have been fetched again a list counts while that fails, and some seconds more: it sets `exp` of the list.
    #[serde(default = "default_stale_on_error")]
    #[schemars(default = "default_stale_on_error")]
    stale_on_error: Span,
    /// A list of more bytes, as it is sent or as its statuses are in memory, is not taken, like one that cannot be fetched. The resource
    /// server does not start beside such a list.
    #[serde(default = "default_list_limit")]
    #[schemars(default = "default_list_limit")]
    list_limit: usize,
    /// How tokens are verified: the settings of the architecture `jwt`.
    #[serde(default)]
    jwt: LocalJwt,
}

/// Long enough to repair an authorization server.
fn default_stale_on_error() -> Span {
    Span::from_secs(3_600)
}

/// Room for 134 million tokens.
fn default_list_limit() -> usize {
    16 * 1024 * 1024
}

impl Architecture for JwtStatusList {
    fn tokens(&self) -> Tokens {
        self.jwt.tokens()
    }

    fn built_on(&self) -> Option<&dyn Architecture> {
        Some(&self.jwt)
    }

    fn design(&self) -> Design {
        self.jwt.design().polling(self.ttl.duration())
    }

    fn publishes(&self) -> Vec<Box<dyn Publication>> {
        let ttl = self.ttl.duration();
        // One `ttl` until it is made again, one until it is fetched again; `iat` and `exp` may each leave out a part of a second.
        let lifetime = 2 * ttl + PATIENCE + Duration::from_secs(2) + self.stale_on_error.duration();
        vec![Box::new(StatusListToken { ttl, lifetime, grace: self.jwt.grace(), made: Mutex::default() })]
    }

    fn validator(&self, context: Context) -> BoxFuture<'_, Result<Arc<dyn TokenValidator>, NotReady>> {
        Box::pin(async move {
            let most_bytes = self.list_limit;
            // `exp` says how long a list counts.
            let policy = RefreshPolicy::polling(self.ttl.duration(), context.poll_phase, None, most_bytes);
            let (issuer, clock) = (Arc::clone(&context.issuer), context.clock);
            let uri = format!("{}{PATH}", context.policy.issuer);
            let jwt = Arc::new(self.jwt.verifying(context).await?);
            let reading = Arc::new(Reading { jwt: Arc::clone(&jwt), uri, clock, most_bytes });
            let prepare: Box<Prepare<FetchedList>> = Box::new(move |document| {
                let reading = Arc::clone(&reading);
                Box::pin(async move { reading.read(document).await })
            });
            let list = Refreshed::fetch(issuer, PATH, policy, prepare).await?;
            Ok(Arc::new(LookingUp { jwt, list, clock }) as Arc<_>)
        })
    }
}

/// Where the list is.
const PATH: &str = "/status-list";

/// What kind of JWT it is (section 5.1).
const TYPE: &str = "statuslist+jwt";

/// What the list says.
#[derive(Serialize, Deserialize)]
struct StatusListClaims {
    /// Where it is.
    sub: String,
    iat: UnixTime,
    exp: Option<UnixTime>,
    /// How long it may be kept, in seconds.
    ttl: Option<f64>,
    status_list: CompressedStatusList,
}

/// The half of the authorization server.
struct StatusListToken {
    /// How long a list is used before it is made again, though nothing was revoked.
    ttl: Duration,
    /// How long a list counts.
    lifetime: Duration,
    /// How long after its expiry a token stays revoked in the list: resource servers grant leeway.
    grace: Duration,
    /// Held while a list is made: once for all who ask after a change.
    made: Mutex<Option<Made>>,
}

/// A list, and while it is the right one.
struct Made {
    list: Arc<Document>,
    at: Instant,
    revocations: u64,
    statuses: usize,
}

impl Publication for StatusListToken {
    fn path(&self) -> &'static str {
        PATH
    }

    /// A name of its own: the draft has none, as the tokens say where the list is.
    fn metadata_member(&self) -> &'static str {
        "status_list_uri"
    }

    fn media_type(&self) -> &'static str {
        "application/statuslist+jwt"
    }

    fn grace(&self) -> Duration {
        self.grace
    }

    fn is_status_list(&self) -> bool {
        true
    }

    fn document<'a>(
        &'a self,
        server: &'a AuthorizationServer,
    ) -> BoxFuture<'a, Result<Arc<Document>, PublicationError>> {
        Box::pin(async move {
            let mut made = self.made.lock().await;
            // Read before the tokens are: what is revoked meanwhile makes it another one the next time.
            let (at, iat, revocations) = (Instant::now(), server.now(), server.revocations());
            let statuses = statuses_for(server.places().await?);
            let is_right = |made: &&Made| {
                made.revocations == revocations && made.statuses == statuses && made.at.elapsed() < self.ttl
            };
            if let Some(made) = made.as_ref().filter(is_right) {
                return Ok(Arc::clone(&made.list));
            }
            let revoked = server.revoked().await?;
            // To compress a megabyte takes a while: the threads that serve go on meanwhile.
            let making = spawn_blocking(move || compressed(statuses, &revoked));
            let claims = StatusListClaims {
                sub: format!("{}{PATH}", server.issuer()),
                iat,
                exp: Some(iat + self.lifetime),
                ttl: Some(self.ttl.as_secs_f64()),
                status_list: making.await.expect("plain data makes a list"),
            };
            let jwt = server.sign_as(TYPE, &serde_json::to_vec(&claims).expect("plain data"))?;
            let list = Arc::new(Document { bytes: jwt.into(), entity_tag: None });
            *made = Some(Made { list: Arc::clone(&list), at, revocations, statuses });
            Ok(list)
        })
    }
}

/// How many statuses a list has beside so many tokens: also for those that are issued while resource servers use it.
fn statuses_for(tokens: u64) -> usize {
    const FEWEST: usize = 1 << 20;
    let twice = usize::try_from(tokens).unwrap_or(usize::MAX).saturating_mul(2);
    twice.checked_next_power_of_two().unwrap_or(usize::MAX).max(FEWEST)
}

fn compressed(statuses: usize, revoked: &[RevokedToken]) -> CompressedStatusList {
    let mut list = StatusList::valid(statuses);
    for idx in revoked.iter().filter_map(|token| token.idx) {
        list.revoke(idx);
    }
    list.compress()
}

/// The list as a resource server uses it.
struct FetchedList {
    uri: String,
    exp: Option<UnixTime>,
    statuses: StatusList,
}

/// What a list is read with.
struct Reading {
    jwt: Arc<Verifying>,
    /// Where the list must be from.
    uri: String,
    clock: WallClock,
    most_bytes: usize,
}

impl Reading {
    /// Reads a list and checks all that can be checked without a token (section 8.3).
    async fn read(&self, document: &[u8]) -> Result<FetchedList, Unreachable> {
        let unfit = |why: String| Unreachable(format!("expected a status list: {why}"));
        let jwt = str::from_utf8(document).map_err(|error| unfit(error.to_string()))?;
        let payload = self.jwt.payload(jwt, TYPE).await.map_err(|rejection| unfit(rejection.to_string()))?;
        let claims = serde_json::from_slice(&payload).map_err(|error| unfit(error.to_string()))?;
        let StatusListClaims { sub, iat: _, exp, ttl, status_list } = claims;
        if sub != self.uri {
            return Err(unfit(format!("it is that of {sub:?}, expected {:?}", self.uri)));
        }
        if ttl.is_some_and(|ttl| ttl <= 0.0) {
            return Err(unfit("its ttl is not above zero".to_owned()));
        }
        let statuses = status_list.decompress(self.most_bytes).map_err(|error| unfit(error.to_string()))?;
        let list = FetchedList { uri: sub, exp, statuses };
        if list.has_expired(self.clock.now()) { Err(unfit("it expired".to_owned())) } else { Ok(list) }
    }
}

impl FetchedList {
    fn has_expired(&self, now: UnixTime) -> bool {
        self.exp.is_some_and(|exp| exp <= now)
    }

    fn check(&self, claims: &Claims) -> Result<(), Rejection> {
        let Some(status) = &claims.status else { return Err(Rejection::Lacks(Section::Claims, "status")) };
        let place = &status.status_list;
        match self.statuses.status(place.idx).filter(|_| place.uri == self.uri) {
            Some(VALID) => Ok(()),
            Some(_) => Err(Rejection::Inactive),
            None => Err(Rejection::NoStatus),
        }
    }
}

/// The half of the resource server.
struct LookingUp {
    jwt: Arc<Verifying>,
    list: Refreshed<FetchedList>,
    clock: WallClock,
}

impl TokenValidator for LookingUp {
    fn validate<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<Verified, Rejection>> {
        Box::pin(async move {
            let claims = self.jwt.verified(token).await?;
            let list = self.list.current().await.ok_or(Rejection::Undecided)?;
            if list.has_expired(self.clock.now()) {
                return Err(Rejection::Undecided);
            }
            list.check(&claims)?;
            Ok(Verified::Claims(Arc::new(claims)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_has_room_for_twice_the_tokens_that_were_issued() {
        const MILLION: u64 = 1 << 20;
        for (tokens, statuses) in
            [(0, 1), (1, 1), (MILLION / 2, 1), (MILLION / 2 + 1, 2), (MILLION, 2), (MILLION + 1, 4)]
        {
            assert_eq!(statuses_for(tokens), statuses << 20, "{tokens}");
        }
    }
}
