//! Every request ends in exactly one way, and in the right one.

use std::time::Duration;

use bearerbench::load::{Request, Token};
use bearerbench::units::Offset;

use crate::server::{Behaviour, Server};
use crate::{MILLISECOND, alone, check_nothing_lost, run, steady};

#[test]
fn answers_are_judged_by_the_token_that_was_sent() {
    let _alone = alone();
    let server = Server::start(Behaviour::Judge);
    let tokens = [Token::Live(0), Token::Bad { kind: 0, index: 0 }, Token::Watched(0)];
    let requests = (0..300).map(|number| Request {
        due: Offset::from_nanos(number * MILLISECOND),
        resource_server: 0,
        token: tokens[usize::try_from(number).expect("small") % 3],
    });
    let driven = run(&[server.address], 4, 1, requests);
    let sum = check_nothing_lost(&driven, 200);
    assert_eq!((sum.good_accepted, sum.bad_refused, sum.sent), (100, 100, 200));
    assert_eq!(driven.probes.len(), 100);
    for (number, probe) in driven.probes.iter().enumerate() {
        assert_eq!((probe.id, probe.revocation), (number as u64, 0));
        assert_eq!(probe.accepted, Some(true));
        assert!(probe.answered.expect("it was answered") > probe.sent);
    }
    assert_eq!(server.probes_seen(), (0..100).collect::<Vec<u64>>());
}

#[test]
fn a_server_that_accepts_everything_is_found_out() {
    let _alone = alone();
    let server = Server::start(Behaviour::Service(Duration::ZERO));
    let bad = |due| Request { due, resource_server: 0, token: Token::Bad { kind: 0, index: 0 } };
    let requests = (0..50).map(|number| bad(Offset::from_nanos(number * MILLISECOND)));
    let driven = run(&[server.address], 4, 1, requests);
    assert_eq!(check_nothing_lost(&driven, 50).bad_accepted["garbage"], 50);
}

#[test]
fn a_server_that_closes_after_every_answer_loses_no_request() {
    let _alone = alone();
    let server = Server::start(Behaviour::CloseAfterEachAnswer);
    let driven = run(&[server.address], 8, 2, steady(200, 2));
    assert_eq!(check_nothing_lost(&driven, 400).good_accepted, 400);
}

#[test]
fn a_server_that_closes_without_a_word_costs_only_requests_that_it_closed_on() {
    let _alone = alone();
    let server = Server::start(Behaviour::CloseUnannounced);
    let driven = run(&[server.address], 8, 2, steady(200, 2));
    let sum = check_nothing_lost(&driven, 400);
    let closed = sum.errors.get("connection closed").copied().unwrap_or(0);
    assert_eq!(sum.good_accepted + closed, 400, "{sum:?}");
}

#[test]
fn a_server_that_closes_instead_of_answering_is_an_error_for_every_request() {
    let _alone = alone();
    let server = Server::start(Behaviour::CloseWithoutAnswer);
    let driven = run(&[server.address], 8, 1, steady(200, 1));
    assert_eq!(check_nothing_lost(&driven, 200).errors["connection closed"], 200);
}

#[test]
fn a_server_that_answers_garbage_is_not_http() {
    let _alone = alone();
    let server = Server::start(Behaviour::Garbage);
    let driven = run(&[server.address], 8, 1, steady(200, 1));
    assert_eq!(check_nothing_lost(&driven, 200).errors["not HTTP"], 200);
}

#[test]
fn a_server_that_never_answers_times_out() {
    let _alone = alone();
    let server = Server::start(Behaviour::Silence);
    let driven = run(&[server.address], 300, 1, steady(200, 1));
    assert_eq!(check_nothing_lost(&driven, 200).errors["timed out"], 200);
}

#[test]
fn a_server_that_dies_costs_its_requests_and_those_of_no_other() {
    let _alone = alone();
    let (dying, living) =
        (Server::start(Behaviour::DieAfter(100)), Server::start(Behaviour::Service(Duration::ZERO)));
    let requests = steady(400, 2).enumerate().map(|(number, request)| Request {
        resource_server: u32::try_from(number % 2).expect("0 or 1"),
        ..request
    });
    let driven = run(&[dying.address, living.address], 8, 2, requests);
    let sum = check_nothing_lost(&driven, 800);
    assert_eq!(sum.good_accepted, 500, "{sum:?}");
    assert!(sum.errors["cannot connect"] > 250, "{sum:?}");
}

#[test]
fn a_status_that_is_neither_yes_nor_no_is_an_error_by_its_number() {
    let _alone = alone();
    let server = Server::start(Behaviour::Unavailable);
    let driven = run(&[server.address], 8, 1, steady(100, 1));
    assert_eq!(check_nothing_lost(&driven, 100).errors["status 503"], 100);
    assert_eq!(driven.load.seconds[0].latency.count(), 0);
}
