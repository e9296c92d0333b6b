//! What is seen of the servers' cores, handed to the load generator.

use crate::load::Neighbours;
use crate::testbed::core_watch::Seen;

/// Passes on what was heard; nothing if nobody watches any more.
pub(super) fn tell(neighbours: &Neighbours, heard: Option<Seen>) {
    match heard {
        None => neighbours.ended(),
        Some(Seen { core, until, taken: None }) => neighbours.looked(core, until),
        Some(Seen { core, until, taken: Some(taken) }) => neighbours.gap(core, [taken, until]),
    }
}
