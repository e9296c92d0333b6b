//! What the authorization server said of a token, and for how long that counts.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use crate::auth::issuer::Introspection;
use crate::auth::token::{Rejection, StatedClaims, TokenId, WallClock};

/// How long answers count.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lifetimes {
    /// One about an active token.
    pub(super) ttl: Duration,
    /// One about an inactive token; without it such an answer is not kept.
    pub(super) negative: Option<Duration>,
    /// How long before its end an answer is asked for again at the earliest, shorter than `ttl`.
    pub(super) refresh_ahead: Option<Duration>,
    /// How long after its end an answer about an active token is used if nobody can be asked.
    pub(super) stale_if_error: Option<Duration>,
}

/// An answer, and until when it counts.
#[derive(Debug)]
pub(super) struct KeptAnswer {
    /// What was said of the token; `None` if it is not active.
    pub(super) claims: Option<Arc<StatedClaims>>,
    /// When it was asked for.
    pub(super) asked: Instant,
    /// What had been heard then of what is pushed.
    pub(super) sequence: u64,
    fresh_until: Instant,
    /// From when on it is asked for again.
    refreshed_from: Option<Instant>,
    /// Until when it counts if nobody can be asked.
    stale_until: Instant,
    /// Whether somebody asks for it again, or has.
    refreshing: AtomicBool,
    /// Whether the claims were found to be what is asked of every token. But for the dates that stays so, and a hit need not look
    /// at texts that lie all over the memory.
    fits: AtomicBool,
}

impl Lifetimes {
    /// How long an answer may be of use at the most.
    pub(super) fn longest(&self) -> Duration {
        self.ttl + self.stale_if_error.unwrap_or_default()
    }

    /// What was said of a token to a question of this instant. Answers count from the question, not from when they came: what was true
    /// when it was asked is at most that old.
    pub(super) fn answer(
        &self,
        id: TokenId,
        said: Introspection,
        (asked, sequence): (Instant, u64),
        clock: WallClock,
    ) -> KeptAnswer {
        let answer = match said {
            Introspection::Inactive => KeptAnswer::inactive(asked, self.negative.unwrap_or_default()),
            Introspection::Active(claims) => self.active(id, claims, asked, clock),
        };
        KeptAnswer { sequence, ..answer }
    }

    fn active(&self, id: TokenId, claims: StatedClaims, asked: Instant, clock: WallClock) -> KeptAnswer {
        let (ends, expiry) = (asked + self.ttl, claims.exp.map(|exp| clock.instant(exp)));
        let not_expired = |until: Instant| expiry.map_or(until, |expiry| expiry.min(until));
        // One that ends with its token ends no later when it is asked for again.
        let is_worth_it = not_expired(ends) == ends;
        KeptAnswer {
            claims: Some(Arc::new(claims)),
            asked,
            sequence: 0,
            fresh_until: not_expired(ends),
            refreshed_from: self
                .refresh_ahead
                .filter(|_| is_worth_it)
                .map(|ahead| ends - own_part(ahead, id)),
            stale_until: not_expired(ends + self.stale_if_error.unwrap_or_default()),
            refreshing: AtomicBool::new(false),
            fits: AtomicBool::new(false),
        }
    }
}

/// From all of that time to half of it: uniform over tokens, and always the same for one. It is drawn from the hash of the token, not from a
/// generator: a request draws nothing, and a test meets the same instants every time.
fn own_part(ahead: Duration, id: TokenId) -> Duration {
    ahead.mul_f64(1.0 - id.uniform() / 2.0)
}

impl KeptAnswer {
    /// The answer that the token is not active.
    pub(super) fn inactive(asked: Instant, lifetime: Duration) -> Self {
        let until = asked + lifetime;
        Self {
            claims: None,
            asked,
            sequence: 0,
            fresh_until: until,
            refreshed_from: None,
            stale_until: until,
            refreshing: AtomicBool::new(false),
            fits: AtomicBool::new(false),
        }
    }

    /// Whether it counts.
    pub(super) fn is_fresh(&self, now: Instant) -> bool {
        now < self.fresh_until
    }

    /// Whether it counts if nobody can be asked.
    pub(super) fn is_usable_on_error(&self, now: Instant) -> bool {
        now < self.stale_until
    }

    /// Whether the caller is to ask for it again: true once.
    pub(super) fn begins_refresh(&self, now: Instant) -> bool {
        self.refreshed_from.is_some_and(|from| from <= now) && !self.refreshing.swap(true, Ordering::Relaxed)
    }

    /// Checks the claims, all of them by `check` until that has passed once, and from then on the dates alone.
    pub(super) fn ensure_fits(
        &self,
        dates: impl FnOnce() -> Result<(), Rejection>,
        check: impl FnOnce() -> Result<(), Rejection>,
    ) -> Result<(), Rejection> {
        if self.fits.load(Ordering::Relaxed) {
            return dates();
        }
        check()?;
        self.fits.store(true, Ordering::Relaxed);
        Ok(())
    }
}
