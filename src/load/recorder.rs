//! Turns what happens to requests into the facts of a trial.

use std::collections::VecDeque;
use std::ops::Range;
use std::time::Duration;

use crate::load::feed::Share;
use crate::load::flight::{Flight, SentProbe, nanos};
use crate::load::gaps::Sieve;
use crate::load::meter::ThreadUsage;
use crate::load::parts::Whole;
use crate::load::schedule::{Request, Token};
use crate::load::sealer::{Kept, Sealer};
use crate::load::tokens::TokenPool;
use crate::load::transport::{Failure, Handshake};
use crate::load::usual::Usual;
use crate::observation::{Generator, Load, OpenSecond, SecondSlice};
use crate::units::{Offset, Stamp};

/// The facts so far. Memory does not grow with the length of the run, but for the kilobyte or two of a sealed second.
pub(super) struct Recorder {
    window: Range<Offset>,
    /// The stamp from which offsets count; tokens expire by stamps.
    start: Stamp,
    share: Share,
    /// Seconds of the window that are not sealed yet, in order.
    running: VecDeque<Running>,
    /// The number of the first of them.
    first: usize,
    /// How many classes of tokens there are.
    classes: usize,
    sealer: Sealer,
    whole: Whole,
    pub(super) load: Load,
    pub(super) probes: Vec<SentProbe>,
    /// The last instant at which a request of the window was due or ended, in whatever way.
    last_event: Offset,
    /// What is answered later was no longer part of what was measured.
    answers_until: Offset,
}

/// A second that has not ended, or whose requests have not.
struct Running {
    kept: Box<Kept>,
    /// Requests that were due in it and have not ended.
    pending: u64,
}

impl Recorder {
    /// A recorder that keeps the requests due within `window`, and every probe.
    pub(super) fn new(window: Range<Offset>, share: Share, tokens: &TokenPool, sealer: Sealer) -> Self {
        let window_end = window.end;
        Self {
            window,
            start: Stamp::from_nanos(0),
            share,
            running: VecDeque::new(),
            first: 0,
            classes: tokens.classes().len(),
            sealer,
            whole: Whole::new(tokens),
            load: Load::default(),
            probes: Vec::new(),
            last_event: Offset::default(),
            answers_until: window_end,
        }
    }

    /// The load begins, with what knows of its gaps.
    pub(super) fn begin(&mut self, start: Stamp, sieve: Sieve) {
        self.start = start;
        self.sealer.begin(sieve);
    }

    /// A request was due and the generator took it up, and sent it if a connection was idle: how late it was is the generator's
    /// own doing either way.
    pub(super) fn taken_up(&mut self, request: Request, now: Offset, is_sent: bool) {
        let class = self.class_of(request.token);
        let due = self.due(request);
        self.reached(due, request.due);
        if let Some((second, tenth)) = self.at(due) {
            second.pending += 1;
            second.kept.facts.slices.due[tenth] += 1;
            second.kept.facts.slices.valid[tenth] += u32::from(request.token.is_live());
            let outcome = second.kept.facts.outcomes.numbered(class);
            outcome.planned += 1;
            outcome.sent += u64::from(is_sent);
            second.kept.facts.lag.record(nanos(now, request.due));
        }
    }

    /// The flight of a request that is to be sent now, after a wait for a connection if there was none when it was taken up.
    pub(super) fn flight(
        &self,
        request: Request,
        now: Offset,
        wait: Option<Duration>,
        expires: Stamp,
    ) -> Flight {
        let is_probe = matches!(request.token, Token::Watched(_));
        let number = self.probes.len() * self.share.of + self.share.index;
        let taken_up = now.since(wait.unwrap_or_default().into()).into();
        Flight { request, taken_up, sent: now, probe: is_probe.then_some(number as u64), expires }
    }

    /// A request was sent, after a wait for a connection if there was none when it was taken up: else that counts it.
    pub(super) fn sent(&mut self, flight: &Flight, wait: Option<Duration>) {
        let Flight { request, sent, probe, .. } = *flight;
        if let Some(wait) = wait {
            let class = self.class_of(request.token);
            let due = self.due(request);
            if let Some((second, _)) = self.at(due) {
                second.kept.facts.outcomes.numbered(class).sent += 1;
                let wait = u64::try_from(wait.as_nanos()).expect("a trial lasts less than 584 years");
                second.kept.facts.wait.record(wait);
            }
        }
        if let (Some(id), Token::Watched(revocation)) = (probe, request.token) {
            self.probes.push(SentProbe {
                id,
                revocation,
                place: request.place,
                sent,
                answered: None,
                accepted: None,
            });
        }
    }

    /// A request was sent again, since nothing came of the time before for this reason. What it lost since then counts as wait
    /// for a connection.
    pub(super) fn sent_again(&mut self, flight: &Flight, before: Offset, failure: Failure) {
        let Flight { request, sent, probe, .. } = *flight;
        if let Some(id) = probe {
            self.probe(id).sent = sent;
        }
        let due = self.due(request);
        if let Some((second, _)) = self.at(due) {
            second.kept.facts.wait.record(nanos(sent, before));
            *second.kept.facts.outcomes.sent_again.entry(failure.to_string()).or_default() += 1;
        }
    }

    /// A request was answered with a status, its first byte at an instant of its own.
    pub(super) fn answered(&mut self, flight: &Flight, first_byte: Offset, answered: Offset, status: u16) {
        let accepted = match status {
            200..=299 => Some(true),
            401 | 403 => Some(false),
            _ => None,
        };
        let Flight { request, probe, .. } = *flight;
        let class = self.class_of(request.token);
        let due = self.slice(request.due);
        let is_usual = accepted == Some(true) && Usual::includes(flight, class, first_byte, answered);
        if let Some(id) = probe {
            let probe = self.probe(id);
            (probe.answered, probe.accepted) = (Some(answered), accepted);
        } else if due.is_some() && !is_usual {
            self.whole.answered(flight, class, answered, status);
            if accepted.is_some() {
                self.whole.took(flight, first_byte, answered);
            }
        }
        let failure = match accepted {
            None => Some(Failure::Status(status)),
            // It may have expired on the way, or while the server was busy. The server is right, and has done less than for a token that it accepts.
            Some(false) if flight.expires <= self.start + answered => Some(Failure::Expired),
            Some(_) => None,
        };
        let (Some(accepted), None) = (accepted, failure) else {
            let due = self.due(request);
            if let Some((second, _)) = self.at(due) {
                second.kept.flown.push(flight.flown(answered, false));
            }
            return self.failed(request, failure.unwrap_or(Failure::Status(status)), answered);
        };
        if probe.is_none() {
            self.reached(due, answered);
            let arrival = self.arrival(answered);
            if let Some((second, tenth)) = self.at(arrival) {
                second.kept.facts.answers += 1;
                second.kept.facts.slices.answered[tenth] += 1;
            }
        }
        let Some((second, tenth)) = self.at(due) else { return };
        second.kept.flown.push(flight.flown(answered, probe.is_none()));
        if probe.is_some() {
            return;
        }
        second.pending -= 1;
        if is_usual {
            second.kept.usual.record(flight, answered);
        } else {
            second.kept.facts.served.record(nanos(answered, flight.taken_up));
            second.kept.facts.latency.record(nanos(answered, request.due));
            second.kept.facts.service.record(nanos(answered, flight.sent));
        }
        let outcome = second.kept.facts.outcomes.numbered(class);
        outcome.accepted += u64::from(accepted);
        outcome.refused += u64::from(!accepted);
        second.kept.facts.slices.accepted[tenth] += u32::from(accepted && request.token.is_live());
    }

    /// A request ended without an answer that says yes or no.
    pub(super) fn failed(&mut self, request: Request, failure: Failure, now: Offset) {
        let class = self.class_of(request.token);
        let due = self.due(request);
        self.reached(due, now);
        let arrival = self.arrival(now);
        if !matches!(request.token, Token::Watched(_))
            && let Some((second, tenth)) = self.at(arrival)
        {
            second.kept.facts.slices.errors[tenth] += 1;
        }
        let Some((second, tenth)) = self.at(due) else { return };
        second.pending -= 1;
        if failure == Failure::Expired {
            // The server was right to refuse it.
            second.kept.facts.slices.valid[tenth] -= u32::from(request.token.is_live());
        }
        let errors = &mut second.kept.facts.outcomes.numbered(class).errors;
        *errors.entry(failure.to_string()).or_default() += 1;
    }

    /// A connection was opened within this time.
    pub(super) fn connected(&mut self, handshake: Handshake, took: Duration) {
        self.whole.connected(handshake, took);
    }

    /// Notes how the run itself went: what its thread used within the window, and whether it was cut short.
    pub(super) fn note(&mut self, used: ThreadUsage, cut_short: bool) {
        self.load.generator_cpu_nanos = used.cpu;
        self.load.generators =
            vec![Generator { cpu_nanos: used.cpu, delayed_nanos: used.delayed, ..Generator::default() }];
        self.load.cut_short = cut_short;
    }

    /// The generator's core was taken from it.
    pub(super) fn gaps(&mut self, gaps: Vec<[Offset; 2]>) {
        self.sealer.gaps(gaps);
    }

    /// Seals the seconds that have ended with all their requests.
    pub(super) fn look(&mut self, now: Offset) {
        while let Some(front) = self.running.front()
            && front.pending == 0
            && now >= self.window.start + Duration::from_secs(self.first as u64 + 1)
        {
            self.seal_first();
        }
    }

    /// The window ended, or the run was cut short, with so many requests waiting for a connection.
    pub(super) fn ended(&mut self, now: Offset, waiting: usize, cut_short: bool) {
        self.load.backlog_end = waiting as u64;
        if cut_short {
            self.answers_until = now;
        }
        self.measured_until(now);
    }

    /// The run ended with its last request, and therefore with whatever became of it, which was waited for.
    pub(super) fn ended_with_last_request(&mut self) {
        if self.last_event > self.window.start {
            self.measured_until(self.last_event);
        }
    }

    /// Something happened to a request that was due then, which therefore was measured until now.
    fn reached(&mut self, due: Option<SecondSlice>, now: Offset) {
        if due.is_some() {
            self.last_event = self.last_event.max(now);
        }
    }

    fn measured_until(&mut self, end: Offset) {
        self.load.measured_seconds = end.min(self.window.end).since(self.window.start).as_secs_f64();
    }

    /// The facts, after every request has ended.
    pub(super) fn finish(mut self) -> (Load, Vec<SentProbe>) {
        while !self.running.is_empty() {
            self.seal_first();
        }
        let mut load = self.load;
        // What was never reached was not measured: it must not count as seconds without an answer.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a length that is not negative"
        )]
        let reached = load.measured_seconds.ceil() as usize;
        load.seconds = vec![OpenSecond::default().seal(); reached];
        let rested = self.sealer.finish();
        for (number, second) in rested.seconds {
            if let Some(place) = load.seconds.get_mut(number) {
                *place = second;
            }
        }
        load.gaps = rested.gaps;
        load.parts = Some(self.whole.finish(&rested.usual));
        load.lost = load.unaccounted();
        (load, self.probes)
    }

    /// The number of the class of a token: what the pool says, without the pool.
    fn class_of(&self, token: Token) -> usize {
        token.class(self.classes)
    }

    fn probe(&mut self, id: u64) -> &mut SentProbe {
        let index = usize::try_from(id).expect("it was an index") / self.share.of;
        &mut self.probes[index]
    }

    fn seal_first(&mut self) {
        if let Some(Running { kept, .. }) = self.running.pop_front() {
            let begin = self.window.start + Duration::from_secs(self.first as u64);
            self.sealer.seal(self.first, [begin, begin + Duration::from_secs(1)], kept);
            self.first += 1;
        }
    }

    /// The slice in which a request was due. `None` for probes and outside the window.
    fn due(&self, request: Request) -> Option<SecondSlice> {
        if matches!(request.token, Token::Watched(_)) { None } else { self.slice(request.due) }
    }

    /// The slice in which an end of a request arrived; `None` once that is no longer part of what is measured.
    fn arrival(&self, now: Offset) -> Option<SecondSlice> {
        if now <= self.answers_until { self.slice(now) } else { None }
    }

    /// The slice of an instant, if that lies in the window.
    fn slice(&self, instant: Offset) -> Option<SecondSlice> {
        self.window.contains(&instant).then(|| SecondSlice::of(instant, self.window.start))
    }

    /// The second with that slice, if it is not sealed, and which of its tenths the slice is.
    fn at(&mut self, slice: Option<SecondSlice>) -> Option<(&mut Running, usize)> {
        let SecondSlice { second, tenth } = slice?;
        let index = second.checked_sub(self.first)?;
        while self.running.len() <= index {
            self.running.push_back(Running { kept: self.sealer.room(), pending: 0 });
        }
        Some((self.running.get_mut(index)?, tenth))
    }
}
