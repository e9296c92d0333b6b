//! The loop of a server of known truth: it polls while anything goes on, so that stamps and answers are exact to microseconds.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::TcpListener;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rustix::buffer::spare_capacity;
use rustix::event::{PollFd, PollFlags, Timespec, epoll, poll};
use rustix::fd::OwnedFd;

use crate::selftest::server::Shared;
use crate::selftest::server::behaviour::{Behaviour, Reaction, Then};
use crate::selftest::server::connection::{Connection, Read};
use crate::selftest::server::witness::{Served, Witness};
use crate::units::Stamp;

/// It polls for so long after the last request or answer.
const AWAKE: Duration = Duration::from_millis(20);
/// Then it sleeps, at most so long at a time.
const ASLEEP: Timespec = Timespec { tv_sec: 0, tv_nsec: 1_000_000 };
const ASLEEP_NANOS: u64 = 1_000_000;
const NOT_AT_ALL: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };
/// Who sleeps is woken late by up to this, in nanoseconds, and polls for the rest.
const WAKING: u64 = 150_000;
/// An idle turn of the loop takes a microsecond; what takes longer than this was somebody else's doing, and what is shorter
/// is too short to move a figure that is judged.
const PAUSE: Duration = Duration::from_micros(50);
/// Events taken at once.
const EVENTS: usize = 64;
/// The name of the listener among the events.
const LISTENER: u64 = u64::MAX;

/// Serves until it is told to end, or ends by itself.
pub(super) fn serve(listener: &TcpListener, behaviour: Behaviour, shared: &Shared) -> Witness {
    let epoll = epoll::create(epoll::CreateFlags::CLOEXEC).expect("a process may have another file");
    listener.set_nonblocking(true).expect("a socket can do so");
    let mut course = Course::new(behaviour, shared, epoll);
    course.hear(listener, LISTENER);
    let mut events = Vec::with_capacity(EVENTS);
    while !shared.over.load(Ordering::Relaxed) && !course.died {
        let answered = course.answer();
        let timeout = course.timeout();
        let before = Stamp::now();
        if epoll::wait(&course.epoll, spare_capacity(&mut events), Some(&timeout)).is_err() {
            continue;
        }
        if timeout == NOT_AT_ALL && events.is_empty() && !answered {
            course.note_pause(before.elapsed());
        }
        for event in events.drain(..) {
            match event.data.u64() {
                LISTENER => course.accept(listener),
                number => course.read(usize::try_from(number).expect("it was an index")),
            }
        }
    }
    course.witness
}

struct Course<'a> {
    behaviour: Behaviour,
    shared: &'a Shared,
    epoll: OwnedFd,
    connections: Vec<Option<Connection>>,
    free: Vec<usize>,
    times: Box<dyn Iterator<Item = Duration>>,
    /// Answers to be given, by when.
    due: BinaryHeap<Reverse<Due>>,
    /// When the only worker will be done with everything it has.
    busy_until: u64,
    busy: Stamp,
    requests: u64,
    witness: Witness,
    died: bool,
}

/// An answer to be given at an instant, in nanoseconds of the clock.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Due {
    at: u64,
    /// Which request, from 0: requests of one instant are answered in the order in which they came.
    request: u64,
    connection: usize,
}

impl<'a> Course<'a> {
    fn new(behaviour: Behaviour, shared: &'a Shared, epoll: OwnedFd) -> Self {
        let times: Box<dyn Iterator<Item = Duration>> = match behaviour {
            Behaviour::Service { law, seed }
            | Behaviour::Asleep { law, seed }
            | Behaviour::Worker { law, seed } => Box::new(law.times(seed)),
            Behaviour::Stall { service, .. } => Box::new(std::iter::repeat(service)),
            _ => Box::new(std::iter::repeat(Duration::ZERO)),
        };
        Self {
            behaviour,
            shared,
            epoll,
            connections: Vec::new(),
            free: Vec::new(),
            times,
            due: BinaryHeap::new(),
            busy_until: 0,
            busy: Stamp::now(),
            requests: 0,
            witness: Witness::default(),
            died: false,
        }
    }

    /// How long to sleep at most until something happens, if it did not just do so.
    fn timeout(&self) -> Timespec {
        if !matches!(self.behaviour, Behaviour::Asleep { .. }) {
            let is_awake = !self.due.is_empty() || self.busy.elapsed() < AWAKE;
            return if is_awake { NOT_AT_ALL } else { ASLEEP };
        }
        let next = self.due.peek().map_or(u64::MAX, |Reverse(next)| next.at.saturating_sub(WAKING));
        let left = next.saturating_sub(Stamp::now().nanos()).min(ASLEEP_NANOS);
        let left = Timespec { tv_sec: 0, tv_nsec: i64::try_from(left).expect("a millisecond at most") };
        // To the nanosecond, which epoll is not. An error is an early end of the sleep.
        let _ = poll(&mut [PollFd::new(&self.epoll, PollFlags::IN)], Some(&left));
        NOT_AT_ALL
    }

    fn note_pause(&mut self, lasted: Duration) {
        if lasted > PAUSE {
            self.witness.paused += lasted;
            self.witness.longest_pause = self.witness.longest_pause.max(lasted);
        }
    }

    fn hear(&self, socket: impl std::os::fd::AsFd, number: u64) {
        epoll::add(&self.epoll, socket, epoll::EventData::new_u64(number), epoll::EventFlags::IN)
            .expect("the socket is open and not known yet");
    }

    fn accept(&mut self, listener: &TcpListener) {
        // An error is nobody left to accept, or no file left: whoever waits is found again.
        while let Ok((stream, _)) = listener.accept() {
            let Ok(mut connection) = Connection::new(stream) else { continue };
            self.busy = Stamp::now();
            let greeting = self.behaviour.greeting();
            if !greeting.is_empty() && !connection.write(greeting) {
                continue;
            }
            let number = self.free.pop().unwrap_or_else(|| {
                self.connections.push(None);
                self.connections.len() - 1
            });
            self.hear(&connection.stream, number as u64);
            self.connections[number] = Some(connection);
        }
    }

    fn read(&mut self, number: usize) {
        let Some(connection) = &mut self.connections[number] else { return };
        match connection.read() {
            Read::Partial => {}
            Read::Ended => self.close(number),
            Read::Request => self.requested(number),
        }
    }

    fn requested(&mut self, number: usize) {
        let arrived = Stamp::now();
        self.busy = arrived;
        self.shared.first.get_or_init(|| arrived);
        let Some(connection) = &mut self.connections[number] else { return };
        let reaction = self.behaviour.reaction(connection.request(), self.requests);
        if self.behaviour == Behaviour::Judge {
            self.witness.probes.extend(probe(connection.request()));
        }
        connection.forget();
        let request = self.requests;
        self.requests += 1;
        match reaction {
            Reaction::Nothing => {}
            Reaction::Die => self.died = true,
            Reaction::Answer(text, then) => match self.answer_due(arrived) {
                Some(at) => self.due.push(Reverse(Due { at, request, connection: number })),
                None => self.say(number, text, then),
            },
        }
    }

    /// When a request is to be answered, and takes note of it; none is at once.
    fn answer_due(&mut self, arrived: Stamp) -> Option<u64> {
        let planned = self.times.next().expect("laws are endless");
        let nanos = u64::try_from(planned.as_nanos()).expect("less than 584 years");
        let at = match self.behaviour {
            Behaviour::Service { .. } | Behaviour::Asleep { .. } => arrived.nanos() + nanos,
            Behaviour::Worker { .. } => {
                // From the arrival, not from the loop: what the thread loses it does not add to anybody's time.
                self.busy_until = self.busy_until.max(arrived.nanos()) + nanos;
                self.busy_until
            }
            Behaviour::Stall { after, lasts, .. } => {
                let first = self.shared.first.get().expect("this one arrived").nanos();
                let begins = first + u64::try_from(after.as_nanos()).expect("less than 584 years");
                let ends = begins + u64::try_from(lasts.as_nanos()).expect("less than 584 years");
                let at = arrived.nanos() + nanos;
                if (begins..ends).contains(&at) { ends } else { at }
            }
            _ => return None,
        };
        self.witness.served.push(Served { arrived, answered: None, planned });
        Some(at)
    }

    /// Gives the answers that are due; false if there were none.
    fn answer(&mut self) -> bool {
        let mut any = false;
        while let Some(Reverse(next)) = self.due.peek().copied() {
            let now = Stamp::now();
            let Some(late) = now.nanos().checked_sub(next.at) else { break };
            self.due.pop();
            self.witness.late.record(late);
            let index = usize::try_from(next.request).expect("it was counted");
            self.witness.served[index].answered = Some(now);
            self.busy = now;
            self.say(next.connection, super::behaviour::OK, Then::Keep);
            any = true;
        }
        any
    }

    fn say(&mut self, number: usize, text: &str, then: Then) {
        let Some(connection) = &mut self.connections[number] else { return };
        if !connection.write(text) || then == Then::Close {
            self.close(number);
        }
    }

    fn close(&mut self, number: usize) {
        // An answer that is still to come on it must not reach whoever gets its place.
        self.connections[number] = None;
        if !self.due.iter().any(|Reverse(due)| due.connection == number) {
            self.free.push(number);
        }
    }
}

/// The number of the probe that a request is.
fn probe(request: &[u8]) -> Option<u64> {
    let text = String::from_utf8_lossy(request);
    let (_, rest) = text.split_once("bearerbench-probe: ")?;
    rest.split("\r\n").next()?.parse().ok()
}
