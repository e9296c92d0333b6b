//! What is kept of the whole window rather than of each second: parts of a latency, and latency by class.

use std::time::Duration;

use crate::load::flight::{Flight, nanos};
use crate::load::tokens::TokenPool;
use crate::load::transport::Handshake;
use crate::load::usual::Usual;
use crate::observation::{ClassLatency, Distribution, Parts, Sealed};
use crate::units::Offset;

/// The classes of status that HTTP knows: 1xx to 5xx; 0 is for numbers beyond them.
const STATUS_CLASSES: usize = 6;

/// Distributions over the whole window, of all but usual requests while it lasts: see [`Usual`].
pub(super) struct Whole {
    first_byte: Distribution,
    response: Distribution,
    /// Answers that came at once: their response took no time, and a count is cheaper than a record.
    at_once: u64,
    connect: Distribution,
    resumed: u64,
    names: Vec<String>,
    /// Latency by class of token and class of status.
    classes: Vec<[Distribution; STATUS_CLASSES]>,
}

impl Whole {
    pub(super) fn new(tokens: &TokenPool) -> Self {
        let names = tokens.classes().to_vec();
        Self {
            first_byte: Distribution::default(),
            response: Distribution::default(),
            at_once: 0,
            connect: Distribution::default(),
            resumed: 0,
            classes: names.iter().map(|_| Default::default()).collect(),
            names,
        }
    }

    /// A request within the window was accepted or refused: the parts of its service.
    pub(super) fn took(&mut self, flight: &Flight, first_byte: Offset, answered: Offset) {
        self.first_byte.record(nanos(first_byte, flight.sent));
        if first_byte == answered {
            self.at_once += 1;
        } else {
            self.response.record(nanos(answered, first_byte));
        }
    }

    /// A request within the window, with a token of that class, was answered, whatever the answer says.
    pub(super) fn answered(&mut self, flight: &Flight, class: usize, answered: Offset, status: u16) {
        let status = usize::from(status / 100);
        let status = if status < STATUS_CLASSES { status } else { 0 };
        self.classes[class][status].record(nanos(answered, flight.request.due));
    }

    pub(super) fn connected(&mut self, handshake: Handshake, took: Duration) {
        self.connect.record(u64::try_from(took.as_nanos()).expect("less than 584 years"));
        self.resumed += u64::from(handshake.resumed);
    }

    /// The same with the usual requests, which were recorded apart.
    pub(super) fn finish(mut self, usual: &Usual) -> Parts {
        self.first_byte.add(&usual.service);
        self.at_once += usual.service.count();
        // With valid tokens, and accepted.
        self.classes[0][2].add(&usual.latency);
        self.response.record_many(0, self.at_once);
        let of_class = |(name, latencies): (String, [Distribution; STATUS_CLASSES])| {
            let seen = latencies.into_iter().enumerate().filter(|(_, latency)| latency.count() > 0);
            seen.map(move |(status, latency)| ClassLatency {
                class: name.clone(),
                status: format!("{status}xx"),
                latency: Sealed::from(&latency),
            })
            .collect::<Vec<_>>()
        };
        Parts {
            first_byte: Sealed::from(&self.first_byte),
            response: Sealed::from(&self.response),
            connect: Sealed::from(&self.connect),
            resumed: self.resumed,
            classes: self.names.into_iter().zip(self.classes).flat_map(of_class).collect(),
        }
    }
}
