//! The quantities that are reported: one set of ids for thresholds, files, tables and explanations.

mod number;
mod table;
mod threshold;
mod unit;

pub use number::{significant, thousands};
pub use table::{MetricId, UnknownMetric};
pub use threshold::{Comparison, InvalidThreshold, Threshold};
pub use unit::{Better, Scale, Unit};
