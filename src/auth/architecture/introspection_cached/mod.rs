//! Introspection with a cache: fewer questions, and a revoked token lives on until its answer is dropped.

mod answer;
mod overlapping;
mod questions;
mod refresh_ahead;
mod remembering;
mod struck;

use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;

use crate::auth::architecture::introspection::Member;
use crate::auth::architecture::{Architecture, Context, NotReady, TokenValidator, Tokens};
use crate::auth::future::BoxFuture;
use crate::auth::pushed::{TooShortSilence, ensure_heartbeats_fit};
use crate::design::{Caching, Design};
use crate::units::Period;

use answer::Lifetimes;
use questions::Questions;
use refresh_ahead::RefreshAhead;
use remembering::Remembering;

/// What decides, made from [`Written`].
#[derive(Debug, Deserialize)]
#[serde(try_from = "Written")]
pub(super) struct Cached {
    lifetimes: Lifetimes,
    coalesce: bool,
    capacity: NonZeroU64,
    /// How long a stream of pushed revocations may be silent, if they are pushed.
    push: Option<Duration>,
    require: Vec<Member>,
}

/// Asks as `introspection` does, and keeps the answer about an active token for `ttl`, but never past its expiry, as far as the answer says
/// it (`require = ["exp"]`).
///
/// * Data flow: the first request with a token asks the authorization server (RFC 7662); until `ttl` has passed since that question the
///   others are decided by its answer, at each resource server for itself. Answers are known by the hash of the token, so that a copy of
///   the cache holds no token that can be used.
///   With `push` each resource server also keeps a stream of `/revocation-events` open, as `jwt-deny-list-pushed` does, and an event about a
///   token takes its answer away, also one that is still under way: every answer knows what had been pushed when it was asked for. Where
///   events may have been missed, which is so at the start and after more than 10,000 of them, all answers go.
/// * Specification: RFC 7662 section 4 lets a resource server cache answers, and says that it trades freshness for speed. `stale_if_error`
///   is the term of RFC 5861 section 4. The stream is one of server-sent events (WHATWG HTML section 9.2).
/// * A revoked token is accepted for `ttl` at most, and never past its expiry; to ask ahead only shortens that. With `stale_if_error`
///   it is accepted for `ttl` and that time together while the authorization server cannot be asked. With `push` it is accepted for as
///   long as the event is under way; what is promised is `silence` and the time to connect again.
/// * The answer about an inactive token is not kept unless `negative` says so: a token that is issued a moment later must work. With
///   it, a token that was asked about before it was issued, as where a replica lags behind, is refused until that time is over.
/// * The cost is a question for each token every `ttl` at each resource server, and the answers in the memory of each. To ask ahead costs as
///   many questions as a `ttl` that is shorter by that time, though hardly a request waits for one. Tokens that nobody issued cost a
///   question for each request, unless `negative` is set. With `push` there is an open connection for each resource server, and an event for each
///   of them and revocation; they count `push_events`, `push_reconnects` and `push_flushes`, after each of which all tokens are asked about.
/// * Without the authorization server known tokens are accepted until their answers end, or until `stale_if_error` after that; the others
///   get 503, since nothing is known of them. It is not needed at the start. Without the stream of `push` answers count as they do
///   without `push`, until it is there again.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(example = serde_json::json!({ "ttl": "10s" }))]
#[schemars(example = serde_json::json!({
    "ttl": "10s",
    "negative": "1s",
    "coalesce": true,
    "refresh_ahead": 0.2,
    "stale_if_error": "30s",
}))]
#[schemars(example = serde_json::json!({ "ttl": "10s", "push": true }))]
struct Written {
    /// How long an answer is kept.
    ttl: Period,
    /// How long the answer is kept that a token is not active, at most `ttl`; without it none is. A token that is issued meanwhile is
    /// refused until then.
    negative: Option<Period>,
    /// Whether requests that meet no answer about the same token ask once, together: the others wait for the one question. If that
    /// fails it has failed for all of them; nothing is kept of it, and the next request asks anew.
    #[serde(default)]
    coalesce: bool,
    /// How long before its end an answer is asked for again in the background, as a part of `ttl` like `0.2` or as a length of time
    /// like `"2s"`: by the first request that comes then, while all go on with the answer. Each token has an instant of its own in the
    /// first half of that time, so that tokens that were asked about at once do not come back at once. A question that fails is not
    /// repeated, and an answer that ends with its token is not asked for.
    refresh_ahead: Option<RefreshAhead>,
    /// How long after its end an answer is used if the authorization server cannot be asked, which each request tries first; never past
    /// the expiry of the token, nor once the token was said to be inactive.
    stale_if_error: Option<Period>,
    /// Whether revocations are pushed to it, each of which takes the answer about its token away.
    #[serde(default)]
    push: bool,
    /// How long the stream of `push` may do without saying that everything was said, before it counts as broken and is opened anew: `"3s"` by
    /// default, at least `"30ms"`. It is asked to say so three times as often.
    silence: Option<Period>,
    /// How many answers are kept; beyond it the least useful is dropped.
    #[serde(default = "default_capacity")]
    #[schemars(default = "default_capacity")]
    capacity: NonZeroU64,
    /// What the authorization server must say of a token beside that it is active, as for `introspection`.
    #[serde(default)]
    require: Vec<Member>,
}

fn default_capacity() -> NonZeroU64 {
    NonZeroU64::new(1_000_000).expect("not zero")
}

/// Settings that contradict each other.
#[derive(Debug, thiserror::Error)]
enum Contradiction {
    #[error(
        "`refresh_ahead` {ahead:?} is not shorter than `ttl` {ttl:?}, so that every answer would be asked for again at once; choose a \
         shorter one, or a part of `ttl` like 0.2"
    )]
    RefreshAhead { ahead: Duration, ttl: Duration },
    #[error(
        "`negative` {negative:?} is longer than `ttl` {ttl:?}, so that a token could be refused after it was issued for longer than one \
         is accepted after it was revoked; choose at most `ttl`"
    )]
    Negative { negative: Duration, ttl: Duration },
    #[error(
        "`silence` is how long the stream of pushed revocations may be silent, and none are pushed; add `push = true`, or leave it out"
    )]
    Silence,
    #[error(transparent)]
    ShortSilence(#[from] TooShortSilence),
}

/// How long a stream of pushed revocations may be silent, unless that is set.
const SILENCE: Period = Period::from_secs(3);

impl TryFrom<Written> for Cached {
    type Error = Contradiction;

    fn try_from(written: Written) -> Result<Self, Contradiction> {
        let ttl = written.ttl.duration();
        let negative = written.negative.map(Period::duration);
        if let Some(negative) = negative.filter(|negative| *negative > ttl) {
            return Err(Contradiction::Negative { negative, ttl });
        }
        let refresh_ahead = written.refresh_ahead.map(|ahead| ahead.of(ttl));
        if let Some(ahead) = refresh_ahead.filter(|ahead| *ahead >= ttl) {
            return Err(Contradiction::RefreshAhead { ahead, ttl });
        }
        let stale_if_error = written.stale_if_error.map(Period::duration);
        if written.silence.is_some() && !written.push {
            return Err(Contradiction::Silence);
        }
        let silence = ensure_heartbeats_fit(written.silence.unwrap_or(SILENCE).duration())?;
        let push = written.push.then_some(silence);
        Ok(Self {
            lifetimes: Lifetimes { ttl, negative, refresh_ahead, stale_if_error },
            coalesce: written.coalesce,
            capacity: written.capacity,
            push,
            require: written.require,
        })
    }
}

impl JsonSchema for Cached {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        Written::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Written::json_schema(generator)
    }
}

impl Architecture for Cached {
    fn tokens(&self) -> Tokens {
        Tokens::Any
    }

    fn design(&self) -> Design {
        let Lifetimes { ttl, negative, refresh_ahead, stale_if_error } = self.lifetimes;
        let seconds = |length: Option<Duration>| length.map(|length| length.as_secs_f64());
        let design = Design::keeping(Caching {
            cache_lifetime_seconds: ttl.as_secs_f64(),
            negative_lifetime_seconds: seconds(negative),
            refresh_ahead_seconds: seconds(refresh_ahead),
            stale_if_error_seconds: seconds(stale_if_error),
            reads_first: false,
        });
        self.push.map_or(design, |silence| design.pushed_to(silence, None))
    }

    fn validator(&self, context: Context) -> BoxFuture<'_, Result<Arc<dyn TokenValidator>, NotReady>> {
        Box::pin(async move {
            let questions = Questions::new(&context, self.lifetimes, self.capacity, self.coalesce, self.push);
            let remembering = Remembering::new(context, self.require.clone(), questions);
            Ok(Arc::new(remembering) as Arc<_>)
        })
    }
}
