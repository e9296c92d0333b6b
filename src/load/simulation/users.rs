//! What users of a closed loop wait for that no server has done.

use std::thread;

use super::*;
use crate::load::proofs::{ProofQueue, Proofs};
use crate::load::tokens::TokenPool;

/// Proofs that take so long to sign, none of which is made ahead.
pub(super) fn proofs(took: Duration, tokens: &Arc<TokenPool>) -> ProofQueue {
    let sign = move |_: &str, _| {
        thread::sleep(took);
        "a proof".to_owned()
    };
    let proofs = Proofs { sign: Arc::new(sign), ahead: Duration::from_secs(1) };
    proofs.begin(tokens, std::iter::empty(), &[])
}

#[test]
fn what_a_user_of_a_closed_loop_takes_to_sign_is_the_generators_lag_and_not_the_servers_time() {
    let signing = Duration::from_millis(3);
    for think in [Duration::ZERO, Duration::from_millis(4)] {
        let users = Simulation {
            service: Duration::from_millis(20),
            connections: 2,
            think: Some(think),
            requests: 40,
            signing: Some(signing),
            ..Simulation::default()
        };
        let (load, _) = users.run();
        assert_eq!(count(&load, |ended| ended.accepted), 40);
        let least = |part: fn(&Second) -> &Sealed| whole(&load, part).min().unwrap();
        let most = |part: fn(&Second) -> &Sealed| whole(&load, part).max().unwrap();
        assert!(least(|second| &second.lag) >= 3_000_000, "{think:?}");
        // The clock of the simulation stands still while a proof is signed: what was lag is no part of the 20 ms that the answer took.
        assert!(most(|second| &second.service) <= 17_000_000, "{think:?}");
        check(&whole(&load, |second| &second.latency), &[(0.5, 20.0), (1.0, 20.0)]);
    }
}

#[test]
fn a_stopped_generator_of_thinking_users_is_blamed_for_what_they_waited() {
    let stopped = Simulation {
        connections: 20,
        think: Some(Duration::from_millis(4)),
        generator_stopped: a_second(),
        ..Simulation::default()
    };
    let (load, _) = stopped.run();
    let lag = whole(&load, |second| &second.lag);
    assert!(lag.max().unwrap() > 900_000_000, "{lag:?}");
    check(&whole(&load, |second| &second.service), &[(0.5, 1.0), (1.0, 1.0)]);
}
