//! What is tried, one file a question.

mod arrivals;
mod disturbed;
mod endings;
mod pauses;
mod queues;
mod readback;

use std::path::Path;

use crate::selftest::bench::{Bench, SelftestError};
use crate::selftest::{Case, Effort};

/// A question: its name, and how it is tried.
pub struct Question {
    /// What is asked.
    pub name: &'static str,
    ask: fn(&Bench, &Path, Effort) -> Result<Vec<Case>, SelftestError>,
}

/// Every question, in the order in which they are tried.
pub static QUESTIONS: &[Question] = &[
    Question { name: "nothing is lost", ask: |bench, _, effort| endings::cases(bench, effort) },
    Question { name: "known service times", ask: |bench, _, effort| readback::cases(bench, effort) },
    Question { name: "arrivals", ask: |bench, _, effort| arrivals::cases(bench, effort) },
    Question { name: "whose pause it was", ask: pauses::cases },
    Question { name: "a disturbed machine", ask: disturbed::cases },
    Question { name: "queues", ask: |bench, _, effort| queues::cases(bench, effort) },
];

impl Question {
    /// Tries everything about it. `program` is bearerbench itself, to be run as a process of its own.
    pub fn ask(&self, bench: &Bench, program: &Path, effort: Effort) -> Result<Vec<Case>, SelftestError> {
        (self.ask)(bench, program, effort)
    }
}
