//! What keeps a run from beginning or from going on to its end.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bearerbench::load::{Driven, Feed, LoadError, Target, drive};
use bearerbench::selftest::{Behaviour, Bench, Server, outcomes};
use bearerbench::units::Offset;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::{alone, beside_others, requests, steady, target};

#[test]
fn an_interrupt_ends_the_run_and_keeps_what_was_seen() {
    static INTERRUPTED: AtomicBool = AtomicBool::new(false);
    let _held = beside_others();
    let server = Bench::default().serve(Behaviour::Canned).unwrap();
    let sending = steady(500.0, 4, Duration::from_mins(1));
    let feed = |_| {
        Feed::open(sending.requests().inspect(|request| {
            INTERRUPTED.fetch_or(request.due >= Offset::from(Duration::from_secs(1)), Ordering::Relaxed);
        }))
    };
    let driven = drive(&target(&[&server], &sending), feed, |_| {}, &INTERRUPTED).expect("the server runs");
    assert!(driven.load.cut_short && driven.failure.is_none());
    let sum = outcomes(&driven.load);
    assert_eq!((sum.planned(), sum.accepted(), sum.ended()), (500, 500, 500), "{sum:?}");
    assert!(driven.load.generator_cpu_nanos > 0);
}

#[test]
fn a_server_that_is_not_there_is_named_before_anything_is_sent() {
    let _held = beside_others();
    let sending = steady(1.0, 1, Duration::from_secs(1));
    let address = Server::nowhere().unwrap();
    let target = Bench::default().target(&[address], &sending).unwrap();
    let error = refused(&target);
    assert!(matches!(&error, LoadError::Connect { server, .. } if server == "localhost"), "{error:?}");
}

#[test]
fn a_limit_on_open_files_is_named_before_anything_is_sent() {
    let _alone = alone();
    let server = Bench::default().serve(Behaviour::Silence).unwrap();
    let files = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: Some(64), ..files }).expect("it may be lowered");
    let target = target(&[&server], &steady(1.0, 100, Duration::from_secs(1)));
    let text = refused(&target).to_string();
    setrlimit(Resource::Nofile, files).expect("it may be raised again");
    assert!(text.contains("100 connections") && text.contains("64 files"), "{text}");
}

fn refused(target: &Target) -> LoadError {
    let feed = |_| Feed::open(requests(&steady(1.0, 1, Duration::from_secs(1))).into_iter());
    let ended: Result<Driven, _> =
        drive(target, feed, |_| panic!("it never starts"), &AtomicBool::new(false));
    ended.expect_err("it cannot begin")
}
