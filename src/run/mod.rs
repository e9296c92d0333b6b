//! The pipeline from a plan to recordings: the only place that walks it.

mod external;
mod facts;
mod generator;
mod interrupt;
mod issuing;
mod output;
mod preflight;
mod revocations;
mod trial;

use std::path::Path;

use crate::observation::Recording;
use crate::plan::{Plan, Trial};

pub use external::{External, PATIENCE};
pub use facts::{cores, workload};
pub use interrupt::Interrupt;
pub use output::{Output, OutputError};
pub use preflight::{Unfit, preflight};

/// What is being done, for those who watch.
#[derive(Clone, Copy, Debug)]
pub enum Progress<'a> {
    /// A trial gets ready.
    Preparing {
        /// Its number, from 1.
        number: usize,
        /// Which one.
        trial: &'a Trial,
        /// What is being done for it.
        stage: Preparation,
    },
    /// Its load begins.
    Loading {
        /// Its number, from 1.
        number: usize,
        /// Which one.
        trial: &'a Trial,
    },
    /// It ended, well or not.
    Done {
        /// Its number, from 1.
        number: usize,
        /// Which one.
        trial: &'a Trial,
        /// Its facts.
        recording: &'a Recording,
    },
}

/// What is done before the load of a trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preparation {
    /// A key is made, and the operations of its scheme are timed.
    Signature,
    /// Servers are started.
    Servers,
    /// Tokens are issued; told again every few seconds.
    Tokens {
        /// How many there are.
        issued: u64,
        /// How many there will be.
        of: u64,
    },
}

/// Measures every trial of `plan` with servers that are processes of `program`, and hands each recording
/// to `keep` as soon as it exists. After an interrupt the trials not yet begun are left out.
pub async fn run(
    plan: &Plan,
    program: &Path,
    interrupt: &Interrupt,
    mut watch: impl FnMut(Progress<'_>),
    mut keep: impl FnMut(&Recording) -> Result<(), OutputError>,
) -> Result<Vec<Recording>, OutputError> {
    let mut recordings = Vec::new();
    for (trial, number) in plan.trials.iter().zip(1..) {
        if interrupt.happened() {
            break;
        }
        let told = |stage: Option<Preparation>| match stage {
            Some(stage) => watch(Progress::Preparing { number, trial, stage }),
            None => watch(Progress::Loading { number, trial }),
        };
        let recording = trial::measure(plan, trial, program, interrupt, told).await;
        keep(&recording)?;
        watch(Progress::Done { number, trial, recording: &recording });
        recordings.push(recording);
    }
    Ok(recordings)
}
