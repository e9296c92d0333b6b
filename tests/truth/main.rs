//! What the load generator reports, against servers whose behaviour is known.

mod endings;
mod limits;
mod machine;
mod server;
mod times;

use std::net::SocketAddr;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bearerbench::load::{BadTokens, Driven, Pacing, Request, Target, Token, TokenPool, drive};
use bearerbench::observation::Outcomes;
use bearerbench::units::Offset;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// In nanoseconds.
const MILLISECOND: u64 = 1_000_000;
/// In nanoseconds.
const SECOND: u64 = 1_000_000_000;

/// Held by every test: another one beside it would be part of what is measured.
///
/// Both ends of every connection are files of this process, and 1,024 of them are a common limit.
fn alone() -> MutexGuard<'static, ()> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let files = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: files.maximum, ..files };
    setrlimit(Resource::Nofile, raised).expect("up to the maximum it may be raised");
    alone
}

fn pool() -> Arc<TokenPool> {
    let bad = BadTokens { kind: "garbage".to_owned(), tokens: vec!["bad".to_owned()] };
    Arc::new(TokenPool { live: vec!["good".to_owned()], bad: vec![bad], watched: vec!["watched".to_owned()] })
}

/// Requests with a good token at equal gaps, for `seconds`.
fn steady(rate: u64, seconds: u64) -> impl Iterator<Item = Request> {
    (0..rate * seconds).map(move |number| Request {
        due: Offset::from_nanos(number * SECOND / rate),
        resource_server: 0,
        token: Token::Live(0),
    })
}

/// The usual target: a window of so many seconds from the beginning.
fn target(addresses: &[SocketAddr], connections: u32, seconds: u64) -> Target<'_> {
    Target {
        addresses,
        connections,
        tokens: pool(),
        window: Offset::default()..Offset::from_nanos(seconds * SECOND),
        timeout: Duration::from_secs(2),
        pacing: Pacing::Hybrid,
        core: None,
    }
}

fn run(
    addresses: &[SocketAddr],
    connections: u32,
    seconds: u64,
    requests: impl Iterator<Item = Request>,
) -> Driven {
    drive(&target(addresses, connections, seconds), requests, |_| {}, &AtomicBool::new(false))
        .expect("the server runs")
}

/// Every outcome of the whole run.
fn total(driven: &Driven) -> Outcomes {
    driven.load.seconds.iter().fold(Outcomes::default(), |mut sum, second| {
        sum.add(&second.outcomes);
        sum
    })
}

/// Nothing is lost: every planned request ended in exactly one way.
#[track_caller]
fn check_nothing_lost(driven: &Driven, planned: u64) -> Outcomes {
    let sum = total(driven);
    let wrong: u64 = sum.bad_accepted.values().sum();
    let errors: u64 = sum.errors.values().sum();
    assert_eq!(sum.planned, planned);
    assert_eq!(sum.good_accepted + sum.good_refused + sum.bad_refused + wrong + errors, planned, "{sum:?}");
    sum
}
