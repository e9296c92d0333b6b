//! What to do about requests that failed, or that were sent again.

use std::collections::BTreeMap;

use crate::metric::{Unit, thousands};
use crate::observation::TOKEN_EXPIRED;

/// How a request is counted whose connection ended before its answer.
const CLOSED: &str = "connection closed";
const KEEP_ALIVE: &str = "keepalive_timeout in nginx, keepAliveTimeout in Node.js";

pub(super) fn errors(share: f64, planned: u64, kinds: &BTreeMap<String, u64>) -> String {
    let expired = if kinds.contains_key(TOKEN_EXPIRED) {
        " Tokens expired during the load, and a server is right to refuse those: renew them (load --refresh), or use tokens that \
         live longer."
    } else {
        ""
    };
    let others = if kinds.keys().all(|kind| kind == TOKEN_EXPIRED) && !kinds.is_empty() {
        String::new()
    } else {
        format!(" Lower the rate, or find out why they failed{}.", reasons(kinds))
    };
    let listed = if kinds.is_empty() { String::new() } else { format!(" ({})", counted(kinds)) };
    format!(
        "{} of {} planned requests failed{listed}. Latencies leave them out, so they look better than they were: a quantile with \
         fewer requests beyond it than failed is only a lower bound, marked \"≥\".{expired}{others}",
        Unit::Fraction.show(share),
        thousands(&planned.to_string())
    )
}

pub(super) fn churn_short(replaced: u64, due: u64, failed: u64, failure: Option<&str>) -> String {
    let [replaced, due] = [replaced, due].map(|count| thousands(&count.to_string()));
    let refused = match failure {
        Some(failure) if failed > 0 => {
            format!(" {} were not issued when a client asked: {failure}.", thousands(&failed.to_string()))
        }
        _ => String::new(),
    };
    format!(
        "{replaced} of {due} tokens were replaced that should have been (tokens.churn): the authorization server did not issue others as quickly, so \
         caches knew more of the tokens in use than they would have.{refused} Lower tokens.churn or the rate, or choose a signature that is quicker to make."
    )
}

pub(super) fn sent_again(share: f64, why: &BTreeMap<String, u64>) -> String {
    let closed = if why.contains_key(CLOSED) {
        format!(
            " \"{CLOSED}\" is most likely a request that crossed the close of an idle connection: raise the server's keep-alive \
             time ({KEEP_ALIVE}), or use fewer connections, so that each is idle for a shorter time."
        )
    } else {
        String::new()
    };
    format!(
        "{} of the requests were sent again: a server said that it had not processed them, or closed an idle connection as they arrived ({}). They are not errors: \
         each counts from the instant it was due.{closed}",
        Unit::Fraction.show(share),
        counted(why)
    )
}

fn counted(kinds: &BTreeMap<String, u64>) -> String {
    let kinds = kinds.iter().map(|(kind, count)| format!("{kind}: {}", thousands(&count.to_string())));
    kinds.collect::<Vec<_>>().join("; ")
}

/// Why connections may have been closed under requests, if any were.
fn reasons(kinds: &BTreeMap<String, u64>) -> String {
    if !kinds.contains_key(CLOSED) {
        return String::new();
    }
    format!(
        ": a server closes connections when it ends, when it is overloaded, or when they were idle for longer than its \
         keep-alive time ({KEEP_ALIVE})"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::Warning;
    use crate::report::advice::explain;

    #[test]
    fn errors_are_told_by_what_happened() {
        let kinds = BTreeMap::from([("status 503".to_owned(), 1_200), ("time-out".to_owned(), 3)]);
        let text = explain(&Warning::Errors { share: 0.0123, planned: 97_805, kinds });
        assert!(
            text.starts_with(
                "1.23 % of 97,805 planned requests failed (status 503: 1,200; time-out: 3). \
                 Latencies leave them out"
            ),
            "{text}"
        );
        assert!(text.ends_with("\"≥\". Lower the rate, or find out why they failed."), "{text}");
        let kinds = BTreeMap::from([(TOKEN_EXPIRED.to_owned(), 3)]);
        let text = explain(&Warning::Errors { share: 0.0123, planned: 97_805, kinds });
        assert!(text.contains("--refresh") && !text.contains("Lower the rate"), "{text}");
    }

    #[test]
    fn connections_that_were_closed_under_requests_point_to_the_keep_alive_time_of_the_server() {
        let kinds = BTreeMap::from([(CLOSED.to_owned(), 7), ("server went away".to_owned(), 12)]);
        let again = explain(&Warning::SentAgain { share: 0.002, why: kinds.clone() });
        assert!(again.starts_with("0.200 % of the requests were sent again"), "{again}");
        assert!(again.contains("(connection closed: 7; server went away: 12)"), "{again}");
        for text in [again, explain(&Warning::Errors { share: 0.01, planned: 700, kinds })] {
            assert!(text.contains("keepalive_timeout"), "{text}");
        }
        let kinds = BTreeMap::from([("server went away".to_owned(), 12)]);
        let text = explain(&Warning::SentAgain { share: 0.002, why: kinds });
        assert!(!text.contains("keepalive_timeout"), "{text}");
    }
}
