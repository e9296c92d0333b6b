//! The pipeline from a plan to recordings: the only place that walks it.

mod churn;
mod events;
mod external;
mod facts;
mod generator;
mod interrupt;
mod issuing;
mod output;
mod popularity;
mod preflight;
mod refreshing;
mod sampling;
mod steps;
mod trial;
mod watching;

use std::collections::HashMap;
use std::path::Path;

use crate::observation::Recording;
use crate::plan::{Judgement, Plan, Trial};
use crate::run::steps::Steps;

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
        /// Its number among the trials of the plan, from 1; the same for every step of a search.
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
    /// A round was disturbed all through, and is measured again.
    Repeating {
        /// Which one, from 0.
        round: u32,
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

/// What somebody who knows what recordings mean says of them while there is still time.
#[derive(Clone, Copy)]
pub struct Judges {
    /// What a step of a search showed.
    pub step: fn(&Recording) -> Judgement,
    /// Whether a round was disturbed all through, whoever was measured.
    pub round: fn(&[&Recording]) -> bool,
}

/// At most this share of the rounds is repeated, and of several one at least: a machine that disturbs more is what it is. Whoever
/// asked for a single round gets that one.
const REPEATED: u32 = 4;

fn repeatable(rounds: u32) -> u32 {
    if rounds > 1 { rounds.div_ceil(REPEATED) } else { 0 }
}

/// Measures every trial of `plan` with servers that are processes of `program`, and hands each recording
/// to `keep` as soon as it exists. A round that was disturbed all through is measured again, whole. After an interrupt what was
/// not yet begun is left out.
pub async fn run(
    plan: &Plan,
    program: &Path,
    interrupt: &Interrupt,
    mut watch: impl FnMut(Progress<'_>),
    mut keep: impl FnMut(&Recording) -> Result<(), OutputError>,
    judges: Judges,
) -> Result<Vec<Recording>, OutputError> {
    let mut recordings = Vec::new();
    let mut found = HashMap::new();
    let mut spare = plan.rounds()..plan.rounds() + repeatable(plan.rounds());
    for round in 0..plan.rounds() {
        let mut number_of_round = Some(round);
        while let Some(repetition) = number_of_round {
            let begin = recordings.len();
            for (number, first) in plan.round(round) {
                let first = &Trial { repetition, ..first.clone() };
                let mut steps = Steps::of(plan, first, &found);
                while let Some(trial) = steps.next().filter(|_| !interrupt.happened()) {
                    let trial = &trial;
                    let told = |stage: Option<Preparation>| match stage {
                        Some(stage) => watch(Progress::Preparing { number, trial, stage }),
                        None => watch(Progress::Loading { number, trial }),
                    };
                    let recording = trial::measure(plan, trial, program, interrupt, told).await;
                    keep(&recording)?;
                    watch(Progress::Done { number, trial, recording: &recording });
                    steps.took(|| (judges.step)(&recording));
                    recordings.push(recording);
                }
                found.extend(steps.found().map(|rate| (first.subject.position, rate)));
            }
            let measured: Vec<&Recording> = recordings[begin..].iter().collect();
            let is_repeated = !interrupt.happened() && (judges.round)(&measured);
            number_of_round = if is_repeated { spare.next() } else { None };
            if number_of_round.is_some() {
                watch(Progress::Repeating { round });
            }
        }
    }
    Ok(recordings)
}
