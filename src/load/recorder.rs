//! Turns what happens to requests into the facts of a trial.

use std::ops::Range;
use std::time::Duration;

use crate::load::schedule::{Request, Token};
use crate::load::tokens::{Expectation, TokenPool};
use crate::load::transport::Failure;
use crate::observation::{Load, Second};
use crate::units::Offset;

/// A request that carried a token under revocation test. All instants count from the start stamp of the load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SentProbe {
    /// Its number in the order of sending, from 0; the header `bearerbench-probe` carries it.
    pub id: u64,
    /// Which revocation it is about, from 0.
    pub revocation: u32,
    /// Which resource server was asked, from 0.
    pub resource_server: u32,
    /// When it was sent.
    pub sent: Offset,
    /// When its answer was complete; absent if none came.
    pub answered: Option<Offset>,
    /// Whether it was accepted; absent if there was no answer or one that is neither yes nor no.
    pub accepted: Option<bool>,
}

/// A request on the wire.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flight {
    pub(super) request: Request,
    pub(super) sent: Offset,
    /// The number of the probe, if it is one.
    pub(super) probe: Option<u64>,
}

/// The facts so far.
#[derive(Default)]
pub(super) struct Recorder {
    window: Range<Offset>,
    pub(super) load: Load,
    pub(super) probes: Vec<SentProbe>,
}

impl Recorder {
    /// A recorder that keeps the requests due within `window`, and every probe.
    pub(super) fn new(window: Range<Offset>) -> Self {
        let seconds = usize::try_from(window.end.since(window.start).as_nanos().div_ceil(1_000_000_000))
            .expect("a window has fewer than 2^64 seconds");
        let load = Load { seconds: vec![Second::default(); seconds], ..Load::default() };
        Self { window, load, probes: Vec::new() }
    }

    /// A request was due and the generator took it up: how late it was is the generator's own doing,
    /// whether a connection was idle or not.
    pub(super) fn taken_up(&mut self, request: Request, now: Offset) {
        if let Some(second) = self.second(request) {
            second.outcomes.planned += 1;
            second.lag.record(nanos(now, request.due));
        }
    }

    /// The flight of a request that is to be sent now.
    pub(super) fn flight(&self, request: Request, now: Offset) -> Flight {
        let is_probe = matches!(request.token, Token::Watched(_));
        Flight { request, sent: now, probe: is_probe.then_some(self.probes.len() as u64) }
    }

    /// A request was sent, after a wait for a connection if there was none when it was taken up.
    pub(super) fn sent(&mut self, flight: &Flight, wait: Option<Duration>) {
        let Flight { request, sent, probe } = *flight;
        if let Some(second) = self.second(request) {
            second.outcomes.sent += 1;
            if let Some(wait) = wait {
                second
                    .wait
                    .record(u64::try_from(wait.as_nanos()).expect("a trial lasts less than 584 years"));
            }
        }
        if let (Some(id), Token::Watched(revocation)) = (probe, request.token) {
            let resource_server = request.resource_server;
            self.probes.push(SentProbe {
                id,
                revocation,
                resource_server,
                sent,
                answered: None,
                accepted: None,
            });
        }
    }

    /// A request was answered with a status.
    pub(super) fn answered(&mut self, flight: &Flight, answered: Offset, status: u16, tokens: &TokenPool) {
        let accepted = match status {
            200 => Some(true),
            401 | 403 => Some(false),
            _ => None,
        };
        if let Some(id) = flight.probe {
            let probe = &mut self.probes[usize::try_from(id).expect("it was an index")];
            (probe.answered, probe.accepted) = (Some(answered), accepted);
        }
        let Some(accepted) = accepted else { return self.failed(flight.request, Failure::Status(status)) };
        if flight.probe.is_none()
            && let Some(second) = self.second_at(answered)
        {
            second.answers += 1;
        }
        let Some(second) = self.second(flight.request) else { return };
        second.latency.record(nanos(answered, flight.request.due));
        second.service.record(nanos(answered, flight.sent));
        let outcomes = &mut second.outcomes;
        match (tokens.expectation(flight.request.token), accepted) {
            (Expectation::Good, true) => outcomes.good_accepted += 1,
            (Expectation::Good, false) => outcomes.good_refused += 1,
            (Expectation::Bad(_), false) => outcomes.bad_refused += 1,
            (Expectation::Bad(kind), true) => *outcomes.bad_accepted.entry(kind.to_owned()).or_default() += 1,
            (Expectation::Unjudged, _) => {}
        }
    }

    /// A request ended without an answer that says yes or no.
    pub(super) fn failed(&mut self, request: Request, failure: Failure) {
        let Some(second) = self.second(request) else { return };
        *second.outcomes.errors.entry(failure.to_string()).or_default() += 1;
    }

    /// The window ended, or the run was cut short, with so many requests waiting for a connection.
    pub(super) fn ended(&mut self, now: Offset, waiting: usize) {
        self.load.backlog_end = waiting as u64;
        self.load.measured_seconds = now.min(self.window.end).since(self.window.start).as_secs_f64();
        // What was never reached was not measured: it must not count as seconds without an answer.
        let reached = self.load.lengths().take_while(|length| *length > 0.0).count();
        self.load.seconds.truncate(reached);
    }

    /// The second in which a request was due. `None` for probes and outside the window.
    fn second(&mut self, request: Request) -> Option<&mut Second> {
        if matches!(request.token, Token::Watched(_)) { None } else { self.second_at(request.due) }
    }

    /// The second of the window in which an instant lies.
    fn second_at(&mut self, instant: Offset) -> Option<&mut Second> {
        let index = usize::try_from(instant.since(self.window.start).as_secs()).ok()?;
        if self.window.contains(&instant) { self.load.seconds.get_mut(index) } else { None }
    }
}

fn nanos(later: Offset, earlier: Offset) -> u64 {
    later.nanos().saturating_sub(earlier.nanos())
}
