//! The quantities that are reported: one set of ids for thresholds, files, tables and explanations.

mod name;
mod number;
mod percentile;
mod table;
mod threshold;
mod unit;

pub use name::UnknownMetric;
pub use number::{significant, thousands};
pub use percentile::{Family, Quantile};
pub use table::MetricId;
pub use threshold::{Comparison, InvalidThreshold, Threshold};
pub use unit::{Better, Scale, Unit};
