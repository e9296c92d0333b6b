//! Cells worked out by hand, and laws that hold whatever was measured.

use std::time::Duration;

use super::*;
use crate::analysis::{analyse, synthetic};
use crate::design::Refreshing;
use crate::metric::MetricId;
use crate::observation::{Conformance, Recording, Reuse, Signature};
use crate::registry::Choice;

const MICRO: f64 = 1e-6;

/// A thousand tokens that come at 1/s each, half of that at each of two servers, and live for an hour.
fn workload() -> Workload {
    let mut workload = synthetic::recording(1).workload;
    workload.arrival_process = Some(Choice::named("poisson"));
    workload.reuse = Reuse::Uniform {};
    (workload.live_tokens, workload.rate, workload.resource_servers) = (1_000, 1_000.0, 2);
    (workload.bad_fraction, workload.token_lifetime_seconds) = (0.0, 3_600.0);
    workload
}

/// One that took so many microseconds on average, give or take one.
fn contender(name: &str, design: Design, micros: f64) -> Contender {
    let measured = MeasuredMean {
        mean_seconds: micros * MICRO,
        interval: Some(((micros - 1.0) * MICRO, (micros + 1.0) * MICRO)),
        waits_per_request: if design.asks == Asks::EveryRequest { 1.0 } else { 0.0 },
        ..MeasuredMean::default()
    };
    Contender { name: name.to_owned(), subject: name.to_owned(), measured, design, workload: workload() }
}

fn verifying() -> Design {
    Design::verifying(Duration::ZERO, Duration::from_mins(5))
}

fn contenders() -> Vec<Contender> {
    let mut cached = contender("cached", Design::caching(Duration::from_secs(5)), 50.0);
    // 0.4 of its requests waited 40 us longer.
    (cached.measured.question_seconds, cached.measured.waits_per_request) = (Some(40.0 * MICRO), 0.4);
    vec![
        contender("introspection", Design::ASKING_EVERY_TIME, 70.0),
        cached,
        contender("polled", verifying().polling(Duration::from_secs(1)), 75.0),
        contender("jwt", verifying(), 72.0),
        contender("pushed", verifying().pushed_to(Duration::from_secs(3), None), 76.5),
    ]
}

fn map(round_trips: &[f64], limits: &[f64], contenders: Vec<Contender>) -> WinnerMap {
    WinnerMap::over(round_trips, limits, contenders, Vec::new())
}

/// Name, microseconds, calls per second, names of ties.
fn cell(map: &WinnerMap, row: usize, column: usize) -> (&str, f64, f64, Vec<&str>) {
    let winner = map.winners[row][column].as_ref().unwrap();
    let name = |place: usize| map.contenders[place].name.as_str();
    let ties = winner.ties.iter().map(|place| name(*place)).collect();
    (name(winner.contender), winner.mean_seconds / MICRO, winner.calls_per_second, ties)
}

fn near(found: f64, expected: f64) {
    assert!((found - expected).abs() <= 1e-6 * expected.abs(), "{found}, not {expected}");
}

#[test]
fn cells_are_what_is_worked_out_by_hand() {
    let map = map(&[50.0 * MICRO, 2_000.0 * MICRO, 0.15], &[0.0, 10.0, 3_600.0], contenders());
    // Nobody but who asks every time knows at once; each request waits for a round trip.
    for (column, micros) in [(0, 120.0), (1, 2_070.0), (2, 150_070.0)] {
        let (name, mean, calls, ties) = cell(&map, 0, column);
        assert_eq!((name, ties.len()), ("introspection", 0));
        near(mean, micros);
        near(calls, 1_000.0);
    }
    // λT = 0.5/s * 10 s: a cycle is 12 s, and of the hour of a token's life 3610 / 12 - (1 - (2/12)²) / 2 are misses, for 1,800 requests.
    let waits = (3_610.0 / 12.0 - (1.0 - 1.0 / 36.0) / 2.0) / 1_800.0;
    let (name, mean, calls, ties) = cell(&map, 1, 0);
    assert_eq!((name, ties.len()), ("cached", 0));
    near(mean, 50.0 + (waits - 0.4) * 40.0 + waits * 50.0);
    near(mean, 49.017_360_6);
    near(calls, 1_000.0 * waits);
    near(map.winners[1][0].as_ref().unwrap().waits_per_request, waits);
    // With 2 ms the same takes 374 us; a list is fetched by both servers so often that a fetch and a round trip fit into the 10 s too.
    let (name, mean, calls, ties) = cell(&map, 1, 1);
    assert_eq!((name, ties), ("polled", vec!["pushed"]), "74 to 76 us beside 75.5 to 77.5");
    near(mean, 75.0);
    near(calls, 2.0 / 9.898);
    // In an hour a token is asked about once by each server.
    let (name, mean, calls, _) = cell(&map, 2, 0);
    assert_eq!(name, "cached");
    near(mean, 50.0 + (1.0 / 1_800.0 - 0.4) * 40.0 + 50.0 / 1_800.0);
    near(calls, 2_000.0 / 3_600.0);
    // Every token has expired by then: nobody need be told of its revocation.
    let (name, mean, calls, ties) = cell(&map, 2, 2);
    assert_eq!((name, ties), ("jwt", vec![]));
    near(mean, 72.0);
    assert_eq!(calls.to_bits(), 0.0_f64.to_bits());
}

#[test]
fn each_contender_asks_as_its_own_number_of_servers_makes_it() {
    let shared = |name, micros, servers, waits| {
        let mut contender = contender(name, Design::caching(Duration::from_secs(5)), micros);
        (contender.measured.question_seconds, contender.measured.waits_per_request) =
            (Some(40.0 * MICRO), waits);
        contender.workload.resource_servers = servers;
        contender
    };
    // Each of G servers sees a token at 1 / G per second, so that a cycle of 10 s of keeping takes 10 s + G s.
    let waits = |servers: f64| {
        let cycle = 10.0 + servers;
        servers * (3_610.0 / cycle - (1.0 - (servers / cycle).powi(2)) / 2.0) / 3_600.0
    };
    let contenders = vec![shared("one", 50.0, 1, 0.1), shared("sixteen", 10.0, 16, 0.6)];
    let map = map(&[50.0 * MICRO, 2_000.0 * MICRO], &[10.0], contenders);
    for (column, expected, micros, servers, waited, round_trip) in
        [(0, "sixteen", 10.0, 16.0, 0.6, 50.0), (1, "one", 50.0, 1.0, 0.1, 2_000.0)]
    {
        let (name, mean, calls, ties) = cell(&map, 0, column);
        assert_eq!((name, ties.len()), (expected, 0));
        let waits = waits(servers);
        near(mean, micros + (waits - waited) * 40.0 + waits * round_trip);
        near(calls, 1_000.0 * waits);
        near(map.winners[0][column].as_ref().unwrap().waits_per_request, waits);
    }
    let mut recordings = synthetic::recordings();
    recordings[3].workload.resource_servers = 16;
    let own = recordings[1].workload.resource_servers;
    let map = analyse(&recordings).winners.unwrap();
    let servers: Vec<u32> =
        map.contenders.iter().map(|contender| contender.workload.resource_servers).collect();
    assert_eq!(servers, [own, own, 16, own]);
}

#[test]
fn each_design_keeps_a_limit_by_a_setting_of_its_own_or_not_at_all() {
    let asking = |design: &Design, limit, round_trip| {
        let questions = caching_within(design, limit, round_trip)
            .and_then(|caching| in_the_long_run(&workload(), &caching));
        AskingRate::within(design, &workload(), limit, round_trip, questions)
    };
    let calls = |design: &Design, limit, round_trip| {
        asking(design, limit, round_trip).map(|asking| (asking.calls_per_second * 1e3).round() / 1e3)
    };
    let polled = verifying().polling(Duration::from_secs(1));
    assert_eq!(
        [0.0, 0.1, 0.2, 1.0].map(|limit| calls(&polled, limit, 0.05)),
        [None, None, Some(40.0), Some(2.353)]
    );
    // Three heartbeats within the silence, which leaves time to connect again.
    let pushed = verifying().pushed_to(Duration::from_secs(3), None);
    assert_eq!([0.0, 0.12, 1.0].map(|limit| calls(&pushed, limit, 0.05)), [None, None, Some(8.0)]);
    // Tokens of whole seconds, refreshed as early as they were in the run, which is 2 s at the least: a thousand every 3 s and every 36 s.
    let refreshing = Refreshing { token_life_seconds: 5.0, refresh_margin_seconds: 2.0 };
    let refreshed = Design { refreshing: Some(refreshing), ..verifying() };
    assert_eq!(
        [1.0, 5.9, 60.0].map(|limit| calls(&refreshed, limit, 0.05)),
        [None, Some(333.333), Some(27.778)]
    );
    assert_eq!([3_599.0, 3_600.0].map(|limit| calls(&verifying(), limit, 0.05)), [None, Some(0.0)]);
    // Answers that are taken away are kept for longer than the limit.
    let cached = Design::caching(Duration::from_secs(10));
    let struck = cached.pushed_to(Duration::from_secs(3), None);
    let lifetime = |design: &Design, limit| {
        caching_within(design, limit, 0.05).map(|caching| caching.cache_lifetime_seconds)
    };
    assert_eq!([0.0, 1.0, 60.0].map(|limit| lifetime(&cached, limit)), [None, Some(1.0), Some(60.0)]);
    assert_eq!([0.2, 1.0, 60.0].map(|limit| lifetime(&struck, limit)), [Some(0.2), Some(10.0), Some(60.0)]);
    // Behind a gateway every other request is asked about.
    let hybrid = Design { asked_behind: Some(0.5), ..cached };
    let [plain, behind] = [cached, hybrid].map(|design| asking(&design, 10.0, 0.05).unwrap());
    near(behind.waits_behind, 0.5);
    near(behind.calls_per_second, plain.calls_per_second + 500.0);
}

#[test]
fn nobody_gains_from_a_longer_way_and_no_cache_loses_by_a_longer_lifetime() {
    let map = map(&ROUND_TRIPS, &LIMITS, contenders());
    for row in &map.winners {
        let means: Vec<f64> = row.iter().flatten().map(|winner| winner.mean_seconds).collect();
        assert!(means.len() == ROUND_TRIPS.len() && means.is_sorted(), "{means:?}");
    }
    for law in [Reuse::Uniform {}, Reuse::Zipf { exponent: 0.99 }, Reuse::RoundRobin {}] {
        for ahead in [None, Some(0.5)] {
            let workload = Workload { reuse: law, ..workload() };
            let mut last = 1.0;
            for lifetime in [0.1, 0.5, 1.0, 3.0, 10.0, 60.0, 300.0, 3_600.0, 36_000.0] {
                let caching = Caching::for_a_while(Duration::from_secs_f64(lifetime));
                let ahead = ahead.map(|part: f64| part * lifetime);
                let Some(steady) =
                    in_the_long_run(&workload, &Caching { refresh_ahead_seconds: ahead, ..caching })
                else {
                    assert!(ahead.is_some() && law == Reuse::RoundRobin {}, "{law:?}");
                    break;
                };
                // The closed form of a young cache goes over into that of the long run with a thousandth of a difference.
                assert!(
                    steady.waits_per_request <= last * 1.001,
                    "{law:?}, {lifetime} s: {steady:?} after {last}"
                );
                last = steady.waits_per_request;
            }
        }
    }
}

#[test]
fn what_a_question_takes_is_read_back_from_the_latencies_of_a_cache() {
    let analysis = analyse(&synthetic::recordings());
    let map = analysis.winners.unwrap();
    let names: Vec<_> = map.contenders.iter().map(|contender| contender.name.as_str()).collect();
    assert_eq!(names, ["introspection", "introspection-cached", "jwt ES256", "jwt ML-DSA-65"]);
    let MeasuredMean { question_seconds, waits_per_request, .. } = map.contenders[1].measured;
    // 175 us were simulated, and a hit ratio.
    let question = question_seconds.unwrap() / MICRO;
    assert!((question / 175.0 - 1.0).abs() < 0.08, "{question}");
    let hits = analysis.subjects[2].estimates[&MetricId::HitRatio].point;
    assert!((1.0 - waits_per_request - hits).abs() < 0.1, "{waits_per_request} {hits}");
    assert!(map.left_out.is_empty() && map.winners.len() == LIMITS.len());
    assert!(map.winners[0].iter().flatten().all(|winner| winner.contender == 0 && winner.ties.is_empty()));
}

#[test]
fn who_cannot_be_compared_is_left_out_with_the_reason_and_without_a_trade_there_is_no_map() {
    let of = |change: fn(&mut Vec<Recording>)| {
        let mut recordings = synthetic::recordings();
        change(&mut recordings);
        analyse(&recordings).winners
    };
    let cached = |why| vec![("introspection-cached".to_owned(), why)];
    let map = of(|recordings| recordings[2].workload.reuse = Reuse::Unique {}).unwrap();
    assert_eq!(map.left_out, cached(NotCompared::NoQuestions), "each request asked");
    let map = of(|recordings| recordings[2].workload.arrival_process = None).unwrap();
    assert_eq!(map.left_out, cached(NotCompared::NoClosedForm));
    let map = of(|recordings| {
        let design = &mut recordings[2].subject.design;
        *design = Design::caching(Duration::from_millis(100));
    });
    assert_eq!(
        map.unwrap().left_out,
        cached(NotCompared::Contradicted),
        "it was seen to keep answers for 5 s"
    );
    let map = of(|recordings| {
        let scheme = synthetic::signatures()[1].subject.scheme.clone().unwrap();
        let broken = Signature { conformance: Conformance::NonConforming, ..scheme };
        recordings[3].subject.scheme = Some(broken);
    });
    assert_eq!(map.unwrap().left_out, vec![("jwt ES256".to_owned(), NotCompared::NotConforming)]);
    assert_eq!(of(|recordings| recordings.truncate(2)), None, "nobody to trade with");
    assert_eq!(of(|recordings| drop(recordings.drain(1..3))), None, "nobody asks");
    assert_eq!(analyse(&synthetic::sweep()).winners, None, "several rates");
    for disturbed in 1..5 {
        let mut recordings = synthetic::recordings();
        recordings[disturbed] = synthetic::outage(disturbed);
        assert_eq!(analyse(&recordings).winners, None, "servers of {disturbed} were killed");
    }
}

#[test]
fn a_mean_that_is_not_known_to_a_factor_of_ten_is_no_figure_to_compare() {
    let recordings = [synthetic::recording(1)];
    let mut summary = analyse(&recordings).subjects.remove(0);
    let references = recordings.each_ref();
    let groups = Trials::group(&references);
    let of = |summary: &Summary| MeasuredMean::of(&groups[0], summary).map(|measured| measured.interval);
    for (low, high, expected) in
        [(1e-4, 9.9e-4, Ok(Some((1e-4, 9.9e-4)))), (1e-4, 1.1e-3, Err(NotCompared::NotSure))]
    {
        let mean = summary.estimates.get_mut(&MetricId::LatencyMean).unwrap();
        (mean.low, mean.point, mean.high) = (low, 2e-4, Some(high));
        assert_eq!(of(&summary), expected, "{low} to {high}");
    }
}

#[test]
fn contenders_are_called_by_their_kind_where_that_is_a_name() {
    let mut recordings = synthetic::recordings();
    for (index, kind) in [(1, "introspection"), (2, "introspection-cached"), (3, "jwt"), (4, "jwt")] {
        recordings[index].subject.name.push_str(" ttl 5s");
        recordings[index].subject.parts.insert("architecture".to_owned(), Choice::named(kind));
    }
    let map = analyse(&recordings).winners.unwrap();
    let names: Vec<_> = map.contenders.iter().map(|contender| contender.name.as_str()).collect();
    assert_eq!(names, ["introspection", "introspection-cached", "jwt ES256 ttl 5s", "jwt ML-DSA-65 ttl 5s"]);
}
