//! A paused clock, and a stand-in server whose answers are known to the millisecond.

use std::cell::Cell;
use std::io;
use std::ops::Range;
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, sleep, sleep_until};

use crate::load::pacing::Pacer;
use crate::load::transport::{
    Answer, ConnectionSlot, Failure, Handshake, Opened, Outgoing, Receiver, Sender, Transport,
};
use crate::units::{Offset, Stamp};

/// The paused clock, for a scheduler that is stopped for a while.
pub(super) struct SimulatedPacer {
    pub(super) start: Instant,
    pub(super) stopped: Range<Offset>,
}

impl Pacer for SimulatedPacer {
    fn now(&self) -> Offset {
        self.start.elapsed().into()
    }

    fn at(&self, _stamp: Stamp) -> Offset {
        unreachable!("a stand-in answers at once")
    }

    async fn wait_until(&self, instant: Offset, _outstanding: impl Fn() -> bool) {
        let instant = if self.stopped.contains(&instant) { self.stopped.end } else { instant };
        sleep_until(self.start + instant.since(Offset::default())).await;
    }
}

/// A server that takes each request up at once, however many there are, but stands still for a while.
#[derive(Clone)]
pub(super) struct StandIn {
    pub(super) start: Instant,
    pub(super) service: Duration,
    pub(super) stalled: Range<Offset>,
    /// Connections break instead of giving every answer of this number.
    pub(super) breaks_every: usize,
    /// What that is to who waits for the answer.
    pub(super) breaking: Failure,
    /// How long it takes to replace a connection.
    pub(super) connecting: Duration,
    pub(super) answers: Rc<Cell<usize>>,
}

impl Transport for StandIn {
    type Sender = StandInSender;
    type Receiver = StandInReceiver;

    async fn connect(&self, _place: ConnectionSlot) -> io::Result<Opened<StandInSender, StandInReceiver>> {
        // The first connections are open before the load begins.
        if self.answers.get() > 0 {
            sleep(self.connecting).await;
        }
        let (requests, incoming) = unbounded_channel();
        let receiver = StandInReceiver { incoming, server: self.clone() };
        Ok(Opened { sender: StandInSender(requests), receiver, handshake: Some(Handshake::default()) })
    }
}

pub(super) struct StandInSender(UnboundedSender<(Instant, bool)>);

impl Sender for StandInSender {
    fn send(&mut self, outgoing: &Outgoing<'_>) {
        self.0.send((Instant::now(), outgoing.token == "good")).unwrap();
    }
}

pub(super) struct StandInReceiver {
    incoming: UnboundedReceiver<(Instant, bool)>,
    server: StandIn,
}

impl Receiver for StandInReceiver {
    async fn answer(&mut self) -> Result<Answer, Failure> {
        let (sent, good) = self.incoming.recv().await.ok_or(Failure::Closed)?;
        let StandIn { start, service, stalled, breaks_every, breaking, answers, .. } = &self.server;
        let arrived = Offset::from(sent - *start);
        let taken_up = if stalled.contains(&arrived) { stalled.end } else { arrived };
        sleep_until(*start + taken_up.since(Offset::default()) + *service).await;
        answers.set(answers.get() + 1);
        if answers.get() % breaks_every == 0 {
            return Err(*breaking);
        }
        Ok(Answer { status: if good { 200 } else { 401 }, reusable: true, first_byte: None })
    }

    fn has_answered(&self) -> bool {
        true
    }
}
