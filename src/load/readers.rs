//! One task for each connection reads the answers and replaces the connection when it breaks.

use std::rc::Rc;
use std::time::Duration;

use tokio::task::{JoinHandle, spawn_local};
use tokio::time::{sleep, timeout};

use crate::load::driver::Run;
use crate::load::pacing::Pacer;
use crate::load::transport::{Failure, Receiver, Transport};

/// A server that refuses connections is asked again after this.
const RETRY: Duration = Duration::from_millis(10);

impl<T: Transport, P: Pacer> Run<T, P> {
    /// Reads the answers of one slot for ever, over as many connections as it takes.
    pub(super) async fn read(self: Rc<Self>, slot: usize, mut open: Option<T::Receiver>) {
        loop {
            let receiver = match open.take() {
                Some(receiver) => receiver,
                None => self.reconnect(slot).await,
            };
            let answers = self.read_until_it_ends(slot, receiver).await;
            if answers == 0 {
                // A server that ends every connection at once must not be flooded with new ones.
                sleep(RETRY).await;
            }
        }
    }

    /// Reads the answers of one connection, and counts them.
    async fn read_until_it_ends(&self, slot: usize, mut receiver: T::Receiver) -> u64 {
        let mut answers = 0;
        loop {
            let answer = receiver.answer().await;
            let now = self.pacer.now();
            match answer {
                Ok(answer) => {
                    answers += 1;
                    if !self.dispatch.borrow_mut().answered(slot, answer, now) {
                        return answers;
                    }
                }
                Err(failure) => {
                    self.dispatch.borrow_mut().failed(slot, failure);
                    return answers;
                }
            }
        }
    }

    async fn reconnect(&self, slot: usize) -> T::Receiver {
        let server = self.dispatch.borrow().server_of(slot);
        loop {
            if let Ok(Ok((sender, receiver))) = timeout(self.timeout, self.transport.connect(server)).await {
                self.dispatch.borrow_mut().connected(slot, sender, self.pacer.now());
                return receiver;
            }
            self.dispatch.borrow_mut().unreachable(slot);
            sleep(RETRY).await;
        }
    }

    /// Gives up requests whose answer takes too long, and replaces their connections.
    pub(super) async fn watch(self: Rc<Self>, mut readers: Vec<JoinHandle<()>>) {
        loop {
            sleep(between_sweeps(self.timeout)).await;
            let late = self.dispatch.borrow_mut().give_up(self.timeout_limit(), Failure::TimedOut);
            for slot in late {
                readers[slot].abort();
                readers[slot] = spawn_local(Rc::clone(&self).read(slot, None));
            }
        }
    }
}

/// How late a timeout may come: one sweep over the connections costs less than a timer for each request.
pub(super) fn between_sweeps(timeout: Duration) -> Duration {
    (timeout / 8).clamp(Duration::from_millis(1), Duration::from_millis(250))
}
