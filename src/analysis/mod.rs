//! Estimates from facts: pure functions, no clock, no file, no print.

mod bootstrap;
mod breakdown;
mod compare;
mod estimate;
mod expectation;
mod followed;
mod gaps;
mod generator;
mod header_table;
mod ladder;
mod latency;
mod oracle;
mod outcome;
mod parts;
mod population;
mod propagation;
mod series;
mod signature;
mod sparse;
mod standing;
mod steady;
mod student;
mod summary;
mod survival;
#[cfg(test)]
pub(crate) mod synthetic;
mod threshold;
mod trials;
mod trust;
mod usage;
mod validity;
mod warning;

pub use breakdown::{Breakdown, Class, Figures, Part};
pub use compare::{Change, SubjectChanges, changes};
pub use estimate::{Basis, Estimate};
pub use expectation::{Agreement, Check, Expected, expected_hit_ratio};
pub use ladder::{Fault, Ladder, LoadPoint, LoadStep, Shortfall, StepOutcome, is_broken, judge};
pub use oracle::{hit_ratio, introspections_per_second, unsafe_acceptances};
pub use propagation::{Observation, Propagation};
pub use series::{Moment, Percentile, Series};
pub use standing::Standing;
pub use summary::{Analysis, Summary, analyse};
pub use survival::{Step, Survival};
pub use threshold::{Outcome, Unproven, Verdict};
pub use validity::{Blame, Validity};
pub use warning::{Gravity, Warning};
