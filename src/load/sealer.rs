//! A thread that puts recorded seconds to rest: the generator hands over a pointer and never stops to compress.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};

use crate::load::cores::stand_aside;
use crate::observation::{OpenSecond, Second};

/// Seals seconds on a thread of its own. Must be started before the generator's thread is bound to its core, whose
/// binding it would inherit and could not widen.
pub(super) struct Sealer {
    full: Sender<(usize, Box<OpenSecond>)>,
    empty: Receiver<Box<OpenSecond>>,
    thread: JoinHandle<Vec<(usize, Second)>>,
}

impl Sealer {
    /// A thread that keeps off the cores of `generators`.
    pub(super) fn start(generators: &[u32]) -> Self {
        let (full, incoming) = channel::<(usize, Box<OpenSecond>)>();
        let (emptied, empty) = channel();
        let generators = generators.to_vec();
        let thread = thread::spawn(move || {
            // Where the system refuses, requests may be late, and their lag tells.
            let _ = stand_aside(&generators);
            let mut sealed = Vec::new();
            for (number, mut second) in incoming {
                sealed.push((number, second.seal()));
                second.reset();
                // Nobody wants it any more once the run has ended.
                let _ = emptied.send(second);
            }
            sealed
        });
        Self { full, empty, thread }
    }

    /// Room to record a second in: that of an earlier one, so that nothing is allocated for long.
    pub(super) fn room(&self) -> Box<OpenSecond> {
        self.empty.try_recv().unwrap_or_default()
    }

    /// Puts the second with this number to rest.
    pub(super) fn seal(&self, number: usize, second: Box<OpenSecond>) {
        self.full.send((number, second)).expect("the thread lives until this is dropped");
    }

    /// Every second, by its number, in no order.
    pub(super) fn finish(self) -> Vec<(usize, Second)> {
        drop(self.full);
        self.thread.join().expect("sealing does not panic")
    }
}
