//! What a thread of the generator is to send: requests with due instants, and users who send as soon as they may.

use std::time::Duration;

use crate::load::schedule::{Request, Token};
use crate::units::Offset;

/// One of the threads among which a plan is dealt out: thread `index` of `of` takes every `of`th request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Which thread, from 0.
    pub index: usize,
    /// How many threads there are.
    pub of: usize,
}

impl Share {
    /// The only thread.
    pub const WHOLE: Self = Self { index: 0, of: 1 };

    /// This thread's part of `count` things.
    pub(super) fn part(self, count: usize) -> usize {
        count / self.of + usize::from(self.index < count % self.of)
    }

    /// This thread's part of `count` requests.
    pub fn part_of_requests(self, count: u64) -> u64 {
        let (index, of) = (self.index as u64, self.of as u64);
        count / of + u64::from(index < count % of)
    }
}

/// What one thread sends. The plan is data: the same for every subject.
pub struct Feed {
    /// Open loop: requests in the order in which they are due. What is due after the window is not sent.
    pub scheduled: Box<dyn Iterator<Item = Request> + Send>,
    /// Closed loop: one user on each connection.
    pub users: Option<Users>,
    /// Whether the run ends with the last of them, rather than with the window.
    pub ends_with_last: bool,
}

impl Feed {
    /// Requests that are due whatever becomes of those before.
    pub fn open(scheduled: impl Iterator<Item = Request> + Send + 'static) -> Self {
        Self { scheduled: Box::new(scheduled), users: None, ends_with_last: false }
    }

    /// Users who wait for their answer, think, and send again.
    pub fn closed(users: Users) -> Self {
        Self { scheduled: Box::new(std::iter::empty()), users: Some(users), ends_with_last: false }
    }
}

/// Users in a closed loop. Each owns a connection; its next request is due when it has its answer and has thought.
pub struct Users {
    /// How long a user thinks.
    pub think: Duration,
    /// The token of the request that is due at an instant.
    pub pick: Box<dyn FnMut(Offset) -> Token + Send>,
    /// How many requests they send in all.
    pub left: u64,
}

impl Users {
    /// The token of the next request, unless there is none any more.
    pub(super) fn next(&mut self, due: Offset) -> Option<Token> {
        self.left = self.left.checked_sub(1)?;
        Some((self.pick)(due))
    }
}
