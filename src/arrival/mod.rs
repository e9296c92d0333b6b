//! When requests are due: pure, seeded, endless schedules.

mod constant;
mod poisson;

use std::fmt::Debug;

use crate::registry::{Registry, Role, entry};
use crate::units::{Offset, Rate};

pub use constant::Constant;
pub use poisson::Poisson;

/// A law by which requests arrive.
pub trait ArrivalProcess: Debug + Send + Sync {
    /// The instants at which requests are due: endless, in order, the same for the same seed.
    fn instants(&self, rate: Rate, seed: u64) -> Box<dyn Iterator<Item = Offset> + Send>;
}

/// Every arrival process.
pub static ARRIVAL_PROCESSES: Registry<dyn ArrivalProcess> = Registry {
    role: "arrival process",
    entries: &[
        entry!("poisson", Poisson, "independent users: gaps are exponential"),
        entry!("constant", Constant, "a metronome: every gap is the same"),
    ],
};

impl Role for dyn ArrivalProcess {
    fn registry() -> &'static Registry<Self> {
        &ARRIVAL_PROCESSES
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::Part;

    #[test]
    fn every_process_keeps_its_rate_its_order_and_its_seed() {
        let rate = Rate::try_from(10_000.0).expect("above zero");
        for entry in ARRIVAL_PROCESSES.entries {
            let process = Part::<dyn ArrivalProcess>::named(entry.name).unwrap();
            let instants: Vec<_> = process.instants(rate, 5).take(100_000).collect();
            assert!(instants.is_sorted(), "{}", entry.name);
            assert_eq!(instants[..100], process.instants(rate, 5).take(100).collect::<Vec<_>>()[..]);
            let seconds = instants[99_999].seconds();
            assert!((seconds - 10.0).abs() < 0.15, "{}: {seconds} s", entry.name);
        }
    }
}
