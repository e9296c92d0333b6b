//! How long a revoked token is accepted by design, in the words of `plan` and `explain`.

use crate::design::{Asks, Design};

/// That many seconds, with what comes on top of them.
pub(super) fn most(design: &Design, seconds: f64) -> String {
    // Where what is left of its life or a push is shorter than the interval, no fetch comes on top.
    let polls_first = |interval: f64| interval <= seconds;
    let is_fetched = matches!(design.asks, Asks::EveryPeriod { poll_interval_seconds } if polls_first(poll_interval_seconds));
    let fetch = if is_fetched { " and the time of one fetch" } else { "" };
    format!("{seconds} s{fetch}")
}

/// Every number of the design.
pub(super) fn terms(design: &Design) -> String {
    let terms = design.terms().into_iter().map(|(name, seconds)| format!("; {name} {seconds} s"));
    terms.collect::<Vec<_>>().concat()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_fetch_comes_on_top_of_what_a_poll_bounds_and_of_nothing_else() {
        let seconds = Duration::from_secs;
        let jwt = Design::verifying(Duration::ZERO, seconds(300));
        let polling = jwt.polling(seconds(5));
        for (design, expires_in, words) in [
            (polling, 60.0, "5 s and the time of one fetch"),
            (polling, 5.0, "5 s and the time of one fetch"),
            (polling, 4.0, "4 s"),
            (Design { push_delay_seconds: Some(0.5), ..polling }, 60.0, "0.5 s"),
            (Design::caching(seconds(5)), 60.0, "5 s"),
            (jwt, 60.0, "60 s"),
        ] {
            assert_eq!(most(&design, design.accepts_revoked_for(expires_in).unwrap()), words, "{design:?}");
        }
    }
}
