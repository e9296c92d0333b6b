//! A thread that puts recorded seconds to rest: the generator hands over a pointer and never stops to compress, or to sort
//! its requests by what gaps did to them.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};

use crate::load::cores::stand_aside;
use crate::load::gaps::{Flown, Sieve};
use crate::load::usual::Usual;
use crate::observation::{CoreGaps, OpenSecond, Second};
use crate::units::Offset;

/// Seals seconds on a thread of its own. Must be started before the generator's thread is bound to its core, whose
/// binding it would inherit and could not widen.
pub(super) struct Sealer {
    /// The names of the classes of tokens, which all seconds share.
    classes: Vec<Arc<str>>,
    told: Sender<Told>,
    empty: Receiver<Box<Kept>>,
    /// The generator lost its core: handed over with the next second. A message for each, of which a busy machine gives more than a
    /// thousand a second, would wake the thread as often, at the generator's cost.
    gaps: Vec<[Offset; 2]>,
    thread: JoinHandle<Rested>,
}

/// A second while it is recorded, and its requests one by one.
#[derive(Debug)]
pub(super) struct Kept {
    /// Without the durations of usual requests.
    pub(super) facts: OpenSecond,
    pub(super) usual: Usual,
    /// In the order in which they ended.
    pub(super) flown: Vec<Flown>,
    /// When the generator lost its core, as far as that was not told with earlier seconds.
    gaps: Vec<[Offset; 2]>,
}

/// So many seconds are recorded or put to rest at once, as a rule: the one that is now, and one whose last requests are under way or
/// which waits for the watch of the servers' cores.
const AT_ONCE: usize = 2;

/// Every second by its number, in no order, the usual requests of all of them, and the gaps of every core.
#[derive(Debug)]
pub(super) struct Rested {
    pub(super) seconds: Vec<(usize, Second)>,
    pub(super) usual: Usual,
    pub(super) gaps: Vec<CoreGaps>,
}

enum Told {
    /// The load begins; before that no second is over.
    Begun(Box<Sieve>),
    /// A second of the window is over, and so are its requests.
    Full { number: usize, reach: [Offset; 2], kept: Box<Kept> },
    /// Every second is over. The generator lost its core after that too.
    Ended { gaps: Vec<[Offset; 2]> },
}

impl Kept {
    fn with_room(classes: &[Arc<str>]) -> Self {
        Self {
            facts: OpenSecond::with_room(classes),
            usual: Usual::with_room(),
            flown: Vec::new(),
            gaps: Vec::new(),
        }
    }
}

impl Sealer {
    /// A thread that keeps off the cores of `generators`, for requests with tokens of these classes.
    pub(super) fn start(generators: &[u32], classes: &[String]) -> Self {
        let (told, incoming) = channel::<Told>();
        let (emptied, empty) = channel();
        let generators = generators.to_vec();
        let classes: Vec<Arc<str>> = classes.iter().map(|name| Arc::from(name.as_str())).collect();
        let of_rooms = classes.clone();
        let thread = thread::spawn(move || {
            // Where the system refuses, requests may be late, and their lag tells.
            let _ = stand_aside(&generators);
            // Before the load begins: to make room takes the generator as long as hundreds of requests.
            for _ in 0..AT_ONCE {
                // Nobody wants it if the load cannot begin.
                let _ = emptied.send(Box::new(Kept::with_room(&of_rooms)));
            }
            rest(&incoming, &emptied)
        });
        Self { classes, told, empty, gaps: Vec::new(), thread }
    }

    /// The load begins, with what knows of its gaps.
    pub(super) fn begin(&self, sieve: Sieve) {
        self.tell(Told::Begun(Box::new(sieve)));
    }

    /// Room to record a second of requests in: that of an earlier one, so that nothing is allocated for long.
    #[cold]
    pub(super) fn room(&self) -> Box<Kept> {
        self.empty.try_recv().unwrap_or_else(|_| Box::new(Kept::with_room(&self.classes)))
    }

    /// The generator lost its core; told before the seconds that it may have disturbed are sealed.
    pub(super) fn gaps(&mut self, gaps: Vec<[Offset; 2]>) {
        self.gaps.extend(gaps);
    }

    /// Puts the second with this number to rest.
    pub(super) fn seal(&mut self, number: usize, reach: [Offset; 2], mut kept: Box<Kept>) {
        kept.gaps.append(&mut self.gaps);
        self.tell(Told::Full { number, reach, kept });
    }

    /// Everything that was sealed.
    pub(super) fn finish(mut self) -> Rested {
        let gaps = std::mem::take(&mut self.gaps);
        self.tell(Told::Ended { gaps });
        drop(self.told);
        self.thread.join().expect("sealing does not panic")
    }

    fn tell(&self, told: Told) {
        self.told.send(told).expect("the thread lives until this is dropped");
    }
}

fn lost(sieve: &mut Option<Box<Sieve>>, gap: [Offset; 2]) {
    if let Some(sieve) = sieve {
        sieve.own(gap);
    }
}

fn rest(incoming: &Receiver<Told>, emptied: &Sender<Box<Kept>>) -> Rested {
    let (mut seconds, mut usual, mut sieve) = (Vec::new(), Usual::default(), None::<Box<Sieve>>);
    for told in incoming {
        match told {
            Told::Begun(begun) => sieve = Some(begun),
            Told::Ended { gaps } => gaps.into_iter().for_each(|gap| lost(&mut sieve, gap)),
            Told::Full { number, reach, mut kept } => {
                kept.gaps.drain(..).for_each(|gap| lost(&mut sieve, gap));
                kept.usual.settle(&mut kept.facts, &mut usual);
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
    Rested { seconds, usual, gaps: sieve.map(|sieve| sieve.finish()).unwrap_or_default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::gaps::Neighbours;
    use crate::observation::Side;
    use crate::units::Stamp;

    #[test]
    fn a_gap_disturbs_the_second_it_is_told_with_and_counts_after_the_last_one_too() {
        let at = |millis: u64| Offset::from_nanos(millis * 1_000_000);
        let own = CoreGaps::of(Side::Generator, None);
        let heard = Neighbours::default().listen();
        let mut sealer = Sealer::start(&[], &["valid", "watched"].map(str::to_owned));
        sealer.begin(Sieve::new(Stamp::from_nanos(0), [at(0), at(9_000)], Some(own), heard));
        sealer.gaps(vec![[at(400), at(450)]]);
        for (number, begin) in [(0, 0), (1, 1_000)] {
            let mut kept = sealer.room();
            let due = at(begin + 500);
            kept.flown.push(Flown { due, taken_up: due, sent: due, ended: at(begin + 501), counts: true });
            sealer.seal(number, [at(begin), at(begin + 1_000)], kept);
        }
        sealer.gaps(vec![[at(2_100), at(2_200)]]);
        let Rested { seconds, gaps, .. } = sealer.finish();
        let disturbed = |second: &Second| second.disturbed.as_ref().map(|disturbed| disturbed.gap_nanos);
        let disturbed: Vec<_> = seconds.iter().map(|(number, second)| (*number, disturbed(second))).collect();
        assert_eq!(disturbed, [(0, Some(50_000_000)), (1, None)]);
        assert_eq!(gaps.iter().map(|core| (core.count, core.nanos)).collect::<Vec<_>>(), [(2, 150_000_000)]);
    }
}
