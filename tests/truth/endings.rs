//! Every request ends in exactly one way, and in the right one.

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use bearerbench::load::{Driven, Feed, Request, Token, drive};
use bearerbench::observation::Outcomes;
use bearerbench::selftest::{Behaviour, Bench, Sending, Server, ended, outcomes};

use crate::{ask, beside_others, requests, steady, target};

#[test]
fn nothing_is_lost_whatever_a_server_does() {
    let _held = beside_others();
    ask("nothing is lost");
}

#[test]
fn answers_are_judged_by_the_token_that_was_sent() {
    let _held = beside_others();
    let server = Bench::default().serve(Behaviour::Judge).unwrap();
    let tokens = [Token::Live(0), Token::Bad { kind: 0, index: 0 }, Token::Watched(0)];
    let sending = steady(1_000.0, 4, Duration::from_millis(300));
    let requests = requests(&sending).into_iter().zip(tokens.into_iter().cycle());
    let requests: Vec<_> = requests.map(|(request, token)| Request { token, ..request }).collect();
    let driven = run(&[&server], &sending, &requests);
    let sum = check_nothing_lost(&driven, 200);
    assert_eq!((sum.good_accepted, sum.bad_refused, sum.sent), (100, 100, 200));
    assert_eq!(driven.probes.len(), 100);
    for (number, probe) in driven.probes.iter().enumerate() {
        assert_eq!((probe.id, probe.revocation), (number as u64, 0));
        assert_eq!(probe.accepted, Some(true));
        assert!(probe.answered.expect("it was answered") > probe.sent);
    }
    let mut seen = server.end().probes;
    seen.sort_unstable();
    assert_eq!(seen, (0..100).collect::<Vec<u64>>());
}

#[test]
fn a_server_that_accepts_everything_is_found_out() {
    let _held = beside_others();
    let server = Bench::default().serve(Behaviour::Canned).unwrap();
    let sending = steady(1_000.0, 4, Duration::from_millis(50));
    let bad = |request| Request { token: Token::Bad { kind: 0, index: 0 }, ..request };
    let driven = run(&[&server], &sending, &requests(&sending).into_iter().map(bad).collect::<Vec<_>>());
    assert_eq!(check_nothing_lost(&driven, 50).bad_accepted["garbage"], 50);
}

#[test]
fn a_server_that_never_answers_times_out() {
    let _held = beside_others();
    let server = Bench::default().serve(Behaviour::Silence).unwrap();
    let sending = steady(200.0, 300, Duration::from_secs(1));
    let driven = run(&[&server], &sending, &requests(&sending));
    assert_eq!(check_nothing_lost(&driven, 200).errors["timed out"], 200);
}

#[test]
fn a_server_that_dies_costs_its_requests_and_those_of_no_other() {
    let _held = beside_others();
    let bench = Bench::default();
    let (dying, living) =
        (bench.serve(Behaviour::DieAfter(100)).unwrap(), bench.serve(Behaviour::Canned).unwrap());
    let sending = steady(400.0, 8, Duration::from_secs(2));
    let to = |(request, resource_server)| Request { resource_server, ..request };
    let requests = requests(&sending).into_iter().zip([0, 1].into_iter().cycle());
    let driven = run(&[&dying, &living], &sending, &requests.map(to).collect::<Vec<_>>());
    let sum = check_nothing_lost(&driven, 800);
    assert_eq!(sum.good_accepted, 500, "{sum:?}");
    assert!(sum.errors["cannot connect"] > 250, "{sum:?}");
}

#[test]
fn a_status_that_is_neither_yes_nor_no_has_no_latency() {
    let _held = beside_others();
    let server = Bench::default().serve(Behaviour::Unavailable).unwrap();
    let sending = steady(100.0, 8, Duration::from_secs(1));
    let driven = run(&[&server], &sending, &requests(&sending));
    assert_eq!(check_nothing_lost(&driven, 100).errors["status 503"], 100);
    assert_eq!(driven.load.seconds[0].latency.count(), 0);
}

fn run(servers: &[&Server], sending: &Sending<'_>, requests: &[Request]) -> Driven {
    let feed = |_| Feed::open(Vec::from(requests).into_iter());
    drive(&target(servers, sending), feed, |_| {}, &AtomicBool::new(false)).expect("the servers run")
}

/// Nothing is lost: every planned request ended in exactly one way.
#[track_caller]
fn check_nothing_lost(driven: &Driven, planned: u64) -> Outcomes {
    let sum = outcomes(&driven.load);
    assert_eq!((sum.planned, ended(&sum)), (planned, planned), "{sum:?}");
    sum
}
