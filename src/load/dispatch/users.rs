//! Users of a closed loop: each has a slot, thinks between an answer and the next request, and waits for its own connection.

use std::rc::Rc;

use tokio::sync::Notify;

use crate::load::dispatch::{Dispatch, Waiting};
use crate::load::schedule::{Request, place_of};
use crate::load::transport::{Failure, Sender};
use crate::units::Offset;

impl<S: Sender> Dispatch<S> {
    /// Whether a user has requests left to send, those that wait for a connection among them.
    pub(in crate::load) fn has_users(&self) -> bool {
        self.users.as_ref().is_some_and(|users| users.left > 0 || self.waiting > 0)
    }

    /// Tells when there is a first user who thinks.
    pub(in crate::load) fn thought(&self) -> Rc<Notify> {
        Rc::clone(&self.thought)
    }

    /// When the next user has thought.
    pub(in crate::load) fn next_thought(&self) -> Option<Offset> {
        self.thinking.front().map(|(instant, _)| *instant)
    }

    /// The next user, who has thought, sends a request. One at a time: to sign and write for one makes the next late.
    pub(in crate::load) fn wake(&mut self, now: Offset) {
        if let Some((due, slot)) = self.thinking.pop_front() {
            self.slots[slot].thinks = false;
            self.due_for_user(slot, due, now);
        }
    }

    /// The run is over for those who would begin another request. Those who wait for a connection have begun theirs, and
    /// nobody waits for one any more.
    pub(in crate::load) fn dismiss_users(&mut self, now: Offset) {
        self.users = None;
        for (_, slot) in self.thinking.drain(..) {
            self.slots[slot].thinks = false;
        }
        self.give_up_users(Offset::from_nanos(u64::MAX), Failure::Unsent, now);
    }

    /// Users whose requests were due before `limit` and wait for a connection wait no longer, and go on to their next one.
    pub(super) fn give_up_users(&mut self, limit: Offset, failure: Failure, now: Offset) {
        for slot in 0..self.slots.len() {
            let is_late = |waiting: &mut Waiting| waiting.request.due < limit;
            if let Some(waiting) = self.slots[slot].waiting.take_if(is_late) {
                self.waiting -= 1;
                self.recorder.failed(waiting.request, failure, now);
                self.go_on(slot, now);
            }
        }
    }

    /// The user of a slot, if it has one, thinks before the next request, which is due when that is over.
    pub(super) fn go_on(&mut self, slot: usize, now: Offset) {
        match &self.users {
            Some(users) if users.think.is_zero() => self.due_for_user(slot, now, now),
            Some(users) => self.think(slot, now + users.think),
            None => {}
        }
    }

    /// The user of a slot thinks until an instant.
    fn think(&mut self, slot: usize, until: Offset) {
        if self.thinking.is_empty() {
            self.thought.notify_one();
        }
        // At the end, but for one who thought while there was no connection.
        let place = self.thinking.partition_point(|(instant, _)| *instant <= until);
        self.thinking.insert(place, (until, slot));
        self.slots[slot].thinks = true;
    }

    /// The request of a user is due: it goes out at once, or it waits for the connection of its slot.
    fn due_for_user(&mut self, slot: usize, due: Offset, now: Offset) {
        let is_open = self.slots[slot].sender.is_some();
        let Some(request) = self.request_of_user(slot, due) else {
            if is_open {
                self.servers[self.slots[slot].server].idle.push_back(slot);
            }
            return;
        };
        // Nobody knew of this request before: to sign for it is part of what its user waits for, and of the generator's lag.
        let mut now = now;
        let proof = self.proofs.as_ref().map(|proofs| {
            let (proof, took) = proofs.sign_now(&request);
            now = now + took;
            proof
        });
        if is_open {
            self.send(slot, request, proof.as_deref(), now, None);
        } else {
            self.slots[slot].waiting = Some(Waiting { request, proof, since: now });
            self.waiting += 1;
            self.recorder.load.backlog_peak = self.recorder.load.backlog_peak.max(self.waiting as u64);
        }
        // After the write: what is noted down may not delay it. It counts from now on, however long it waits.
        self.recorder.taken_up(request, now, is_open);
    }

    /// The next request of the user of a slot, unless all were sent.
    fn request_of_user(&mut self, slot: usize, due: Offset) -> Option<Request> {
        let token = self.users.as_mut()?.next(due)?;
        // It goes to the server of its slot.
        let place = place_of(self.slots[slot].server, self.servers.len());
        Some(Request { due, place, token })
    }
}
