//! The search against simulated servers whose capacity is known.

use proptest::prelude::*;

use super::*;

fn search() -> Search {
    Search::new("p(99)<5ms".parse().unwrap(), Span::from_secs(1), Period::from_secs(2))
}

fn per_second(rate: f64) -> Rate {
    Rate::try_from(rate).unwrap()
}

/// Walks to the end; each step is judged by its rate and its number.
fn walked(mut walk: Walk, judge: impl Fn(f64, u32) -> Judgement) -> (Walk, Vec<f64>) {
    let mut tried = Vec::new();
    while let Some(rate) = walk.next() {
        tried.push(rate.per_second());
        walk.judged(judge(rate.per_second(), walk.steps));
    }
    (walk, tried)
}

/// The 99th percentile of an M/M/1 queue below 5 ms: exponential with the rate that is left over.
fn holds(service: f64) -> impl Fn(f64, u32) -> Judgement {
    move |offered, _| {
        let p99 = if offered < service { 100_f64.ln() / (service - offered) } else { f64::INFINITY };
        if p99 < 0.005 { Judgement::Passed } else { Judgement::Failed }
    }
}

fn limit(service: f64) -> f64 {
    service - 100_f64.ln() / 0.005
}

#[test]
fn it_doubles_until_a_step_fails_and_then_bisects() {
    let (walk, tried) = walked(search().walk(per_second(500.0), None), holds(4_000.0));
    assert_eq!(tried, [500.0, 1000.0, 2000.0, 4000.0, 2830.0, 3360.0, 3080.0, 2950.0]);
    assert_eq!(walk.ending(), Some(Ending::Found));
    let found = walk.passed().unwrap().per_second();
    assert!(found <= limit(4_000.0) && limit(4_000.0) <= CLOSE * found, "{found}");
}

#[test]
fn a_later_repetition_begins_around_what_was_found_and_needs_few_steps() {
    for service in [3_900.0, 4_000.0, 4_100.0] {
        let (walk, tried) =
            walked(search().walk(per_second(500.0), Some(per_second(3_080.0))), holds(service));
        assert_eq!(walk.ending(), Some(Ending::Found));
        assert!(tried.len() <= 3, "{tried:?}");
    }
}

#[test]
fn a_step_that_was_spoiled_is_repeated_twice_and_then_ends_the_search_with_at_least_that_much() {
    let judge = |rate: f64, _| if rate > 2_000.0 { Judgement::Spoiled } else { Judgement::Passed };
    let (walk, tried) = walked(search().walk(per_second(1_000.0), None), judge);
    assert_eq!(tried, [1000.0, 2000.0, 4000.0, 4000.0, 4000.0]);
    assert_eq!((walk.ending(), walk.passed()), (Some(Ending::Spoiled), Some(per_second(2_000.0))));
}

#[test]
fn a_limit_that_never_holds_ends_at_the_lowest_rate_that_can_be_told() {
    let (walk, tried) = walked(search().walk(per_second(500.0), None), |_, _| Judgement::Failed);
    assert_eq!((walk.ending(), walk.passed()), (Some(Ending::NeverHeld), None));
    assert!((tried.last().unwrap() * 60.0 - 1_000.0).abs() < 1.0, "{tried:?}");
}

#[test]
fn a_window_has_a_hundred_requests_beyond_its_quantile_and_is_no_longer_than_a_minute() {
    for (written, rate, seconds) in [
        ("p(99)<5ms", 500.0, 21),
        ("p(99)<5ms", 2_000.0, 6),
        ("p(99)<5ms", 100_000.0, 2),
        ("p(99)<5ms", 10.0, 60),
        ("p(99.9)<5ms", 10_000.0, 11),
        ("med<1ms", 100.0, 3),
        ("avg<1ms", 100.0, 12),
    ] {
        let search = Search { threshold: written.parse().unwrap(), ..search() };
        assert_eq!(search.window(per_second(rate)), Period::from_secs(seconds), "{written} at {rate}");
    }
}

#[test]
fn an_example_counts_the_steps_and_the_load_of_a_search() {
    let (steps, load) = search().example(per_second(1_000.0), 8_000.0);
    assert_eq!(steps, 9, "1, 2, 4, 8 and 16 thousand, and four between the last two");
    assert_eq!(load, Duration::from_secs(12 + 7 + 4 + 6 * 3));
}

proptest! {
    /// Whatever the server can do, it is found to 5 %, from above and from below, in a bounded number of steps.
    #[test]
    fn a_server_of_known_capacity_is_found_within_5_percent(
        service in 1_100.0..200_000.0_f64,
        start in 50.0..50_000.0_f64,
        around in prop::option::of(50.0..50_000.0_f64),
    ) {
        let walk = search().walk(per_second(start), around.map(per_second));
        let (walk, tried) = walked(walk, holds(service));
        prop_assert_eq!(walk.ending(), Some(Ending::Found), "{:?}", tried);
        let found = walk.passed().unwrap().per_second();
        let limit = limit(service);
        prop_assert!(found <= limit && limit <= CLOSE * found, "{found} for {limit}: {tried:?}");
    }

    /// Steps that the generator spoils cost time, but change nothing about what is found, and none counts as a failure.
    #[test]
    fn a_fault_of_the_generator_never_counts_as_a_server_that_is_too_slow(
        service in 1_100.0..50_000.0_f64,
        spoiled in prop::collection::vec(any::<bool>(), MOST_STEPS as usize),
    ) {
        let judge = |rate: f64, number: u32| {
            if spoiled[number as usize] { Judgement::Spoiled } else { holds(service)(rate, number) }
        };
        let (walk, tried) = walked(search().walk(per_second(1_000.0), None), judge);
        prop_assert!(tried.len() <= MOST_STEPS as usize);
        let limit = limit(service);
        prop_assert!(walk.passed().is_none_or(|found| found.per_second() <= limit));
        prop_assert!(walk.failed.is_none_or(|failed| failed >= limit), "{:?}", walk);
        let threes = |tried: &[f64]| tried.windows(3).any(|three| three.iter().all(|rate| rate.total_cmp(&three[0]).is_eq()));
        prop_assert_eq!(walk.ending() == Some(Ending::Spoiled), threes(&tried) && walk.spoiled == 3);
    }

    #[test]
    fn every_search_ends_within_its_steps_and_its_time(
        start in 0.1..1e6_f64,
        judgements in prop::collection::vec(0..3_usize, 200),
    ) {
        let all = [Judgement::Passed, Judgement::Failed, Judgement::Spoiled];
        let search = search();
        let walk = search.walk(per_second(start), None);
        let (walk, tried) = walked(walk, |_, number| all[judgements[number as usize]]);
        prop_assert!(tried.len() <= MOST_STEPS as usize);
        prop_assert!(walk.spent <= search.at_most().1);
    }
}
