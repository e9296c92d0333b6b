//! Local verification of JWTs beside a list of the revoked ones that the authorization server keeps up to date by pushing.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, RwLock};
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use crate::auth::architecture::jwt::{LocalJwt, Verifying};
use crate::auth::architecture::{Architecture, Context, NotReady, TokenValidator, Tokens, Verified};
use crate::auth::authorization_server::{
    AuthorizationServer, Publication, PublicationError, RevocationDocument,
};
use crate::auth::future::BoxFuture;
use crate::auth::issuer::{Document, Issuer, Unreachable};
use crate::auth::pushed::{PushChannel, RevocationListener, TooShortSilence, ensure_heartbeats_fit};
use crate::auth::revocation_event::RevocationEvent;
use crate::auth::store::RevokedToken;
use crate::auth::token::{Rejection, UnixTime, WallClock};
use crate::design::Design;
use crate::units::{Period, Span};

/// What decides, made from [`Written`].
#[derive(Debug, Deserialize)]
#[serde(try_from = "Written")]
pub(super) struct JwtDenyListPushed {
    silence: Duration,
    stale_on_error: Duration,
    list_limit: usize,
    jwt: LocalJwt,
}

/// Verifies as `jwt` does, and refuses what the authorization server said was revoked, which it pushes.
///
/// * Data flow: every resource server says who it is and keeps a stream of `/revocation-events` open. It then fetches the snapshot
///   `/revocations`: the `jti` (RFC 7519 section 4.1.7) of every revoked token, with the date until which it must be remembered. From then
///   on each revocation (RFC 7009) is an event on the stream, sent when it has happened and before it is acknowledged. The authorization
///   server keeps the last 10,000 events: who connects again names the last one that it knows (`Last-Event-ID`) and is sent what it
///   missed; if that is no longer kept, or of an authorization server that was started again, it fetches the snapshot anew. Requests
///   wait for none of that, but for as long as what came is put into the list.
/// * Specification: the stream is one of server-sent events (WHATWG HTML section 9.2); none has such a list, and RFC 7009 section 3 leaves to
///   the servers how a revocation reaches the resource servers.
/// * A revoked token is accepted for as long as its event is under way, and never past its expiry. What is promised is `silence` and the
///   time to connect again: the stream says three times in that time that everything was said, and one that does not counts as broken.
/// * The cost is an open connection for each resource server, an event for each of them and revocation, and the list in the memory of each.
///   A resource server that takes what is sent more slowly than it comes is disconnected, and connects again: none makes the authorization
///   server keep events for it. Resource servers count `push_events`, `push_reconnects` and `push_snapshots`.
/// * Without the authorization server or its stream everything goes on with what is known until `stale_on_error` has passed since
///   all was known; then every token is refused with 503, until the stream is there again. It is tried again after 50 ms, and
///   after up to 2 s in the end, at instants that differ among resource servers. It is needed at the start.
/// * What was heard of stays on the list until it expires, whatever a later snapshot says: an authorization server with the store `memory`
///   forgets when it is started again, and only resource servers that start after that accept again what was revoked before.
/// * A resource server that was paused for less than `stale_on_error` decides by what it knew until it has read what was sent meanwhile.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(example = serde_json::json!({ "silence": "1s", "stale_on_error": "10s" }))]
struct Written {
    /// How long the stream may do without saying that everything was said, before it counts as broken and is opened anew, at least `"30ms"`.
    /// It is asked to say so three times as often.
    silence: Period,
    /// How long after everything was known tokens are accepted while the stream is broken, at least `silence`; from then on every token
    /// is refused. By default `"30s"`, or `silence` if that is longer.
    stale_on_error: Option<Span>,
    /// A snapshot of more bytes, 58 for each token on it, is not read to its end, like one that cannot be fetched: the stream counts as
    /// broken then. The resource server does not start beside such a snapshot.
    list_limit: usize,
    /// How tokens are verified: the settings of the architecture `jwt`.
    jwt: LocalJwt,
}

impl Default for Written {
    fn default() -> Self {
        Self {
            silence: Period::from_secs(3),
            stale_on_error: None,
            // Room for 290,000 tokens.
            list_limit: 16 * 1024 * 1024,
            jwt: LocalJwt::default(),
        }
    }
}

/// How long tokens are accepted without the stream, unless that is set.
const STALE_ON_ERROR: Duration = Duration::from_secs(30);

/// Settings that contradict each other.
#[derive(Debug, thiserror::Error)]
enum Contradiction {
    #[error(transparent)]
    Silence(#[from] TooShortSilence),
    #[error(
        "`stale_on_error` {stale_on_error:?} is shorter than `silence` {silence:?}, so that every token could be refused before the stream \
         counts as broken; choose at least `silence`"
    )]
    StaleOnError { stale_on_error: Duration, silence: Duration },
}

impl TryFrom<Written> for JwtDenyListPushed {
    type Error = Contradiction;

    fn try_from(written: Written) -> Result<Self, Contradiction> {
        let Written { silence, stale_on_error, list_limit, jwt } = written;
        let silence = ensure_heartbeats_fit(silence.duration())?;
        let stale_on_error = stale_on_error.map_or_else(|| STALE_ON_ERROR.max(silence), Span::duration);
        if stale_on_error < silence {
            return Err(Contradiction::StaleOnError { stale_on_error, silence });
        }
        Ok(Self { silence, stale_on_error, list_limit, jwt })
    }
}

impl JsonSchema for JwtDenyListPushed {
    fn schema_name() -> Cow<'static, str> {
        Written::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Written::json_schema(generator)
    }
}

impl Architecture for JwtDenyListPushed {
    fn tokens(&self) -> Tokens {
        self.jwt.tokens()
    }

    fn built_on(&self) -> Option<&dyn Architecture> {
        Some(&self.jwt)
    }

    fn design(&self) -> Design {
        self.jwt.design().pushed_to(self.silence, Some(self.stale_on_error))
    }

    fn publishes(&self) -> Vec<Box<dyn Publication>> {
        let snapshot = RevocationDocument::written_by(|revoked| snapshot(&revoked));
        vec![Box::new(Revocations { grace: self.jwt.grace(), snapshot })]
    }

    fn validator(&self, context: Context) -> BoxFuture<'_, Result<Arc<dyn TokenValidator>, NotReady>> {
        Box::pin(async move {
            let (issuer, clock) = (Arc::clone(&context.issuer), context.clock);
            let jwt = self.jwt.verifying(context).await?;
            let list = DenyList::new(Arc::clone(&issuer), self.list_limit, clock);
            let list = PushChannel::connected(issuer, self.silence, list).await?;
            Ok(Arc::new(Denying { jwt, list, unheard_for: self.stale_on_error }) as Arc<_>)
        })
    }
}

/// Where the snapshot is.
const PATH: &str = "/revocations";

/// The snapshot on the wire.
#[derive(Serialize, Deserialize)]
struct Snapshot<Revoked> {
    /// Every revoked token by its `jti`, and until when it must be remembered.
    revoked: Revoked,
}

/// The half of the authorization server.
struct Revocations {
    /// How long after its expiry a token is remembered: resource servers grant leeway.
    grace: Duration,
    snapshot: RevocationDocument,
}

impl Publication for Revocations {
    fn path(&self) -> &'static str {
        PATH
    }

    fn metadata_member(&self) -> &'static str {
        "revocations_uri"
    }

    fn grace(&self) -> Duration {
        self.grace
    }

    fn document<'a>(
        &'a self,
        server: &'a AuthorizationServer,
    ) -> BoxFuture<'a, Result<Arc<Document>, PublicationError>> {
        self.snapshot.document(server)
    }
}

/// The same tokens make the same snapshot.
fn snapshot(revoked: &[RevokedToken]) -> Vec<u8> {
    let revoked: BTreeMap<&str, UnixTime> = revoked.iter().map(|token| (&*token.jti, token.expiry)).collect();
    serde_json::to_vec(&Snapshot { revoked }).expect("plain data")
}

/// What a resource server knows of.
struct DenyList {
    issuer: Arc<dyn Issuer>,
    most_bytes: usize,
    clock: WallClock,
    /// Held for one look-up, or to add what was pushed.
    revoked: RwLock<Revoked>,
}

struct Revoked {
    until: HashMap<Arc<str>, UnixTime>,
    /// Expired ones are swept out whenever there are so many.
    sweep_at: usize,
}

const FIRST_SWEEP: usize = 10_000;

impl DenyList {
    fn new(issuer: Arc<dyn Issuer>, most_bytes: usize, clock: WallClock) -> Self {
        let revoked = RwLock::new(Revoked { until: HashMap::new(), sweep_at: FIRST_SWEEP });
        Self { issuer, most_bytes, clock, revoked }
    }

    fn holds(&self, jti: &str) -> bool {
        self.revoked.read().expect("no holder of this lock panics").until.contains_key(jti)
    }

    fn add(&self, tokens: impl IntoIterator<Item = (Arc<str>, UnixTime)>) {
        self.revoked.write().expect("no holder of this lock panics").add(tokens, self.clock.now());
    }
}

impl Revoked {
    fn add(&mut self, tokens: impl IntoIterator<Item = (Arc<str>, UnixTime)>, now: UnixTime) {
        self.until.extend(tokens);
        if self.until.len() >= self.sweep_at {
            self.until.retain(|_, expiry| now < *expiry);
            self.sweep_at = (2 * self.until.len()).max(FIRST_SWEEP);
        }
    }
}

impl RevocationListener for DenyList {
    fn catch_up(&self) -> BoxFuture<'_, Result<(), Unreachable>> {
        Box::pin(async {
            let document = self.issuer.fetch(PATH, None, self.most_bytes).await?;
            let document = document
                .ok_or_else(|| Unreachable(format!("{PATH} is unchanged, but was asked for as a whole")))?;
            let read = serde_json::from_slice::<Snapshot<HashMap<Arc<str>, UnixTime>>>(&document.bytes);
            let snapshot = read.map_err(|error| {
                let why = Unreachable(format!("expected a snapshot of revoked tokens: {error}"));
                self.issuer.unreadable(&why);
                why
            })?;
            self.add(snapshot.revoked);
            Ok(())
        })
    }

    fn revoked(&self, event: &RevocationEvent) {
        self.add([(Arc::clone(&event.jti), event.exp)]);
    }
}

/// The half of the resource server.
struct Denying {
    jwt: Verifying,
    list: PushChannel<DenyList>,
    /// How old what is known may be.
    unheard_for: Duration,
}

impl TokenValidator for Denying {
    fn validate<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<Verified, Rejection>> {
        Box::pin(async move {
            let claims = self.jwt.verified(token).await?;
            if self.list.listener().holds(&claims.jti) {
                return Err(Rejection::Inactive);
            }
            if !self.list.is_held_open() || self.list.unheard_for() >= self.unheard_for {
                return Err(Rejection::Undecided);
            }
            Ok(Verified::Claims(Arc::new(claims)))
        })
    }

    fn counters(&self) -> Vec<(&'static str, u64)> {
        let names = ["push_events", "push_reconnects", "push_snapshots"];
        names.into_iter().zip(self.list.counts()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::architecture::ARCHITECTURES;
    use crate::registry::Choice;

    #[test]
    fn settings_that_no_stream_can_keep_are_refused_with_what_to_choose() {
        let chosen = |kind: &str, settings: &str| {
            let choice = Choice { kind: kind.to_owned(), settings: settings.parse().unwrap() };
            let chosen = ARCHITECTURES.resolve(choice).map_err(|error| error.to_string())?;
            Ok::<_, String>(chosen.design().without_channel_seconds)
        };
        for (settings, without_channel) in
            [("", 30.0), ("silence = '1m'", 60.0), ("silence = '30ms'\nstale_on_error = '30ms'", 0.03)]
        {
            assert_eq!(chosen("jwt-deny-list-pushed", settings), Ok(Some(without_channel)), "{settings}");
        }
        let silence = "choose 30ms or more";
        for (kind, settings, words) in [
            ("jwt-deny-list-pushed", "silence = '29ms'", silence),
            ("introspection-cached", "ttl = '5s'\npush = true\nsilence = '29ms'", silence),
            (
                "jwt-deny-list-pushed",
                "stale_on_error = '0s'",
                "`stale_on_error` 0ns is shorter than `silence` 3s",
            ),
        ] {
            let error = chosen(kind, settings).unwrap_err();
            assert!(error.contains(words), "{settings}: {error}");
        }
    }

    #[test]
    fn what_has_expired_is_swept_out_and_nothing_else() {
        let mut revoked = Revoked { until: HashMap::new(), sweep_at: FIRST_SWEEP };
        let mut most = 0;
        // Each is remembered for 100 s, and a hundred are revoked in a second.
        for second in 0..1_000 {
            let token = |number| (format!("{second}.{number}").into(), UnixTime::from_secs(second + 100));
            revoked.add((0..100).map(token), UnixTime::from_secs(second));
            most = most.max(revoked.until.len());
            let first = second.saturating_sub(99);
            assert!((first..=second).all(|alive| revoked.until.contains_key(&*format!("{alive}.0"))));
        }
        assert!((10_000..=20_100).contains(&most), "{most}");
    }
}
