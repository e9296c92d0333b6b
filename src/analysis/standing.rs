//! How far a single figure can be trusted: a run is not judged as a whole.

use serde::Serialize;

/// What the bench itself leaves of a figure.
///
/// The generator's lag can only lengthen: the truth of a latency lies between the quantile of wait and service and that of
/// the latency from the due instant. That bracket is the bias of the generator.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(tag = "standing", rename_all = "snake_case")]
pub enum Standing {
    /// The bracket is no wider than the interval of the figure, or than 5 % of its value.
    Sound,
    /// The truth lies within the bracket: it is shown instead of a value.
    Bounded {
        /// Its lower end, in the unit of the metric.
        least: f64,
        /// Its upper end.
        most: f64,
    },
    /// Not to be printed as a number: the bracket is wider than half the value, or the estimate does not reach the quantile.
    Lost {
        /// What it is at least, if anything is known.
        least: Option<f64>,
        /// What it is at most, if anything is known.
        most: Option<f64>,
    },
}

impl Standing {
    /// True if nothing is left that could be printed as a number.
    pub fn is_lost(self) -> bool {
        matches!(self, Self::Lost { .. })
    }
}
