//! How long a revoked token is accepted by design, in the words of `plan` and `explain`.

use crate::design::{Design, OnTop};

/// That many seconds, with what comes on top of them.
pub(super) fn most(design: &Design, seconds: f64) -> String {
    let on_top = match design.on_top_of(seconds) {
        None => "",
        Some(OnTop::Fetch) => " and the time of one fetch",
        Some(OnTop::Reconnect) => " and the time to connect again",
    };
    format!("{seconds} s{on_top}")
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
    fn a_fetch_comes_on_top_of_a_poll_and_a_new_connection_on_top_of_a_push_where_they_bound() {
        let seconds = Duration::from_secs;
        let jwt = Design::verifying(Duration::ZERO, seconds(300));
        let polling = jwt.polling(seconds(5));
        for (design, expires_in, words) in [
            (polling, 60.0, "5 s and the time of one fetch"),
            (polling, 5.0, "5 s and the time of one fetch"),
            (polling, 4.0, "4 s"),
            (polling.pushed_to(seconds(1), None), 60.0, "1 s and the time to connect again"),
            (polling.pushed_to(seconds(6), None), 60.0, "5 s and the time of one fetch"),
            (jwt.pushed_to(seconds(3), None), 60.0, "3 s and the time to connect again"),
            (jwt.pushed_to(seconds(3), None), 2.0, "2 s"),
            (
                Design::caching(seconds(5)).pushed_to(seconds(3), None),
                60.0,
                "3 s and the time to connect again",
            ),
            (Design::caching(seconds(5)).pushed_to(seconds(5), None), 60.0, "5 s"),
            (Design::caching(seconds(5)), 60.0, "5 s"),
            (jwt, 60.0, "60 s"),
        ] {
            assert_eq!(most(&design, design.accepts_revoked_for(expires_in).unwrap()), words, "{design:?}");
        }
    }
}
