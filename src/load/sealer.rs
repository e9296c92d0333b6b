//! A thread that puts recorded seconds to rest: the generator hands over a pointer and never stops to compress, or to sort
//! its requests by what gaps did to them.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};

use crate::load::cores::stand_aside;
use crate::load::gaps::{Flown, Sieve};
use crate::observation::{CoreGaps, OpenSecond, Second};
use crate::units::Offset;

/// Seals seconds on a thread of its own. Must be started before the generator's thread is bound to its core, whose
/// binding it would inherit and could not widen.
pub(super) struct Sealer {
    told: Sender<Told>,
    empty: Receiver<Box<Kept>>,
    thread: JoinHandle<Rested>,
}

/// A second while it is recorded, and its requests one by one.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) facts: OpenSecond,
    /// In the order in which they ended.
    pub(super) flown: Vec<Flown>,
}

/// Every second by its number, in no order, and the gaps of every core.
#[derive(Debug, Default)]
pub(super) struct Rested {
    pub(super) seconds: Vec<(usize, Second)>,
    pub(super) gaps: Vec<CoreGaps>,
}

enum Told {
    /// The load begins; before that no second is over.
    Begun(Box<Sieve>),
    /// The generator lost its core.
    Gap([Offset; 2]),
    /// A second of the window is over, and so are its requests.
    Full { number: usize, reach: [Offset; 2], kept: Box<Kept> },
}

impl Kept {
    fn with_room(classes: &[Arc<str>]) -> Self {
        Self { facts: OpenSecond::with_room(classes), flown: Vec::new() }
    }
}

impl Sealer {
    /// A thread that keeps off the cores of `generators`.
    pub(super) fn start(generators: &[u32]) -> Self {
        let (told, incoming) = channel::<Told>();
        let (emptied, empty) = channel();
        let generators = generators.to_vec();
        let thread = thread::spawn(move || {
            // Where the system refuses, requests may be late, and their lag tells.
            let _ = stand_aside(&generators);
            rest(&incoming, &emptied)
        });
        Self { told, empty, thread }
    }

    /// The load begins, with what knows of its gaps.
    pub(super) fn begin(&self, sieve: Sieve) {
        self.tell(Told::Begun(Box::new(sieve)));
    }

    /// Room to record a second of requests in, with these classes of tokens: that of an earlier one, so that nothing is allocated for long.
    pub(super) fn room(&self, classes: &[Arc<str>]) -> Box<Kept> {
        self.empty.try_recv().unwrap_or_else(|_| Box::new(Kept::with_room(classes)))
    }

    /// The generator lost its core; told before the seconds that it may have disturbed are sealed.
    pub(super) fn gap(&self, gap: [Offset; 2]) {
        self.tell(Told::Gap(gap));
    }

    /// Puts the second with this number to rest.
    pub(super) fn seal(&self, number: usize, reach: [Offset; 2], kept: Box<Kept>) {
        self.tell(Told::Full { number, reach, kept });
    }

    /// Everything that was sealed.
    pub(super) fn finish(self) -> Rested {
        drop(self.told);
        self.thread.join().expect("sealing does not panic")
    }

    fn tell(&self, told: Told) {
        self.told.send(told).expect("the thread lives until this is dropped");
    }
}

fn rest(incoming: &Receiver<Told>, emptied: &Sender<Box<Kept>>) -> Rested {
    let (mut seconds, mut sieve) = (Vec::new(), None);
    for told in incoming {
        match told {
            Told::Begun(begun) => sieve = Some(begun),
            Told::Gap(gap) => sieve.iter_mut().for_each(|sieve| sieve.own(gap)),
            Told::Full { number, reach, mut kept } => {
                let service = kept.facts.service.quantile(0.5).unwrap_or(0);
                kept.facts.disturbed =
                    sieve.as_mut().and_then(|sieve| sieve.sift(reach, &kept.flown, service));
                seconds.push((number, kept.facts.seal()));
                if let Some((sieve, room)) = sieve.as_mut().zip(kept.facts.disturbed.take()) {
                    sieve.reuse(room);
                }
                kept.facts.reset();
                kept.flown.clear();
                // Nobody wants it any more once the run has ended.
                let _ = emptied.send(kept);
            }
        }
    }
    Rested { seconds, gaps: sieve.map(|sieve| sieve.finish()).unwrap_or_default() }
}
