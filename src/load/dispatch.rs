//! Which request goes over which connection: no waiting, no clock, no socket.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crate::load::recorder::{Flight, Recorder};
use crate::load::schedule::Request;
use crate::load::tokens::TokenPool;
use crate::load::transport::{Answer, Failure, Outgoing, Sender};
use crate::units::Offset;

/// The connections of a trial, and the requests that wait for one.
pub(super) struct Dispatch<S> {
    tokens: Arc<TokenPool>,
    servers: Vec<Server>,
    slots: Vec<Slot<S>>,
    outstanding: usize,
    waiting: usize,
    recorder: Recorder,
}

/// A resource server as the load generator sees it.
#[derive(Default)]
struct Server {
    /// Slots with an idle connection; taken in turn, so that every worker of the server gets its share.
    idle: VecDeque<usize>,
    /// Requests that were due when no connection was idle, oldest first.
    backlog: VecDeque<Waiting>,
    /// Connections that are open, idle or not.
    open: usize,
}

/// A request that was due when no connection was idle.
struct Waiting {
    request: Request,
    since: Offset,
}

/// A place for one connection, which is replaced when it breaks.
struct Slot<S> {
    server: usize,
    /// Absent while it is being connected.
    sender: Option<S>,
    flight: Option<Flight>,
}

impl<S: Sender> Dispatch<S> {
    /// Places for `connections` connections to each of `servers` servers, none of them open.
    pub(super) fn new(
        servers: usize,
        connections: usize,
        tokens: Arc<TokenPool>,
        recorder: Recorder,
    ) -> Self {
        let slots = (0..servers * connections)
            .map(|slot| Slot { server: slot / connections, sender: None, flight: None })
            .collect();
        let servers = (0..servers).map(|_| Server::default()).collect();
        Self { tokens, servers, slots, outstanding: 0, waiting: 0, recorder }
    }

    /// The resource server to which a slot belongs.
    pub(super) fn server_of(&self, slot: usize) -> usize {
        self.slots[slot].server
    }

    /// How many requests are on the wire.
    pub(super) fn outstanding(&self) -> usize {
        self.outstanding
    }

    /// How many requests wait for a connection.
    pub(super) fn waiting(&self) -> usize {
        self.waiting
    }

    /// Whether nothing is on the wire and nothing waits.
    pub(super) fn is_drained(&self) -> bool {
        self.outstanding + self.waiting == 0
    }

    /// A request is due: it goes out at once, or it waits for a connection.
    pub(super) fn due(&mut self, request: Request, now: Offset) {
        let server = &mut self.servers[request.resource_server as usize];
        if let Some(slot) = server.idle.pop_front() {
            self.send(slot, request, now, None);
        } else {
            server.backlog.push_back(Waiting { request, since: now });
            self.waiting += 1;
            self.recorder.load.backlog_peak = self.recorder.load.backlog_peak.max(self.waiting as u64);
        }
        // After the write: what is noted down may not delay it.
        self.recorder.taken_up(request, now);
    }

    /// A slot has a new connection.
    pub(super) fn connected(&mut self, slot: usize, sender: S, now: Offset) {
        self.slots[slot].sender = Some(sender);
        self.servers[self.slots[slot].server].open += 1;
        self.ready(slot, now);
    }

    /// A slot's connection could not be replaced. If its server has no other, those who wait fail as a
    /// client's requests would.
    pub(super) fn unreachable(&mut self, slot: usize) {
        let server = &mut self.servers[self.slots[slot].server];
        if server.open == 0 {
            self.waiting -= server.backlog.len();
            for waiting in server.backlog.drain(..) {
                self.recorder.failed(waiting.request, Failure::Unreachable);
            }
        }
    }

    /// A slot's request was answered; true if the connection goes on.
    pub(super) fn answered(&mut self, slot: usize, answer: Answer, now: Offset) -> bool {
        let flight = self.slots[slot].flight.take();
        if let Some(flight) = &flight {
            self.outstanding -= 1;
            self.recorder.answered(flight, now, answer.status, &self.tokens);
        }
        // An answer that nobody asked for: whatever comes next could not be told apart.
        let goes_on = answer.reusable && flight.is_some();
        if goes_on {
            self.ready(slot, now);
        } else {
            self.close(slot);
        }
        goes_on
    }

    /// A slot's connection broke.
    pub(super) fn failed(&mut self, slot: usize, failure: Failure) {
        if let Some(flight) = self.slots[slot].flight.take() {
            self.outstanding -= 1;
            self.recorder.failed(flight.request, failure);
        }
        self.close(slot);
    }

    /// Gives up every request sent before `limit`, and tells which slots need a new connection.
    pub(super) fn give_up(&mut self, limit: Offset, failure: Failure) -> Vec<usize> {
        let late = |slot: &Slot<S>| slot.flight.is_some_and(|flight| flight.sent < limit);
        let slots: Vec<_> = (0..self.slots.len()).filter(|slot| late(&self.slots[*slot])).collect();
        for slot in &slots {
            self.failed(*slot, failure);
        }
        slots
    }

    /// The window ended, or the run was cut short: from here on answers in flight are waited for.
    pub(super) fn ended(&mut self, now: Offset) {
        self.recorder.ended(now, self.waiting);
    }

    /// Notes how the run itself went: CPU nanoseconds of its thread within the window, and whether it was cut short.
    pub(super) fn note(&mut self, cpu_nanos: u64, cut_short: bool) {
        self.recorder.load.generator_cpu_nanos = cpu_nanos;
        self.recorder.load.cut_short = cut_short;
    }

    /// Ends the trial: gives up what is not answered and what was not sent. What was sent before `limit` timed out.
    pub(super) fn finish(&mut self, limit: Offset) -> Recorder {
        self.give_up(limit, Failure::TimedOut);
        self.give_up(Offset::from_nanos(u64::MAX), Failure::Unanswered);
        for waiting in self.servers.iter_mut().flat_map(|server| server.backlog.drain(..)) {
            self.recorder.failed(waiting.request, Failure::Unsent);
        }
        self.waiting = 0;
        std::mem::take(&mut self.recorder)
    }

    /// A connection can carry a request: the oldest that waits, or the next that is due.
    fn ready(&mut self, slot: usize, now: Offset) {
        let server = &mut self.servers[self.slots[slot].server];
        if let Some(Waiting { request, since }) = server.backlog.pop_front() {
            self.waiting -= 1;
            self.send(slot, request, now, Some(now.since(since)));
        } else {
            server.idle.push_back(slot);
        }
    }

    fn send(&mut self, slot: usize, request: Request, now: Offset, wait: Option<Duration>) {
        let flight = self.recorder.flight(request, now);
        let slot = &mut self.slots[slot];
        let sender = slot.sender.as_mut().expect("only a connected slot is idle or ready");
        sender.send(&Outgoing { token: self.tokens.text(request.token), probe: flight.probe });
        self.recorder.sent(&flight, wait);
        slot.flight = Some(flight);
        self.outstanding += 1;
    }

    fn close(&mut self, slot: usize) {
        let server = &mut self.servers[self.slots[slot].server];
        server.idle.retain(|idle| *idle != slot);
        if self.slots[slot].sender.take().is_some() {
            server.open -= 1;
        }
    }
}
