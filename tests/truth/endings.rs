//! Every request ends in exactly one way, and in the right one.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bearerbench::load::{Driven, Feed, Request, Token, Users, drive};
use bearerbench::observation::{Ended, Outcomes, VALID};
use bearerbench::selftest::{Behaviour, Bench, Sending, Server, outcomes};

use crate::{ask, beside_others, hasty_target, requests, steady, target};

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
    let ended = Ended { planned: 100, sent: 100, ..Ended::default() };
    assert_eq!(sum.of(VALID), Some(&Ended { accepted: 100, ..ended.clone() }));
    assert_eq!(sum.of("garbage"), Some(&Ended { refused: 100, ..ended }));
    assert_eq!(sum.by_class().count(), 2, "{sum:?}");
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
    assert_eq!(check_nothing_lost(&driven, 50).of("garbage").unwrap().accepted, 50);
}

#[test]
fn a_server_that_never_answers_times_out() {
    let _held = beside_others();
    let server = Bench::default().serve(Behaviour::Silence).unwrap();
    let sending = steady(200.0, 300, Duration::from_secs(1));
    let feed = |_| Feed::open(requests(&sending).into_iter());
    let driven = drive(&hasty_target(&[&server], &sending), feed, |_| {}, &AtomicBool::new(false)).unwrap();
    assert_eq!(check_nothing_lost(&driven, 200).errors()["timed out"], 200);
}

#[test]
fn a_server_that_dies_costs_its_requests_and_those_of_no_other() {
    let _held = beside_others();
    let bench = Bench::default();
    let (dying, living) =
        (bench.serve(Behaviour::DieAfter(100)).unwrap(), bench.serve(Behaviour::Canned).unwrap());
    let sending = steady(400.0, 8, Duration::from_secs(2));
    let to = |(request, place)| Request { place, ..request };
    let requests = requests(&sending).into_iter().zip([0, u32::MAX].into_iter().cycle());
    let driven = run(&[&dying, &living], &sending, &requests.map(to).collect::<Vec<_>>());
    let sum = check_nothing_lost(&driven, 800);
    assert_eq!(sum.accepted(), 500, "{sum:?}");
    assert!(sum.errors()["cannot connect"] > 250, "{sum:?}");
}

#[test]
fn a_status_that_is_neither_yes_nor_no_has_no_latency() {
    let _held = beside_others();
    let server = Bench::default().serve(Behaviour::Unavailable).unwrap();
    let sending = steady(100.0, 8, Duration::from_secs(1));
    let driven = run(&[&server], &sending, &requests(&sending));
    assert_eq!(check_nothing_lost(&driven, 100).errors()["status 503"], 100);
    assert_eq!(driven.load.seconds[0].latency.count(), 0);
}

/// How a load ends.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Ending {
    Time,
    Count,
    Interrupt,
}

/// What becomes of the server meanwhile.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    ClosesAfterEachAnswer,
    Dies,
    Hangs,
    ComesBack,
}

#[test]
fn nothing_is_lost_whatever_sends_however_it_ends_and_whatever_becomes_of_the_server() {
    let _held = beside_others();
    std::thread::scope(|scope| {
        for is_open in [true, false] {
            for ending in [Ending::Time, Ending::Count, Ending::Interrupt] {
                for fate in [Fate::ClosesAfterEachAnswer, Fate::Dies, Fate::Hangs, Fate::ComesBack] {
                    scope.spawn(move || check_ending(is_open, ending, fate));
                }
            }
        }
    });
}

const LASTS: Duration = Duration::from_millis(2_300);
const REQUESTS: u64 = 230;
const AWAY: Duration = Duration::from_millis(1_200);
const DIES_AFTER: u64 = 40;

fn check_ending(is_open: bool, ending: Ending, fate: Fate) {
    let case = format!("open: {is_open}, {ending:?}, {fate:?}");
    let bench = Bench::default();
    let server = bench.serve(match fate {
        Fate::ClosesAfterEachAnswer => Behaviour::CloseUnannounced,
        Fate::Dies | Fate::ComesBack => Behaviour::DieAfter(DIES_AFTER),
        Fate::Hangs => Behaviour::Silence,
    });
    let server = server.expect("it starts");
    let address = server.address();
    let lasts = if ending == Ending::Count { 4 * LASTS } else { LASTS };
    let sending = steady(100.0, 4, lasts);
    let target = hasty_target(&[&server], &sending);
    let interrupted = AtomicBool::new(false);
    let feed = |_| {
        let all = if ending == Ending::Count { REQUESTS } else { u64::MAX };
        let users = Users { think: Duration::from_millis(20), pick: Box::new(|_| Token::Live(0)), left: all };
        let scheduled = sending.requests().take(usize::try_from(all).unwrap_or(usize::MAX));
        let feed = if is_open { Feed::open(scheduled) } else { Feed::closed(users) };
        Feed { ends_with_last: ending == Ending::Count, ..feed }
    };
    let has_ended = AtomicBool::new(false);
    // Where others have the cores, the load may end before the server does.
    let wait_for_its_end = || {
        while !server.has_ended() && !has_ended.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(5));
        }
    };
    let (driven, again) = std::thread::scope(|scope| {
        let meanwhile = scope.spawn(|| {
            let interrupts = ending == Ending::Interrupt;
            if fate == Fate::ComesBack {
                wait_for_its_end();
                if !server.has_ended() {
                    return None;
                }
                std::thread::sleep(AWAY);
                let again = Server::start_at(address, Behaviour::Canned, bench.server_cores());
                let again = again.expect("its port is free again");
                std::thread::sleep(Duration::from_millis(600));
                interrupted.store(interrupts, Ordering::Relaxed);
                return Some(again);
            }
            if fate == Fate::Dies && interrupts {
                wait_for_its_end();
            }
            std::thread::sleep(LASTS / 2);
            interrupted.store(interrupts, Ordering::Relaxed);
            None
        });
        let driven = drive(&target, feed, |_| {}, &interrupted).expect("it begins");
        has_ended.store(true, Ordering::Relaxed);
        (driven, meanwhile.join().expect("nothing panics in it"))
    });
    let sum = outcomes(&driven.load);
    assert_eq!(driven.load.lost, 0, "{case}: {sum:?}");
    assert_eq!(sum.planned(), sum.ended(), "{case}: {sum:?}");
    if is_open && ending != Ending::Interrupt {
        let planned = if ending == Ending::Count { REQUESTS } else { sending.instants().count() as u64 };
        assert_eq!(sum.planned(), planned, "{case}: {sum:?}");
    }
    if !is_open && fate == Fate::Dies && server.has_ended() {
        // Each of the four users stands before the server that is gone, and is counted, unless the load ended before it was gone.
        let errors: u64 = sum.errors().values().sum();
        let is_gone = sum.accepted() >= DIES_AFTER;
        assert!(!is_gone || errors >= 4 && sum.planned() >= DIES_AFTER + 4, "{case}: {sum:?}");
    }
    // On a busy machine the load may end before the server is back.
    let is_back_in_time = again.is_some() && sum.accepted() > DIES_AFTER;
    if fate == Fate::ComesBack && ending == Ending::Time && is_back_in_time {
        let longest = driven.load.seconds.iter().filter_map(|second| second.latency.open().max()).max();
        let expected = if is_open { Duration::ZERO } else { AWAY };
        assert!(
            u128::from(longest.expect("something was answered")) >= expected.as_nanos(),
            "{case}: {longest:?}: the outage is in no latency"
        );
    }
}

#[test]
fn a_load_that_ends_by_count_counts_what_came_after_the_last_answer() {
    let _held = beside_others();
    let server = Bench::default().serve(Behaviour::DieAfter(150)).unwrap();
    let sending = steady(100.0, 4, Duration::from_secs(20));
    let target = target(&[&server], &sending);
    let feed = |_| Feed { ends_with_last: true, ..Feed::open(sending.requests().take(400)) };
    let driven = drive(&target, feed, |_| {}, &AtomicBool::new(false)).unwrap();
    let sum = outcomes(&driven.load);
    assert_eq!((sum.planned(), sum.accepted(), sum.ended()), (400, 150, 400), "{sum:?}");
    // The last is due after 3.99 s; how long it takes to fail is the machine's.
    assert!((3.98..20.0).contains(&driven.load.measured_seconds), "{}", driven.load.measured_seconds);
}

fn run(servers: &[&Server], sending: &Sending<'_>, requests: &[Request]) -> Driven {
    let feed = |_| Feed::open(Vec::from(requests).into_iter());
    drive(&target(servers, sending), feed, |_| {}, &AtomicBool::new(false)).expect("the servers run")
}

/// Nothing is lost: every planned request ended in exactly one way.
#[track_caller]
fn check_nothing_lost(driven: &Driven, planned: u64) -> Outcomes {
    let sum = outcomes(&driven.load);
    assert_eq!((sum.planned(), sum.ended()), (planned, planned), "{sum:?}");
    sum
}
