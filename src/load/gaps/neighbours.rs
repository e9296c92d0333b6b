//! What somebody else sees of the servers' cores, while it is seen.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::units::Stamp;

/// The gaps of the cores beside the generator's: filled by whoever watches them, read by each of its threads.
#[derive(Clone, Debug, Default)]
pub struct Neighbours {
    // A lock for a few lines, some hundred times a second: neither side waits for it on the path of a request.
    seen: Arc<Mutex<Seen>>,
}

#[derive(Debug, Default)]
struct Seen {
    /// Until when each core was looked at.
    until: BTreeMap<u32, Stamp>,
    /// Who wants to hear of gaps.
    listeners: Vec<Sender<Gap>>,
    ended: bool,
}

/// The core that was taken, from when until when.
type Gap = (u32, [Stamp; 2]);

/// What one thread of the generator hears of its neighbours; kept no longer than until it is heard.
pub(in crate::load) struct Listener {
    neighbours: Neighbours,
    gaps: Receiver<Gap>,
}

/// Whoever watches a core gets it as soon as its servers leave it; on one that they fill it may wait for very long.
const PATIENCE: Duration = Duration::from_millis(300);
/// How long to wait before looking for that again: nobody waits for the figures of a second, and beside a busy server there may be
/// as many looks as fit into the patience, for every second.
const LOOK: Duration = Duration::from_millis(10);

impl Neighbours {
    /// A core was looked at until an instant, for the first time or again.
    pub fn looked(&self, core: u32, until: Stamp) {
        self.lock().until.insert(core, until);
    }

    /// A gap was seen.
    pub fn gap(&self, core: u32, gap: [Stamp; 2]) {
        let mut seen = self.lock();
        // Whoever has ended does not listen any more.
        seen.listeners.retain(|listener| listener.send((core, gap)).is_ok());
        seen.until.insert(core, gap[1]);
    }

    /// Nobody watches any more.
    pub fn ended(&self) {
        self.lock().ended = true;
    }

    /// Begins to listen: of what is seen from now on.
    pub(in crate::load) fn listen(&self) -> Listener {
        let (listener, gaps) = channel();
        self.lock().listeners.push(listener);
        Listener { neighbours: self.clone(), gaps }
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().expect("nothing panics under this lock")
    }
}

impl Listener {
    /// Which cores are watched.
    pub(in crate::load) fn cores(&self) -> Vec<u32> {
        self.neighbours.lock().until.keys().copied().collect()
    }

    /// Whether nobody watches any more.
    pub(in crate::load) fn has_ended(&self) -> bool {
        self.neighbours.lock().ended
    }

    /// Every gap that was not heard of before, once every core was looked at until an instant; and the cores that were not, and
    /// will not be soon.
    pub(in crate::load) fn until(&self, until: Stamp) -> (Vec<Gap>, Vec<u32>) {
        let begun = Instant::now();
        let mut late = self.neighbours.lock().late(until);
        while !late.is_empty() && begun.elapsed() < PATIENCE {
            sleep(LOOK);
            late = self.neighbours.lock().late(until);
        }
        (self.gaps.try_iter().collect(), late)
    }
}

impl Seen {
    /// The cores that are still watched, but not yet until an instant.
    fn late(&self, until: Stamp) -> Vec<u32> {
        let is_late = |looked: &Stamp| !self.ended && *looked < until;
        self.until.iter().filter(|(_, looked)| is_late(looked)).map(|(core, _)| *core).collect()
    }
}
