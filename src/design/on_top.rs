//! What comes on top of the time for which a revoked token is accepted by design.

use super::{Asks, Design};

/// What the numbers of a design do not tell: it takes the time that the network and the servers give it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnTop {
    /// What is polled for has to be fetched.
    Fetch,
    /// Where a push is missed that is noticed, and the channel is opened again.
    Reconnect,
}

impl Design {
    /// What comes on top of this bound, in seconds, that [`accepts_revoked_for`](Self::accepts_revoked_for) gave; `None` if nothing does:
    /// where an answer ends or the token expires, that is when it is.
    pub fn on_top_of(&self, bound: f64) -> Option<OnTop> {
        let kept = self.cache_lifetime().map(|seconds| (seconds, None));
        let polled = match self.asks {
            Asks::EveryPeriod { poll_interval_seconds } => Some((poll_interval_seconds, Some(OnTop::Fetch))),
            Asks::Unknown | Asks::Never | Asks::EveryRequest | Asks::OnMiss(_) => None,
        };
        let pushed = self.push_delay_seconds.map(|seconds| (seconds, Some(OnTop::Reconnect)));
        let first = [kept, polled, pushed].into_iter().flatten().min_by(|a, b| a.0.total_cmp(&b.0));
        first.filter(|(seconds, _)| *seconds <= bound).and_then(|(_, on_top)| on_top)
    }
}
