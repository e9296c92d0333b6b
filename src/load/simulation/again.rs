//! Requests that the server did not process.

use super::*;

#[test]
fn a_request_that_was_not_processed_is_sent_again_from_the_instant_it_was_due_and_counted_apart() {
    for breaking in [Failure::WentAway, Failure::Refused, Failure::Crossed] {
        for think in [None, Some(Duration::from_millis(4))] {
            let connecting = Duration::from_millis(3);
            let again = Simulation {
                breaks_every: 10,
                connections: 5,
                breaking,
                connecting,
                think,
                ..Simulation::default()
            };
            let (load, _) = again.run();
            let outcomes: Vec<_> = load.seconds.iter().map(|second| &second.outcomes).collect();
            assert!(
                outcomes.iter().all(|outcomes| outcomes.errors().is_empty()),
                "{breaking:?}: {outcomes:?}"
            );
            let times: u64 = outcomes.iter().map(|outcomes| outcomes.sent_again[&breaking.to_string()]).sum();
            let accepted = count(&load, |ended| ended.accepted);
            // The stand-in breaks instead of every tenth answer.
            assert!(
                (accepted / 9 - 5..=accepted / 9).contains(&times),
                "{breaking:?}: {times} of {accepted}"
            );
            // 1 ms until it broke, 3 ms for another connection, and 1 ms for the answer; a stream that was refused waits longer.
            let lost = if breaking == Failure::Refused { 10.0 } else { 0.0 };
            let latency = whole(&load, |second| &second.latency);
            check(&latency, &[(0.5, 1.0), (0.85, 1.0)]);
            assert!(latency.quantile(0.95).unwrap() as f64 / 1e6 >= 4.99 + lost, "{breaking:?} {latency:?}");
            check(&whole(&load, |second| &second.service), &[(0.5, 1.0), (1.0, 1.0)]);
            check(&whole(&load, |second| &second.lag), &[(1.0, 0.0)]);
            assert_eq!((load.backlog_end, load.unaccounted()), (0, 0));
        }
    }
}

#[test]
fn a_request_is_sent_again_only_once_over_connections_that_close_and_not_for_ever_to_a_server_that_refuses() {
    let always = |breaking| {
        let timeout = Duration::from_millis(500);
        Simulation { breaks_every: 1, breaking, connections: 5, timeout, ..Simulation::default() }.run().0
    };
    let load = always(Failure::Crossed);
    let closed = count(&load, |ended| ended.errors["connection closed"]);
    let again: u64 = load.seconds.iter().map(|second| second.outcomes.sent_again["connection closed"]).sum();
    assert_eq!((closed, again), (10_000, 10_000));
    // A server that had the request for longer than a close is on its way has dropped it.
    let service = Duration::from_millis(150);
    let slow = Simulation { service, breaks_every: 10, breaking: Failure::Crossed, ..Simulation::default() };
    let (load, _) = slow.run();
    assert!(load.seconds.iter().any(|second| second.outcomes.errors().contains_key("connection closed")));
    assert!(load.seconds.iter().all(|second| second.outcomes.sent_again.is_empty()));
    let load = always(Failure::WentAway);
    assert_eq!((count(&load, errors), load.unaccounted()), (10_000, 0));
    assert_eq!(count(&load, Ended::answered), 0);
}
