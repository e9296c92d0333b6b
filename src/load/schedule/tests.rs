//! Requests follow the laws of their plan, counted over a hundred thousand of them.

use proptest::prelude::*;

use super::*;
use crate::plan::{BadKind, Pace, Timeline};
use crate::registry::{Choice, Part, Role};
use crate::reuse::ReuseLaw;
use crate::units::{Period, Span};

fn open(rate: f64) -> Pace {
    Pace::Open { rate: Rate::try_from(rate).unwrap(), arrivals: Part::named("poisson").unwrap() }
}

fn workload(zipf_exponent: f64, revocations: usize) -> Workload {
    Workload {
        pace: open(10_000.0),
        warmup: Span::from_secs(1),
        window: Period::from_secs(10),
        requests: None,
        connections: 8.try_into().unwrap(),
        streams: 1.try_into().unwrap(),
        requests_per_connection: None,
        pool: Pool {
            live: 1_000,
            churn: None,
            reuse: zipf(zipf_exponent),
            bad_fraction: 0.05,
            mix: BadKind::ALL[..5].iter().map(|kind| (*kind, 1)).collect(),
            bad_per_kind: 20,
        },
        timeline: Timeline::of_revocations(vec![Offset::default(); revocations]),
        probe_rate: Rate::try_from(100.0).unwrap(),
    }
}

fn zipf(exponent: f64) -> Part<dyn ReuseLaw> {
    let settings = toml::Table::from_iter([("exponent".to_owned(), exponent.into())]);
    <dyn ReuseLaw>::registry().resolve(Choice { kind: "zipf".to_owned(), settings }).unwrap()
}

/// How often something was counted, against how often it should be: within five standard deviations.
#[track_caller]
fn check(found: usize, of: usize, probability: f64) {
    let (expected, trials) = (of as f64 * probability, of as f64);
    let deviation = (trials * probability * (1.0 - probability)).sqrt();
    assert!((found as f64 - expected).abs() < 5.0 * deviation, "{found} instead of {expected}");
}

#[test]
fn tokens_and_resource_servers_follow_their_laws() {
    let requests: Vec<_> = schedule(&workload(0.99, 0), 42).collect();
    let count = |wanted: &dyn Fn(&Request) -> bool| requests.iter().filter(|request| wanted(request)).count();
    let all = requests.len();
    check(all, 1_000_000, 0.11);
    for servers in [2, 3, 50] {
        for server in [0, servers - 1] {
            let found = count(&|request| request.server(servers) == server);
            check(found, all, 1.0 / servers as f64);
        }
    }
    for bad_kind in 0..5 {
        let is_kind =
            |request: &Request| matches!(request.token, Token::Bad { kind, .. } if kind == bad_kind);
        check(count(&is_kind), all, 0.01);
    }
    check(count(&|request| matches!(request.token, Token::Bad { index: 7, .. })), all, 0.05 / 20.0);
    let total: f64 = (1..=1_000).map(|rank| f64::from(rank).powf(-0.99)).sum();
    for rank in [0, 1, 9, 99, 999] {
        let probability = 0.95 * f64::from(rank + 1).powf(-0.99) / total;
        check(count(&|request| request.token == Token::Live(rank)), all, probability);
    }
}

#[test]
fn a_seed_has_the_requests_that_it_had_before_subjects_had_servers_of_their_own() {
    let workload = workload(0.99, 0);
    for servers in [1_u32, 2, 3, 50] {
        let mut random = random(42, Randomness::LoadRequests);
        let mut draw = Draw::new(&workload.pool, Slice::WHOLE);
        // The number of the server was drawn, from a stream that then lacked one number, or rarely two.
        for request in schedule(&workload, 42) {
            let (server, token) = (random.random_range(0..servers), draw.token(request.due, &mut random));
            assert_eq!((request.server(servers as usize), request.token), (server as usize, token));
        }
    }
}

#[test]
fn kinds_of_bad_tokens_come_by_their_weights() {
    let mut workload = workload(0.99, 0);
    workload.pool.bad_fraction = 0.4;
    workload.pool.mix = vec![(BadKind::Expired, 12), (BadKind::WrongAudience, 1), (BadKind::Revoked, 7)];
    let requests: Vec<_> = schedule(&workload, 42).collect();
    for (wanted, weight) in [(0, 12.0), (1, 1.0), (2, 7.0)] {
        let is_kind = |request: &&Request| matches!(request.token, Token::Bad { kind, .. } if kind == wanted);
        check(requests.iter().filter(is_kind).count(), requests.len(), 0.4 * weight / 20.0);
    }
}

#[test]
fn without_a_kind_of_bad_tokens_every_token_is_live() {
    let mut workload = workload(0.99, 0);
    workload.pool.mix.clear();
    assert!(schedule(&workload, 1).all(|request| matches!(request.token, Token::Live(_))));
}

#[test]
fn users_of_a_closed_loop_get_tokens_by_the_same_laws_on_any_number_of_threads() {
    let workload = workload(0.99, 0);
    for of in [1, 3] {
        let tokens: Vec<_> = (0..of)
            .flat_map(|index| {
                let mut pick = picks(&workload, 42, Share { index, of });
                (0..120_000 / of)
                    .map(move |number| pick(Offset::from_nanos(number as u64)))
                    .collect::<Vec<_>>()
            })
            .collect();
        let bad = tokens.iter().filter(|token| matches!(token, Token::Bad { .. })).count();
        check(bad, tokens.len(), 0.05);
        let total: f64 = (1..=1_000).map(|rank| f64::from(rank).powf(-0.99)).sum();
        let most_popular = tokens.iter().filter(|token| **token == Token::Live(0)).count();
        check(most_popular, tokens.len(), 0.95 / total);
    }
}

#[test]
fn threads_of_a_closed_loop_share_unique_tokens_without_overlap() {
    let mut workload = workload(0.99, 0);
    workload.pool.reuse = Part::named("unique").unwrap();
    workload.pool.bad_fraction = 0.0;
    let mut tokens: Vec<_> = (0..2)
        .flat_map(|index| {
            let mut pick = picks(&workload, 42, Share { index, of: 2 });
            (0..500).map(move |_| pick(Offset::default())).collect::<Vec<_>>()
        })
        .map(|token| if let Token::Live(token) = token { token } else { panic!("a bad token") })
        .collect();
    tokens.sort_unstable();
    assert_eq!(tokens, (0..1_000).collect::<Vec<_>>());
}

#[test]
fn an_exponent_of_zero_makes_every_live_token_as_popular_as_any_other() {
    let requests: Vec<_> = schedule(&workload(0.0, 0), 42).collect();
    for rank in [0, 500, 999] {
        let found = requests.iter().filter(|request| request.token == Token::Live(rank)).count();
        check(found, requests.len(), 0.95 / 1_000.0);
    }
}

#[test]
fn every_watched_token_is_probed_at_every_resource_server_as_by_a_poisson_process_of_its_own() {
    let requests: Vec<_> = schedule(&workload(0.99, 3), 42).collect();
    for revocation in 0..3 {
        for resource_server in 0..2 {
            let wanted = |request: &&Request| {
                (request.token, request.server(2)) == (Token::Watched(revocation), resource_server)
            };
            let due: Vec<_> = requests.iter().filter(wanted).map(|request| request.due).collect();
            check(due.len(), 1_000_000, 50.0 * 11.0 / 1_000_000.0);
            // The share of gaps longer than the mean gap is 1/e for an exponential law.
            let long = due.windows(2).filter(|pair| pair[1].since(pair[0]).as_millis() >= 20).count();
            check(long, due.len(), (-1.0_f64).exp());
        }
    }
}

#[test]
fn probes_do_not_disturb_the_load() {
    let load = |revocations| {
        let requests = schedule(&workload(0.99, revocations), 1);
        requests.filter(|request| !matches!(request.token, Token::Watched(_))).collect::<Vec<_>>()
    };
    assert_eq!(load(0), load(5));
}

#[test]
fn users_in_a_closed_loop_send_tokens_by_the_same_law_and_probes_go_on_beside_them() {
    let closed = Workload { pace: Pace::Closed { think: Span::default() }, ..workload(0.99, 3) };
    let requests: Vec<_> = schedule(&closed, 42).collect();
    assert!(requests.iter().all(|request| matches!(request.token, Token::Watched(_))));
    check(requests.len(), 1_000_000, 3.0 * 2.0 * 50.0 * 11.0 / 1_000_000.0);
    let mut pick = picks(&closed, 42, Share { index: 0, of: 2 });
    let tokens: Vec<Token> = (0..100_000).map(|_| pick(Offset::default())).collect();
    let bad = tokens.iter().filter(|token| matches!(token, Token::Bad { .. })).count();
    check(bad, tokens.len(), 0.05);
    let mut again = picks(&closed, 42, Share { index: 0, of: 2 });
    assert!(tokens[..100].iter().all(|token| *token == again(Offset::default())));
    let mut other = picks(&closed, 42, Share { index: 1, of: 2 });
    assert!(tokens[..100].iter().any(|token| *token != other(Offset::default())));
}

#[test]
fn a_load_that_ends_by_count_has_so_many_requests() {
    let counted = Workload { requests: Some(777), ..workload(0.99, 0) };
    let requests: Vec<_> = schedule(&counted, 42).collect();
    assert_eq!(requests[..], schedule(&workload(0.99, 0), 42).take(777).collect::<Vec<_>>());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn a_schedule_is_in_order_ends_in_time_and_is_the_same_for_the_same_seed(seed in any::<u64>()) {
        let mut workload = workload(0.99, 2);
        workload.pace = open(100.0);
        let requests: Vec<_> = schedule(&workload, seed).collect();
        prop_assert!(requests.is_sorted_by_key(|request| request.due));
        prop_assert!(requests.last().unwrap().due < workload.end());
        prop_assert_eq!(&requests, &schedule(&workload, seed).collect::<Vec<_>>());
        prop_assert_ne!(&requests, &schedule(&workload, seed.wrapping_add(1)).collect::<Vec<_>>());
    }
}

proptest! {
    #[test]
    fn several_servers_in_the_place_of_one_share_its_requests(
        place in any::<u32>(), servers in 1_usize..1_000, each in 1_usize..1_000,
    ) {
        let among_more = server_at(place, servers * each);
        prop_assert!(among_more < servers * each);
        prop_assert_eq!(server_at(place_of(among_more, servers * each), servers * each), among_more);
        prop_assert_eq!(among_more / each, server_at(place, servers));
        prop_assert!(server_at(place.saturating_add(1), servers) >= server_at(place, servers));
    }
}
