//! Which request goes over which connection: no waiting, no clock, no socket.

mod again;
mod users;

use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use crate::load::dispatch::again::Again;
use crate::load::feed::Users;
use crate::load::flight::Flight;
use crate::load::proofs::ProofQueue;
use crate::load::recorder::Recorder;
use crate::load::renewals::Renewals;
use crate::load::schedule::Request;
use crate::load::tokens::TokenPool;
use crate::load::transport::{Answer, ConnectionSlot, Failure, Outgoing, Sender};
use crate::units::Offset;

/// The connections of a trial, the requests that wait for one, and the users who think.
pub(super) struct Dispatch<S> {
    tokens: Arc<TokenPool>,
    /// What proves that they are the sender's, if anything must.
    proofs: Option<ProofQueue>,
    /// How often they were replaced, as far as is known here.
    renewed: u64,
    servers: Vec<Server>,
    slots: Vec<Slot<S>>,
    /// A connection is given up after so many requests.
    requests_per_connection: Option<u64>,
    users: Option<Users>,
    /// Slots whose users think, by the instant at which they have thought: they all think for as long, whether there is a
    /// connection or not.
    thinking: VecDeque<(Offset, usize)>,
    /// Told when somebody begins to think while nobody else does: the scheduler may sleep for longer than that.
    thought: Rc<Notify>,
    outstanding: usize,
    waiting: usize,
    /// Slots with a request that waits to be sent again.
    again: usize,
    /// How long a request is sent again for, counted from the instant at which it was taken up.
    timeout: Duration,
    pub(super) recorder: Recorder,
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
    proof: Option<Box<str>>,
    since: Offset,
}

/// A place for one connection or stream, which is replaced when it breaks.
struct Slot<S> {
    server: usize,
    /// Absent while it is being connected.
    sender: Option<S>,
    flight: Option<Flight>,
    /// Requests sent over this connection.
    sent: u64,
    /// The request of its user that was due when there was no connection.
    waiting: Option<Waiting>,
    /// Its request that the server did not process, until there is a new connection. Rare, and a slot is best small.
    again: Option<Box<Again>>,
    /// Whether its user thinks: a look at all who do would take longer the more they are.
    thinks: bool,
    /// Whether the request on the wire is one that was sent again since it may have crossed the close of a connection.
    has_crossed: bool,
}

impl<S: Sender> Dispatch<S> {
    /// `places` to each of `servers` servers, none of them open.
    pub(super) fn new(
        servers: usize,
        places: usize,
        requests_per_connection: Option<u64>,
        timeout: Duration,
        users: Option<Users>,
        tokens: Arc<TokenPool>,
        recorder: Recorder,
    ) -> Self {
        let slot = |slot| Slot {
            server: slot / places,
            sender: None,
            flight: None,
            sent: 0,
            waiting: None,
            again: None,
            thinks: false,
            has_crossed: false,
        };
        Self {
            tokens,
            proofs: None,
            renewed: 0,
            servers: (0..servers).map(|_| Server::default()).collect(),
            slots: (0..servers * places).map(slot).collect(),
            requests_per_connection,
            users,
            thinking: VecDeque::new(),
            thought: Rc::default(),
            outstanding: 0,
            waiting: 0,
            again: 0,
            timeout,
            recorder,
        }
    }

    /// The same, whose requests prove that their tokens are the sender's.
    pub(super) fn proving(self, proofs: Option<ProofQueue>) -> Self {
        Self { proofs, ..self }
    }

    /// The proof of the next request of the plan, if it needs one that is made already.
    pub(super) fn made_proof(&self) -> Option<Box<str>> {
        self.proofs.as_ref()?.made()
    }

    /// The proof of the next request of the plan, which this must be and which must be due. Waits for it if it is not made yet.
    pub(super) fn next_proof(&self, request: &Request) -> Option<Box<str>> {
        self.proofs.as_ref().map(|proofs| proofs.next(request))
    }

    /// The place of a slot.
    pub(super) fn place(&self, slot: usize) -> ConnectionSlot {
        let places = self.slots.len() / self.servers.len();
        ConnectionSlot { server: slot / places, number: slot % places }
    }

    /// Takes the tokens that replace those of now, if there are any.
    pub(super) fn renew(&mut self, renewals: &Renewals) {
        if let Some(tokens) = renewals.newer(&mut self.renewed) {
            self.tokens = tokens;
        }
    }

    /// How many requests wait for a connection.
    pub(super) fn waiting(&self) -> usize {
        self.waiting
    }

    /// Whether nothing is on the wire and nothing waits.
    pub(super) fn is_drained(&self) -> bool {
        self.outstanding + self.waiting + self.again == 0
    }

    /// A request is due, with its proof if it needs one: it goes out at once, or it waits for a connection.
    pub(super) fn due(&mut self, request: Request, proof: Option<Box<str>>, now: Offset) {
        let place = request.server(self.servers.len());
        let server = &mut self.servers[place];
        let idle = server.idle.pop_front();
        if let Some(slot) = idle {
            self.send(slot, request, proof.as_deref(), now, None);
        } else {
            server.backlog.push_back(Waiting { request, proof, since: now });
            self.waiting += 1;
            self.recorder.load.backlog_peak = self.recorder.load.backlog_peak.max(self.waiting as u64);
        }
        // After the write: what is noted down may not delay it.
        self.recorder.taken_up(request, now, idle.is_some());
    }

    /// A slot has a new connection.
    pub(super) fn connected(&mut self, slot: usize, sender: S, now: Offset) {
        (self.slots[slot].sender, self.slots[slot].sent) = (Some(sender), 0);
        self.servers[self.slots[slot].server].open += 1;
        if self.send_again(slot, now) {
            return;
        }
        if let Some(waiting) = self.slots[slot].waiting.take() {
            self.waiting -= 1;
            self.send_waiting(slot, waiting, now);
        } else if !self.slots[slot].thinks {
            self.ready(slot, now);
        }
    }

    /// A slot's connection could not be replaced. If its server has no other, those who wait fail as a
    /// client's requests would; users of a closed loop go on waiting.
    pub(super) fn unreachable(&mut self, slot: usize, now: Offset) {
        let server = &mut self.servers[self.slots[slot].server];
        if server.open == 0 {
            self.waiting -= server.backlog.len();
            for waiting in server.backlog.drain(..) {
                self.recorder.failed(waiting.request, Failure::Unreachable, now);
            }
            if self.users.is_none() {
                self.give_up_again(slot, Failure::Unreachable, now);
            }
        }
    }

    /// A slot's request was answered; true if the connection goes on.
    pub(super) fn answered(&mut self, slot: usize, answer: Answer, first_byte: Offset, now: Offset) -> bool {
        let flight = self.slots[slot].flight.take();
        if let Some(flight) = &flight {
            self.outstanding -= 1;
            self.slots[slot].has_crossed = false;
            self.recorder.answered(flight, first_byte, now, answer.status);
        }
        let used_up = self.requests_per_connection.is_some_and(|most| self.slots[slot].sent >= most);
        // An answer that nobody asked for: whatever comes next could not be told apart.
        let goes_on = answer.reusable && flight.is_some() && !used_up;
        if goes_on {
            self.ready(slot, now);
        } else {
            self.close(slot, now);
        }
        goes_on
    }

    /// A slot's connection broke.
    pub(super) fn failed(&mut self, slot: usize, failure: Failure, now: Offset) {
        if let Some(flight) = self.slots[slot].flight.take() {
            self.outstanding -= 1;
            if !self.is_to_go_again(slot, flight, failure, now) {
                self.recorder.failed(flight.request, failure, now);
            }
        }
        self.close(slot, now);
    }

    /// Gives up every request sent before `limit`, and those that were due before it and still wait for a connection. Tells
    /// which slots need a new one.
    pub(super) fn give_up(&mut self, limit: Offset, now: Offset) -> Vec<usize> {
        self.give_up_waiting(limit, now);
        let late = |slot: &Slot<S>| slot.flight.is_some_and(|flight| flight.sent < limit);
        let slots: Vec<_> = (0..self.slots.len()).filter(|slot| late(&self.slots[*slot])).collect();
        for slot in &slots {
            self.failed(*slot, Failure::TimedOut, now);
        }
        slots
    }

    /// A cut network leaves requests waiting that nobody refuses.
    fn give_up_waiting(&mut self, limit: Offset, now: Offset) {
        for server in &mut self.servers {
            while let Some(waiting) = server.backlog.pop_front_if(|waiting| waiting.request.due < limit) {
                self.waiting -= 1;
                self.recorder.failed(waiting.request, Failure::TimedOut, now);
            }
        }
        self.give_up_users(limit, Failure::TimedOut, now);
        for slot in 0..self.slots.len() {
            if self.slots[slot].again.as_ref().is_some_and(|again| again.is_due_before(limit)) {
                self.give_up_again(slot, Failure::TimedOut, now);
            }
        }
    }

    /// The window ended, or the run was cut short: from here on answers in flight are waited for.
    pub(super) fn ended(&mut self, now: Offset, cut_short: bool) {
        self.recorder.ended(now, self.waiting, cut_short);
    }

    /// Ends the trial: gives up what is not answered and what was not sent. What was sent before `limit` timed out.
    pub(super) fn finish(mut self, limit: Offset) -> Recorder {
        self.give_up(limit, limit);
        for slot in 0..self.slots.len() {
            if let Some(flight) = self.slots[slot].flight.take() {
                self.recorder.failed(flight.request, Failure::Unanswered, limit);
            }
            self.give_up_again(slot, Failure::Unanswered, limit);
        }
        for waiting in self.servers.iter_mut().flat_map(|server| server.backlog.drain(..)) {
            self.recorder.failed(waiting.request, Failure::Unsent, limit);
        }
        self.recorder
    }

    /// A connection can carry a request: the oldest that waits, that of its user, or the next that is due.
    fn ready(&mut self, slot: usize, now: Offset) {
        let server = &mut self.servers[self.slots[slot].server];
        if let Some(waiting) = server.backlog.pop_front() {
            self.waiting -= 1;
            self.send_waiting(slot, waiting, now);
            return;
        }
        if self.users.is_some() {
            self.go_on(slot, now);
        } else {
            server.idle.push_back(slot);
        }
    }

    fn send_waiting(&mut self, slot: usize, waiting: Waiting, now: Offset) {
        let Waiting { request, proof, since } = waiting;
        let (mut now, mut waited) = (now, now.since(since));
        let proof = self.proofs.as_ref().zip(proof).map(|(proofs, proof)| {
            let (proof, took) = proofs.renewed(&request, proof, waited);
            // It was taken up before: to sign again is part of its wait.
            (now, waited) = (now + took, waited + took);
            proof
        });
        self.send(slot, request, proof.as_deref(), now, Some(waited));
    }

    fn send(
        &mut self,
        slot: usize,
        request: Request,
        proof: Option<&str>,
        now: Offset,
        wait: Option<Duration>,
    ) {
        let flight = self.recorder.flight(request, now, wait, self.tokens.expiry(request.token));
        let slot = &mut self.slots[slot];
        let sender = slot.sender.as_mut().expect("only a connected slot is idle or ready");
        sender.send(&Outgoing { token: self.tokens.text(request.token), proof, probe: flight.probe });
        slot.sent += 1;
        slot.flight = Some(flight);
        self.outstanding += 1;
        self.recorder.sent(&flight, wait);
    }

    /// A slot has no connection any more. Its user goes on: what is due before the next connection waits for it.
    fn close(&mut self, slot: usize, now: Offset) {
        let server = &mut self.servers[self.slots[slot].server];
        server.idle.retain(|idle| *idle != slot);
        if self.slots[slot].sender.take().is_none() {
            return;
        }
        server.open -= 1;
        if !self.slots[slot].thinks && self.slots[slot].again.is_none() {
            self.go_on(slot, now);
        }
    }
}
