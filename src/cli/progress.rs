//! What a person sees while trials run: a bar on a terminal, plain lines elsewhere, nothing if so wished.

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::analysis::{StepOutcome, judge};
use crate::cli::output;
use crate::observation::{Recording, TrialFailure};
use crate::plan::{Plan, RateStep, Trial};
use crate::run::{self, Preparation};

/// Tells how far a run is.
pub(super) enum ProgressDisplay {
    /// On a terminal.
    Bar { bar: ProgressBar, trials: usize },
    /// In a log.
    Lines { trials: usize },
    /// Not at all.
    Quiet,
}

impl ProgressDisplay {
    /// The way that fits standard error.
    pub(super) fn of(plan: &Plan, quiet: bool) -> Self {
        let trials = plan.trials.len();
        if quiet {
            Self::Quiet
        } else if std::io::stderr().is_terminal() {
            let (length, template) = match plan.search {
                Some(_) => (trials as u64, "{wide_msg} {bar:24} {elapsed}"),
                None => (
                    plan.load_time().as_secs(),
                    "{wide_msg} {bar:24} {percent:>3} %  {elapsed} of about {duration}",
                ),
            };
            let bar = ProgressBar::new(length);
            bar.set_style(ProgressStyle::with_template(template).expect("the template is well-formed"));
            Self::Bar { bar, trials }
        } else {
            Self::Lines { trials }
        }
    }

    /// Takes note of one step.
    pub(super) fn tell(&self, step: run::Progress<'_>) {
        match (self, step) {
            (Self::Lines { trials }, run::Progress::Preparing { number, trial, stage }) => {
                // In a log a step is worth a line only if it takes long.
                if let Preparation::Tokens { issued: 1.., .. } = stage {
                    output::tell(&format!(
                        "[{number}/{trials}] {}: {}",
                        trial.subject.name,
                        preparation(stage)
                    ));
                }
            }
            (Self::Quiet, _) => {}
            (Self::Lines { .. }, run::Progress::Repeating { round }) => output::tell(&repeating(round)),
            (Self::Bar { bar, .. }, run::Progress::Repeating { round }) => {
                bar.suspend(|| output::tell(&repeating(round)));
            }
            (Self::Bar { bar, trials }, run::Progress::Preparing { number, trial, stage }) => {
                bar.disable_steady_tick();
                bar.set_message(format!("{number}/{trials} {}: {}", trial.subject.name, preparation(stage)));
            }
            (Self::Bar { bar, trials }, run::Progress::Loading { number, trial }) => {
                bar.set_message(format!("{number}/{trials} {}: {}", trial.subject.name, load(trial)));
                advance(bar, number, trial);
            }
            (Self::Lines { trials }, run::Progress::Loading { number, trial }) => {
                output::tell(&format!("[{number}/{trials}] {}: {}", trial.subject.name, load(trial)));
            }
            (Self::Bar { bar, .. }, run::Progress::Done { number, trial, recording }) => {
                // Whether a step of a search was its last one shows when the next trial begins.
                let done = if is_step(trial) { number - 1 } else { number };
                bar.set_position(position(done, trial));
                if let Some(failure) = &recording.failure {
                    bar.suspend(|| failed(&recording.subject.name, failure));
                }
            }
            (Self::Lines { trials }, run::Progress::Done { number, trial, recording }) => {
                if let Some(failure) = &recording.failure {
                    failed(&recording.subject.name, failure);
                } else if is_step(trial) {
                    let (name, showed) = (&trial.subject.name, showed(recording));
                    output::tell(&format!("[{number}/{trials}] {name}: {} {showed}", pace(trial)));
                }
            }
        }
    }

    /// Clears the terminal.
    pub(super) fn finish(&self) {
        if let Self::Bar { bar, .. } = self {
            bar.finish_and_clear();
        }
    }
}

fn repeating(round: u32) -> String {
    format!(
        "round {} was disturbed throughout by other work on this machine; it is measured again",
        round + 1
    )
}

fn failed(subject: &str, failure: &TrialFailure) {
    output::tell(&format!("{subject}: failed: {failure}"));
}

fn preparation(stage: Preparation) -> String {
    match stage {
        Preparation::Signature => "timing the signature".to_owned(),
        Preparation::Servers => "starting servers".to_owned(),
        Preparation::Tokens { issued, of } => format!("issuing tokens, {issued} of {of}"),
    }
}

fn load(trial: &Trial) -> String {
    let workload = &trial.workload;
    format!("{} for {} after {} of warm-up", pace(trial), workload.window, workload.warmup)
}

fn pace(trial: &Trial) -> String {
    let pace = &trial.workload.pace;
    pace.rate().map_or_else(|| pace.to_string(), |rate| rate.to_string())
}

/// What a step of a search showed, in a word.
fn showed(recording: &Recording) -> &'static str {
    match judge(recording) {
        StepOutcome::Passed => "passed",
        StepOutcome::Failed(_) => "failed",
        StepOutcome::Spoiled(_) | StepOutcome::Measured => "was spoiled, and tells nothing about the servers",
    }
}

/// Moves the bar once a second while the load runs, from a task of its own, unless the trial is done before. How long a search
/// takes nobody knows: its steps do not move the bar.
fn advance(bar: &ProgressBar, number: usize, trial: &Trial) {
    let (bar, begun, ends) = (bar.clone(), position(number - 1, trial), position(number, trial));
    if is_step(trial) {
        return bar.set_position(begun);
    }
    tokio::spawn(async move {
        for second in begun..ends {
            if bar.position() >= ends {
                return;
            }
            bar.set_position(second);
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    });
}

/// Where the bar stands after so many trials, in seconds of load; all trials are equally long. Searches are counted.
fn position(trials: usize, trial: &Trial) -> u64 {
    let length = || Duration::from_nanos(trial.workload.end().nanos()).as_secs();
    trials as u64 * if is_step(trial) { 1 } else { length() }
}

fn is_step(trial: &Trial) -> bool {
    matches!(trial.step, Some(RateStep::Search { .. }))
}
