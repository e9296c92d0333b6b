//! Requests that the server did not process: sent again over the next connection of their slot, from their due instant, and
//! counted apart.

use std::time::Duration;

use crate::load::dispatch::Dispatch;
use crate::load::flight::Flight;
use crate::load::transport::{Failure, Outgoing, Sender};
use crate::units::Offset;

/// A request that waits to be sent again.
pub(super) struct Again {
    /// How it was sent the last time.
    flight: Flight,
    /// Why it was not processed.
    failure: Failure,
}

impl Again {
    pub(super) fn is_due_before(&self, limit: Offset) -> bool {
        self.flight.request.due < limit
    }
}

/// A close that crosses a request on the wire is seen within a round trip. One that comes later was made by a server that had the
/// request, and is an error.
const ON_THE_WIRE: Duration = Duration::from_millis(100);

impl<S: Sender> Dispatch<S> {
    /// Whether a request that failed is sent again, as a client would that knows that nothing came of it: one that the server
    /// says it did not process (RFC 9113 section 8.7), for as long as an answer may take, and once one that may have crossed
    /// the close of an idle connection (RFC 9112 section 9.3.1; a GET is idempotent).
    pub(super) fn is_to_go_again(
        &mut self,
        slot: usize,
        flight: Flight,
        failure: Failure,
        now: Offset,
    ) -> bool {
        let slot = &mut self.slots[slot];
        let had_crossed = std::mem::take(&mut slot.has_crossed);
        let is_again = match failure {
            Failure::Crossed => !had_crossed && now.since(flight.sent) < ON_THE_WIRE,
            Failure::WentAway | Failure::Refused => now.since(flight.taken_up) < self.timeout,
            _ => false,
        };
        if is_again {
            slot.has_crossed = had_crossed || failure == Failure::Crossed;
            slot.again = Some(Box::new(Again { flight, failure }));
            self.again += 1;
        }
        is_again
    }

    /// Sends the request of a slot again that waits for it, if there is one; the slot has a new connection.
    pub(super) fn send_again(&mut self, slot: usize, now: Offset) -> bool {
        let slot = &mut self.slots[slot];
        let Some(again) = slot.again.take() else { return false };
        let Again { flight, failure } = *again;
        // A new one: the server may have seen the first.
        let mut now = now;
        let proof = self.proofs.as_ref().map(|proofs| {
            let (proof, took) = proofs.sign_now(&flight.request);
            now = now + took;
            proof
        });
        let before = flight.sent;
        // The token that is sent now may be another one.
        let flight = Flight { sent: now, expires: self.tokens.expiry(flight.request.token), ..flight };
        let sender = slot.sender.as_mut().expect("it was connected just now");
        let token = self.tokens.text(flight.request.token);
        sender.send(&Outgoing { token, proof: proof.as_deref(), probe: flight.probe });
        slot.sent += 1;
        slot.flight = Some(flight);
        self.again -= 1;
        self.outstanding += 1;
        self.recorder.sent_again(&flight, before, failure);
        true
    }

    /// The request of a slot that waits to be sent again, if there is one, ends without. Its user goes on.
    pub(super) fn give_up_again(&mut self, slot: usize, failure: Failure, now: Offset) {
        if let Some(again) = self.slots[slot].again.take() {
            self.slots[slot].has_crossed = false;
            self.again -= 1;
            self.recorder.failed(again.flight.request, failure, now);
            self.go_on(slot, now);
        }
    }
}
