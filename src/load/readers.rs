//! One task for each connection reads the answers and replaces the connection when it breaks.

use std::rc::Rc;
use std::time::Duration;

use tokio::task::spawn_local;
use tokio::time::{sleep, timeout};

use crate::load::driver::Run;
use crate::load::pacing::Pacer;
use crate::load::transport::{Failure, Opened, Receiver, Transport};
use crate::units::Stamp;

/// A server that refuses connections is asked again after this ...
const RETRY: Duration = Duration::from_millis(10);
/// ... twice as long each time, up to this: 1,600 connections to servers that are down must not make the generator late.
const LONGEST_RETRY: Duration = Duration::from_millis(500);

impl<T: Transport, P: Pacer> Run<T, P> {
    /// Reads the answers of one slot for ever, over as many connections as it takes.
    pub(super) async fn read(self: Rc<Self>, slot: usize, mut open: Option<T::Receiver>) {
        loop {
            let receiver = match open.take() {
                Some(receiver) => receiver,
                None => self.reconnect(slot).await,
            };
            if !self.read_until_it_ends(slot, receiver).await {
                // A server that ends every connection at once must not be flooded with new ones, or one that refuses every
                // stream with streams.
                sleep(RETRY).await;
            }
        }
    }

    /// Reads the answers of one place until it ends; whether it may be replaced at once.
    async fn read_until_it_ends(&self, slot: usize, mut receiver: T::Receiver) -> bool {
        loop {
            let answer = receiver.answer().await;
            let now = self.pacer.now();
            match answer {
                Ok(answer) => {
                    let first_byte = answer.first_byte.map_or(now, |stamp| self.pacer.at(stamp));
                    if !self.dispatch.borrow_mut().answered(slot, answer, first_byte, now) {
                        return true;
                    }
                }
                Err(failure) => {
                    self.dispatch.borrow_mut().failed(slot, failure, now);
                    return receiver.has_answered() && failure != Failure::Refused;
                }
            }
        }
    }

    async fn reconnect(&self, slot: usize) -> T::Receiver {
        let place = self.dispatch.borrow().place(slot);
        let mut pause = RETRY;
        loop {
            let begun = Stamp::now();
            if let Ok(Ok(opened)) = timeout(self.timeout, self.transport.connect(place)).await {
                let Opened { sender, receiver, handshake } = opened;
                let mut dispatch = self.dispatch.borrow_mut();
                if let Some(handshake) = handshake {
                    dispatch.recorder.connected(handshake, begun.elapsed());
                }
                dispatch.connected(slot, sender, self.pacer.now());
                return receiver;
            }
            self.dispatch.borrow_mut().unreachable(slot, self.pacer.now());
            sleep(apart(pause, slot)).await;
            pause = (pause * 2).min(LONGEST_RETRY);
        }
    }

    /// Gives up requests whose answer takes too long, and replaces their connections.
    pub(super) async fn watch(self: Rc<Self>) {
        loop {
            sleep(between_sweeps(self.timeout)).await;
            let late = self.dispatch.borrow_mut().give_up(self.timeout_limit(), self.pacer.now());
            // All at once: a late answer must not reach the reader of a slot that was given up.
            let replace = |slot| {
                let reader = spawn_local(Rc::clone(&self).read(slot, None));
                let stuck = std::mem::replace(&mut self.readers.borrow_mut()[slot], reader);
                stuck.abort();
                stuck
            };
            let stuck: Vec<_> = late.into_iter().map(replace).collect();
            for reader in stuck {
                // It ends by being aborted, and lets go of its connection.
                let _ = reader.await;
            }
        }
    }
}

/// Between half of a pause and all of it, another share for each of neighbouring slots, so that they do not all ask at once.
fn apart(pause: Duration, slot: usize) -> Duration {
    const SHARES: usize = 16;
    let share = (slot % SHARES) as f64 / SHARES as f64;
    pause.mul_f64(0.5 + share / 2.0)
}

/// How late a timeout may come: one sweep over the connections costs less than a timer for each request.
pub(super) fn between_sweeps(timeout: Duration) -> Duration {
    (timeout / 8).clamp(Duration::from_millis(1), Duration::from_millis(250))
}
