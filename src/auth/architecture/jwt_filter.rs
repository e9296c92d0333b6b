//! Local verification of JWTs beside a polled filter of the revoked ones: a byte for each, and introspection where the filter may err.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use xorf::{BinaryFuse8, Descriptor, Filter as _};

use crate::auth::architecture::introspection::ask;
use crate::auth::architecture::jwt::{LocalJwt, Verifying};
use crate::auth::architecture::{Architecture, Context, NotReady, TokenValidator, Tokens, Verified};
use crate::auth::authorization_server::{
    AuthorizationServer, Publication, PublicationError, RevocationDocument,
};
use crate::auth::future::BoxFuture;
use crate::auth::issuer::{Document, Unreachable};
use crate::auth::refreshed::{RefreshPolicy, Refreshed, at_once};
use crate::auth::store::RevokedToken;
use crate::auth::token::{Rejection, TokenId};
use crate::design::Design;
use crate::units::{Period, Span};

/// Verifies as `jwt` does, and asks the authorization server about what a filter of the revoked tokens holds.
///
/// * Data flow: a revocation (RFC 7009) puts the `jti` of the token (RFC 7519 section 4.1.7) into a binary fuse filter of 8 bits at
///   `/revocation-filter`, until the token has expired. Every resource server fetches the filter when it starts and every `poll` from then
///   on, whether there are requests or not; one that has not changed is not sent again (`If-None-Match`, RFC 9110 section 13.1.2). No
///   request waits for that. A token that the filter does not hold was not revoked. One that it holds was, or is one of the 0.4 % that
///   it holds by mistake: each request with it is introspected (RFC 7662), and that decides.
/// * Specification: none has such a filter. It is that of Graf and Lemire, "Binary Fuse Filters: Fast and Smaller Than Xor Filters" (2022), as
///   the crate `xorf` makes it.
/// * A revoked token is accepted for `poll` and the time of one fetch at most, and never past its expiry.
/// * The cost is a fetch every `poll` for each resource server, 9 to 12 bits for each of many revoked tokens, where `jwt-deny-list` has 46
///   bytes, and an introspection for every request with a revoked token and for 0.4 % of the others. Resource servers count these as
///   `filter_hits`, and those of them that were mistakes as `filter_false_positives`.
/// * Without the authorization server everything goes on with the last filter, so that no revocation is heard of, as for `jwt-deny-list`;
///   what the filter holds, by mistake or not, is refused with 503. It is needed at the start.
/// * The filter lives as long as the token store, and a resource server that was paused decides by its old one, as for `jwt-deny-list`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(example = serde_json::json!({ "poll": "5s" }))]
pub(super) struct JwtFilter {
    /// How often the filter is fetched.
    poll: Period,
    /// How long after it was fetched the filter is used while it cannot be fetched again: no limit by default, so that an outage refuses
    /// hardly anybody; `"0s"` refuses every token as soon as a poll fails, or is 5 s late.
    #[serde(default)]
    stale_on_error: Option<Span>,
    /// A filter of more bytes is not read to its end, like one that cannot be fetched. The resource server does not start beside such a
    /// filter.
    #[serde(default = "default_filter_limit")]
    #[schemars(default = "default_filter_limit")]
    filter_limit: usize,
    /// How tokens are verified: the settings of the architecture `jwt`.
    #[serde(default)]
    jwt: LocalJwt,
}

/// Room for 14 million tokens.
fn default_filter_limit() -> usize {
    16 * 1024 * 1024
}

impl Architecture for JwtFilter {
    fn tokens(&self) -> Tokens {
        self.jwt.tokens()
    }

    fn built_on(&self) -> Option<&dyn Architecture> {
        Some(&self.jwt)
    }

    fn design(&self) -> Design {
        Design { authenticates: true, ..self.jwt.design().polling(self.poll.duration()) }
    }

    fn publishes(&self) -> Vec<Box<dyn Publication>> {
        let filter = RevocationDocument::written_by(filter_document);
        vec![Box::new(RevocationFilter { grace: self.jwt.grace(), filter })]
    }

    fn validator(&self, context: Context) -> BoxFuture<'_, Result<Arc<dyn TokenValidator>, NotReady>> {
        Box::pin(async move {
            let stale_on_error = self.stale_on_error.map(Span::duration);
            let (poll, phase) = (self.poll.duration(), context.poll_phase);
            let policy = RefreshPolicy::polling(poll, phase, stale_on_error, self.filter_limit);
            let issuer = Arc::clone(&context.issuer);
            let jwt = self.jwt.verifying(context).await?;
            let filter = Refreshed::fetch(issuer, PATH, policy, at_once(FetchedFilter::read)).await?;
            let (hits, false_positives) = (AtomicU64::new(0), AtomicU64::new(0));
            Ok(Arc::new(Filtering { jwt, filter, hits, false_positives }) as Arc<_>)
        })
    }
}

/// Where the filter is.
const PATH: &str = "/revocation-filter";

/// The half of the authorization server.
struct RevocationFilter {
    /// How long after its expiry a token stays in the filter: resource servers grant leeway.
    grace: Duration,
    filter: RevocationDocument,
}

impl Publication for RevocationFilter {
    fn path(&self) -> &'static str {
        PATH
    }

    fn metadata_member(&self) -> &'static str {
        "revocation_filter_uri"
    }

    fn media_type(&self) -> &'static str {
        "application/octet-stream"
    }

    fn grace(&self) -> Duration {
        self.grace
    }

    fn document<'a>(
        &'a self,
        server: &'a AuthorizationServer,
    ) -> BoxFuture<'a, Result<Arc<Document>, PublicationError>> {
        self.filter.document(server)
    }
}

/// What a filter knows a token by: a part of a hash that is as good as random.
fn key(jti: &str) -> u64 {
    TokenId::of(jti).first_bits()
}

/// No bytes for no tokens; else the numbers of the descriptor, the least significant byte first, and a byte for each place.
fn filter_document(revoked: Vec<RevokedToken>) -> Vec<u8> {
    let mut keys: Vec<u64> = revoked.into_iter().map(|token| key(&token.jti)).collect();
    // The filter must not be given a key twice, and the same keys in the same order make the same filter.
    keys.sort_unstable();
    keys.dedup();
    if keys.is_empty() {
        return Vec::new();
    }
    let filter = BinaryFuse8::try_from(&keys).expect("of a thousand seeds one suits keys that differ");
    let Descriptor { seed, segment_length, segment_length_mask: _, segment_count_length } = filter.descriptor;
    let lengths = [segment_length, segment_count_length].map(u32::to_le_bytes);
    [&seed.to_le_bytes()[..], lengths.as_flattened(), &filter.fingerprints].concat()
}

/// The filter as a resource server uses it; none if no token is revoked.
struct FetchedFilter(Option<BinaryFuse8>);

impl FetchedFilter {
    fn read(document: &[u8]) -> Result<Self, Unreachable> {
        if document.is_empty() {
            return Ok(Self(None));
        }
        let unfit = || Unreachable("expected a filter of revoked tokens: its lengths do not fit".to_owned());
        Ok(Self(Some(filter(document).ok_or_else(unfit)?)))
    }

    fn holds(&self, jti: &str) -> bool {
        self.0.as_ref().is_some_and(|filter| filter.contains(&key(jti)))
    }
}

/// None if a look-up might miss the places: the crate trusts its descriptor.
fn filter(document: &[u8]) -> Option<BinaryFuse8> {
    let (seed, rest) = document.split_first_chunk()?;
    let (segment_length, rest) = rest.split_first_chunk()?;
    let (segment_count_length, fingerprints) = rest.split_first_chunk()?;
    let segment_length = u32::from_le_bytes(*segment_length);
    let descriptor = Descriptor {
        seed: u64::from_le_bytes(*seed),
        segment_length,
        segment_length_mask: segment_length.checked_sub(1)?,
        segment_count_length: u32::from_le_bytes(*segment_count_length),
    };
    // A key has a place in one of the segments that are counted, and one in each of the two segments behind that.
    let places = segment_length.checked_mul(2)?.checked_add(descriptor.segment_count_length)?;
    let fits = segment_length.is_power_of_two()
        && descriptor.segment_count_length.is_multiple_of(segment_length)
        && descriptor.segment_count_length > 0
        && usize::try_from(places).is_ok_and(|places| places == fingerprints.len());
    fits.then(|| BinaryFuse8 { descriptor, fingerprints: fingerprints.into() })
}

/// The half of the resource server.
struct Filtering {
    jwt: Verifying,
    filter: Refreshed<FetchedFilter>,
    hits: AtomicU64,
    false_positives: AtomicU64,
}

impl TokenValidator for Filtering {
    fn validate<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<Verified, Rejection>> {
        Box::pin(async move {
            let claims = self.jwt.verified(token).await?;
            let filter = self.filter.current().await.ok_or(Rejection::Undecided)?;
            if filter.holds(&claims.jti) {
                self.hits.fetch_add(1, Ordering::Relaxed);
                ask(self.jwt.context(), token).await?;
                self.false_positives.fetch_add(1, Ordering::Relaxed);
            }
            Ok(Verified::Claims(Arc::new(claims)))
        })
    }

    fn counters(&self) -> Vec<(&'static str, u64)> {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        vec![("filter_hits", count(&self.hits)), ("filter_false_positives", count(&self.false_positives))]
    }
}

#[cfg(test)]
mod tests;
