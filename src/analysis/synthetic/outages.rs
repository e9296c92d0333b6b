//! A run in which the authorization server was killed and started again, as whoever asks it for every request would leave it.

use std::time::Duration;

use crate::analysis::synthetic::{at, recording};
use crate::design::Asks;
use crate::observation::{Action, AffectedServers, Event, Recording, Second, Slices, VALID};
use crate::units::Offset;

/// When the authorization server was killed, and when it answered again: 4 s and 6.1 s after the measured window began.
pub(crate) const KILLED: f64 = 6.0;
pub(crate) const STARTED: f64 = 8.1;
/// From then on all is as before, for whoever asks.
pub(crate) const RECOVERED: f64 = 9.1;

/// One of the five subjects.
pub(crate) fn outage(index: usize) -> Recording {
    let mut recording = recording(index);
    let asks = recording.subject.design.asks == Asks::EveryRequest;
    let begin = Offset::from(Duration::from_secs_f64(recording.workload.warmup_seconds));
    let load = recording.load.as_mut().expect("it was measured");
    for (number, second) in (0_u32..).zip(&mut load.seconds) {
        let from = begin + Duration::from_secs(number.into());
        let is_lost = |tenth: u32| {
            let now = from + Slices::LENGTH * tenth;
            asks && now >= at(KILLED) && now < at(RECOVERED)
        };
        lose(second, is_lost);
    }
    let server = |target: &str| AffectedServers { target: target.to_owned(), nodes: vec![1] };
    let event = |began: f64, ended: f64, what: Action| Event {
        due: at(began),
        began: at(began),
        ended: Some(at(ended)),
        what,
        failure: None,
    };
    for event in &mut recording.events {
        // Nobody was there to acknowledge it.
        if (at(KILLED)..at(STARTED)).contains(&event.began) {
            (event.ended, event.failure) = (None, Some("connection refused".to_owned()));
        }
    }
    let target = "authorization-server";
    recording.events.push(event(KILLED, KILLED, Action::Kill(server(target))));
    recording.events.push(event(STARTED - 0.1, STARTED, Action::Start(server(target))));
    recording.events.sort_by_key(|event| event.due);
    let looks = &mut recording.nodes[1].looks;
    looks.retain(|look| look.at <= at(KILLED) || look.at >= at(STARTED));
    let last = looks.iter().rfind(|look| look.at <= at(KILLED)).expect("it was there before").clone();
    for look in looks.iter_mut().filter(|look| look.at >= at(STARTED)) {
        look.pid = Some(2_000);
        look.cpu_nanos -= last.cpu_nanos;
        for (name, count) in &mut look.counters {
            *count -= last.counter(name);
        }
    }
    recording
}

/// A second in which requests with valid tokens that were due in such tenths were not accepted.
fn lose(second: &mut Second, is_lost: impl Fn(u32) -> bool) {
    let valid = second.outcomes.class_mut(VALID);
    let all = u32::try_from(valid.planned).expect("a thousand");
    let mut slices = Slices { due: [100; 10], answered: [100; 10], ..Slices::default() };
    for tenth in 0..10 {
        let index = tenth as usize;
        let here = all / 10 + u32::from(tenth < all % 10);
        slices.valid[index] = here;
        if is_lost(tenth) {
            (slices.answered[index], slices.errors[index]) = (100 - here, here);
        } else {
            slices.accepted[index] = here;
        }
    }
    let lost: u64 = slices.errors.iter().map(|count| u64::from(*count)).sum();
    valid.accepted -= lost;
    if lost > 0 {
        valid.errors.insert("status 503".to_owned(), lost);
    }
    second.slices = Some(slices);
}
