//! Latency, service time and lag are those of the server and the machine.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use bearerbench::arrival::{ArrivalProcess, Poisson};
use bearerbench::load::{Driven, Pacing, Request, Target, Token, TokenPool, drive};
use bearerbench::observation::{Distribution, Sealed, Second};
use bearerbench::units::{Offset, Rate};
use rustix::thread::gettid;

use crate::machine::{Claim, Seen, Watch, first_fit};
use crate::server::{Behaviour, Server};
use crate::{MILLISECOND, SECOND, alone, check_nothing_lost, steady, target};

#[test]
fn a_known_service_time_is_read_back_to_3_percent() {
    let _alone = alone();
    // Long times, so that 3 % are more than a busy machine adds to either side.
    let (from, to) = (Duration::from_millis(200), Duration::from_millis(400));
    let claim = Claim { tolerance: 0.03, shortest: Duration::from_millis(300) };
    let Some((driven, _)) = first_fit(claim, || watched(claim, Behaviour::Spread { from, to }, 100, 200, 2))
    else {
        return;
    };
    assert_eq!(check_nothing_lost(&driven, 400).good_accepted, 400);
    let latency = whole(&driven, 0..2, |second| &second.latency);
    for (quantile, truth) in [(0.5, 300 * MILLISECOND), (0.99, 398 * MILLISECOND)] {
        check_quantile(&latency, quantile, truth, claim.tolerance);
    }
}

#[test]
fn a_server_that_stalls_for_a_second_shows_in_every_request_due_meanwhile() {
    let _alone = alone();
    let (service, during) = (Duration::from_millis(100), 4 * SECOND..5 * SECOND);
    let claim = Claim { tolerance: 0.05, shortest: Duration::from_millis(500) };
    // A connection for everyone who comes during the stall: the server's word is all they wait for.
    let run = || watched(claim, Behaviour::Stall { service, during: during.clone() }, 1_200, 1_000, 10);
    let Some((driven, server)) = first_fit(claim, run) else { return };
    assert_eq!(check_nothing_lost(&driven, 10_000).good_accepted, 10_000);
    let latency = whole(&driven, 0..10, |second| &second.latency);
    let unstalled = whole(&driven, 0..4, |second| &second.latency).quantile(0.5).expect("it answered");
    check_quantile(&latency, 0.5, unstalled, claim.tolerance);
    // A tenth of all requests was due in the stall, at equal gaps: half of them waited for more than half of it.
    check_quantile(&latency, 0.95, server.stall() / 2, claim.tolerance);
    check_quantile(&latency, 0.99, server.stall() / 10 * 9, claim.tolerance);
    // The server is to blame, not the generator, which took every request up when it was due.
    let p99 = |part| whole(&driven, 0..10, part).quantile(0.99).expect("it was answered");
    let (lag, service) = (p99(|second| &second.lag), p99(|second| &second.service));
    assert!(4 * lag < service, "lag {lag} ns, service {service} ns");
}

/// A run at equal gaps against a new server, and what the machine did from its first request to its last answer.
fn watched(
    claim: Claim,
    behaviour: Behaviour,
    connections: u32,
    rate: u64,
    seconds: u64,
) -> ((Driven, Server), Seen) {
    let server = Server::start(behaviour);
    let addresses = [server.address];
    let (mut watch, unfit) = (None, Arc::new(AtomicBool::new(false)));
    let started = |_| watch = Some(Watch::begin(&[gettid(), server.task()], claim, &unfit));
    let target = target(&addresses, connections, seconds);
    let driven = drive(&target, steady(rate, seconds), started, &unfit);
    let driven = driven.expect("the server runs");
    let seen = watch.expect("it started").end(server.latest());
    ((driven, server), seen)
}

#[test]
#[ignore = "timing of this machine"]
fn timing_lag_at_2000_requests_per_second() {
    let _alone = alone();
    let server = Server::start_on(Some(1), Behaviour::Service(Duration::ZERO));
    let addresses = [server.address];
    // As long as a JWT signed by ML-DSA-65.
    let tokens = Arc::new(TokenPool { live: vec!["x".repeat(5_045)], ..TokenPool::default() });
    let rate = Rate::try_from(2_000.0).expect("above zero");
    for pacing in [Pacing::Busy, Pacing::Hybrid] {
        let due = Poisson {}.instants(rate, 1).take_while(|due| *due < Offset::from_nanos(11 * SECOND));
        let requests = due.map(|due| Request { due, resource_server: 0, token: Token::Live(0) });
        let target = Target {
            tokens: Arc::clone(&tokens),
            window: Offset::from_nanos(SECOND)..Offset::from_nanos(11 * SECOND),
            pacing,
            core: Some(0),
            ..target(&addresses, 32, 11)
        };
        let driven = drive(&target, requests, |_| {}, &AtomicBool::new(false)).expect("the server runs");
        println!("{pacing:?} lag {}", in_micros(&whole(&driven, 0..10, |second| &second.lag)));
        let by_second = (0..10).filter_map(|at| driven.load.seconds[at].lag.open().quantile(0.99));
        println!("{pacing:?} lag p99 by second, ns: {:?}", by_second.collect::<Vec<_>>());
        println!("{pacing:?} service {}", in_micros(&whole(&driven, 0..10, |second| &second.service)));
        println!("{pacing:?} latency {}", in_micros(&whole(&driven, 0..10, |second| &second.latency)));
        println!("{pacing:?} core used: {:.1} %", driven.load.generator_cpu_nanos as f64 / 1e8);
    }
}

fn in_micros(found: &Distribution) -> String {
    let micros = |q| found.quantile(q).expect("it sent") as f64 / 1e3;
    let [p50, p99, p999, max] = [0.5, 0.99, 0.999, 1.0].map(micros);
    format!("p50 {p50} us, p99 {p99} us, p99.9 {p999} us, max {max} us")
}

/// One distribution over some seconds of a run.
fn whole(driven: &Driven, seconds: Range<usize>, part: fn(&Second) -> &Sealed) -> Distribution {
    driven.load.seconds[seconds].iter().fold(Distribution::default(), |mut sum, second| {
        sum.add(&part(second).open());
        sum
    })
}

#[track_caller]
fn check_quantile(found: &Distribution, quantile: f64, truth_nanos: u64, tolerance: f64) {
    let found = found.quantile(quantile).expect("something was recorded") as f64;
    let ratio = found / truth_nanos as f64;
    assert!((ratio - 1.0).abs() <= tolerance, "quantile {quantile}: {found} ns is {ratio} of the truth");
}
