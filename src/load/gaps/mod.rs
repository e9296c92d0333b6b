//! Gaps: stretches of time in which a core was taken from the generator or from the servers, and what they leave of the
//! requests.

mod looker;
mod neighbours;
mod sieve;
#[cfg(test)]
mod tests;

pub use neighbours::Neighbours;

pub(in crate::load) use looker::Looker;
pub(in crate::load) use neighbours::Listener;
pub(in crate::load) use sieve::{Flown, Sieve};

/// A shorter stretch moves no figure that anybody compares, and is often the program's own work or that of a clock, in nanoseconds.
pub(super) const LEAST_NANOS: u64 = 5_000;
