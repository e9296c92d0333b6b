//! A request allocates nothing once a run is under way: counted by the allocator, in a program of its own.

use std::alloc::System;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use bearerbench::arrival::Constant;
use bearerbench::load::{Engine, Feed, Token, Users, drive};
use bearerbench::selftest::{Behaviour, Bench, Sending, outcomes};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// What runs of both lengths do alike, like opening connections, cancels out.
const REQUESTS: u64 = 50_000;
/// What is allowed for a request: less than a growing buffer would need.
const MOST: f64 = 0.001;
/// A second of the run is put to rest with so many allocations at the most, whatever was sent in it: its histograms at rest.
const OF_A_SECOND: f64 = 40.0;

#[test]
fn a_request_of_a_closed_loop_allocates_nothing() {
    let [short, long] = [REQUESTS, 3 * REQUESTS].map(allocations);
    let (more, seconds) = (long.0 - short.0, long.1 - short.1);
    let each = (more - OF_A_SECOND * seconds) / (2 * REQUESTS) as f64;
    assert!(each < MOST, "{each} allocations a request: {more} more in {seconds} s more");
}

/// How often memory was asked for in a run of so many requests, by the generator and by the server; and its seconds.
fn allocations(requests: u64) -> (f64, f64) {
    let bench = Bench::default();
    let server = bench.serve(Behaviour::Canned).expect("a free port");
    let lasts = Duration::from_mins(10);
    let sending =
        Sending { engine: Engine::Http1, connections: 32, arrivals: &Constant {}, rate: 1.0, lasts, seed: 0 };
    let target = bench.target(&[server.address()], &sending).expect("plain HTTP needs nothing");
    let feed = |_| {
        let users = Users { think: Duration::ZERO, pick: Box::new(|_| Token::Live(0)), left: requests };
        Feed { ends_with_last: true, ..Feed::closed(users) }
    };
    let region = Region::new(ALLOCATOR);
    let driven = drive(&target, feed, |_| {}, &AtomicBool::new(false)).expect("the server runs");
    let change = region.change();
    assert_eq!(outcomes(&driven.load).accepted(), requests);
    ((change.allocations + change.reallocations) as f64, driven.load.seconds.len() as f64)
}
