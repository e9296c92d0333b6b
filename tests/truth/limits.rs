//! What keeps a run from beginning or from going on to its end.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bearerbench::load::{LoadError, Pacing, Target, drive};
use bearerbench::units::{Offset, Stamp};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::server::{Behaviour, Server};
use crate::{SECOND, alone, check_nothing_lost, steady, target};

#[test]
fn an_interrupt_ends_the_run_and_keeps_what_was_seen() {
    let _alone = alone();
    let server = Server::start(Behaviour::Service(Duration::ZERO));
    let interrupted = AtomicBool::new(false);
    let addresses = [server.address];
    let target = Target { pacing: Pacing::Busy, core: Some(0), ..target(&addresses, 4, 60) };
    let begun = Stamp::now();
    let requests = steady(500, 60).inspect(|request| {
        interrupted.fetch_or(request.due >= Offset::from_nanos(SECOND), Ordering::Relaxed);
    });
    let driven = drive(&target, requests, |_| {}, &interrupted).expect("the server runs");
    assert!(driven.load.cut_short && driven.failure.is_none());
    assert_eq!(check_nothing_lost(&driven, 500).good_accepted, 500);
    assert!(driven.load.generator_cpu_nanos > 0);
    assert!(Stamp::now().offset(begun) < Offset::from_nanos(10 * SECOND));
}

#[test]
fn a_server_that_is_not_there_is_named_before_anything_is_sent() {
    let _alone = alone();
    let address = Server::nowhere();
    let addresses = [address];
    let target = target(&addresses, 1, 1);
    let error = drive(&target, steady(1, 1), |_| panic!("it never starts"), &AtomicBool::new(false));
    assert!(
        matches!(&error, Err(LoadError::Connect { address: named, .. }) if *named == address),
        "{error:?}"
    );
}

#[test]
fn a_limit_on_open_files_is_named_before_anything_is_sent() {
    let _alone = alone();
    let server = Server::start(Behaviour::Silence);
    let files = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: Some(64), ..files }).expect("it may be lowered");
    let addresses = [server.address];
    let target = target(&addresses, 100, 1);
    let error = drive(&target, steady(1, 1), |_| panic!("it never starts"), &AtomicBool::new(false));
    let text = error.expect_err("there is no room for 100 connections").to_string();
    assert!(text.contains("100 connections") && text.contains("64 files"), "{text}");
}
