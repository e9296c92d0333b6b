//! When requests are due: pure, seeded, endless schedules.

mod bursts;
mod constant;
mod gaps;
mod poisson;
mod stages;
mod trace;

use std::fmt::Debug;

use crate::registry::{Registry, Role, entry};
use crate::units::{Offset, Rate};

pub use bursts::Bursts;
pub use constant::Constant;
pub use poisson::Poisson;
pub use stages::Stages;
pub use trace::Trace;

/// A law by which requests arrive.
pub trait ArrivalProcess: Debug + Send + Sync {
    /// The instants at which requests are due: in order, the same for the same seed, endless unless the law
    /// falls silent for good. `rate` is that of the load.
    fn instants(&self, rate: Rate, seed: u64) -> Box<dyn Iterator<Item = Offset> + Send>;

    /// The mean rate of a law that does not follow the load's.
    fn own_rate(&self) -> Option<Rate> {
        None
    }
}

/// Every arrival process.
pub static ARRIVAL_PROCESSES: Registry<dyn ArrivalProcess> = Registry {
    role: "arrival process",
    entries: &[
        entry!("poisson", Poisson, "independent users: gaps are exponential"),
        entry!("constant", Constant, "a metronome: every gap is the same"),
        entry!("bursts", Bursts, "batches that are due at the same instant"),
        entry!("stages", Stages, "ramps and steps, as multiples of the load's rate"),
        entry!("trace", Trace, "the instants in a file, repeated"),
    ],
};

impl Role for dyn ArrivalProcess {
    fn registry() -> &'static Registry<Self> {
        &ARRIVAL_PROCESSES
    }

    fn remark(&self) -> Option<String> {
        self.own_rate().map(|rate| format!("its own rate {rate}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::Part;

    fn every_process() -> impl Iterator<Item = Part<dyn ArrivalProcess>> {
        ARRIVAL_PROCESSES.examples().into_iter().map(|choice| ARRIVAL_PROCESSES.resolve(choice).unwrap())
    }

    #[test]
    fn every_process_keeps_its_order_and_its_seed_and_comes_to_its_rate() {
        let rate = Rate::try_from(10_000.0).expect("above zero");
        for process in every_process() {
            let instants: Vec<_> = process.instants(rate, 5).take(200_001).collect();
            assert!(instants.is_sorted(), "{process}");
            assert_eq!(instants, process.instants(rate, 5).take(200_001).collect::<Vec<_>>(), "{process}");
            // The first half is for those that begin at another rate.
            let seconds = instants[200_000].since(instants[100_000]).as_secs_f64();
            // Three standard deviations of 10,000 batches with exponential gaps.
            assert!((seconds - 10.0).abs() < 0.3, "{process}: {seconds} s");
        }
    }

    #[test]
    fn the_instants_of_a_process_do_not_depend_on_how_many_are_asked_for() {
        let rate = Rate::try_from(3.7).expect("above zero");
        for process in every_process() {
            let many: Vec<_> = process.instants(rate, 9).take(1_000).collect();
            assert_eq!(process.instants(rate, 9).nth(999), many.last().copied(), "{process}");
        }
    }
}
