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
/// And with so many more if gaps disturbed it: six further histograms at 8 each, as above, and five lists of gaps that grow by doubling.
const OF_GAPS: f64 = 72.0;

#[test]
fn a_request_of_a_closed_loop_allocates_nothing() {
    let [short, long] = [REQUESTS, 3 * REQUESTS].map(allocations);
    let more = long.times - short.times;
    let at_rest = long.for_seconds() - short.for_seconds();
    let each = (more - at_rest) / (2 * REQUESTS) as f64;
    assert!(each < MOST, "{each} allocations a request: {short:?}, {long:?}");
}

/// What a run asked of the allocator.
#[derive(Debug)]
struct Asked {
    /// How often the generator and the server asked for memory.
    times: f64,
    seconds: f64,
    /// Those of them that gaps disturbed: any number of them, on a busy machine.
    disturbed: f64,
}

impl Asked {
    /// How often it may ask to put its seconds to rest.
    fn for_seconds(&self) -> f64 {
        OF_A_SECOND * self.seconds + OF_GAPS * self.disturbed
    }
}

/// What a run of so many requests asks for.
fn allocations(requests: u64) -> Asked {
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
    let seconds = &driven.load.seconds;
    Asked {
        times: (change.allocations + change.reallocations) as f64,
        seconds: seconds.len() as f64,
        disturbed: seconds.iter().filter(|second| second.disturbed.is_some()).count() as f64,
    }
}
