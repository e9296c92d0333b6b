//! `bearerbench run`: measure a scenario and write the report.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;

use crate::analysis::{Analysis, StepOutcome, analyse, is_broken, is_disturbed_through, judge};
use crate::cli::progress::ProgressDisplay;
use crate::cli::scenario::ScenarioArgs;
use crate::cli::{Exit, output};
use crate::observation::Recording;
use crate::plan::{Judgement, Plan};
use crate::report;
use crate::run::{self, Interrupt, Judges, Output};

/// Measure every subject of a scenario and write a report
#[derive(Debug, Args)]
pub(super) struct RunCommand {
    #[command(flatten)]
    scenario: ScenarioArgs,
    /// Folder for the recording and the report [default: reports/<scenario>/<UTC time>]
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Print the summary as JSON
    #[arg(long)]
    json: bool,
    /// Print nothing but the result
    #[arg(long)]
    quiet: bool,
}

impl RunCommand {
    pub(super) fn execute(self) -> anyhow::Result<Exit> {
        let plan = self.scenario.plan()?;
        let folder = self.out.clone().unwrap_or_else(|| Output::default_folder(&plan.name));
        run::preflight(&plan, &folder)?;
        let mut output = Output::create(&folder)?;
        let measured = measure(&plan, &mut output, self.quiet);
        let (recordings, interrupted) = match measured {
            Ok(measured) => measured,
            Err(error) => {
                output.discard_if_empty();
                return Err(error);
            }
        };
        if recordings.is_empty() {
            output.discard_if_empty();
            return Ok(Exit::Interrupted);
        }
        let analysis = analyse(&recordings);
        report::write(output.folder(), &analysis, &recordings)?;
        self.tell(&analysis, output.folder())?;
        let exit = exit(&analysis, &recordings, interrupted);
        if !self.quiet {
            tell_why(exit, &analysis);
        }
        Ok(exit)
    }

    fn tell(&self, analysis: &Analysis, folder: &std::path::Path) -> anyhow::Result<()> {
        output::print(&if self.json { report::to_json(analysis) } else { report::table(analysis) })?;
        if !self.quiet {
            output::tell(&format!("report: {}", folder.join("report.html").display()));
        }
        Ok(())
    }
}

/// Runs the plan, each recording written as soon as it exists. Also tells whether it was interrupted.
fn measure(plan: &Plan, output: &mut Output, quiet: bool) -> anyhow::Result<(Vec<Recording>, bool)> {
    let program =
        std::env::current_exe().context("cannot find the program itself, of which the servers are copies")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let interrupt = Interrupt::on_signal()?;
        let progress = ProgressDisplay::of(plan, quiet);
        let keep = |recording: &Recording| output.append(recording);
        let watch = |step: run::Progress<'_>| progress.tell(step);
        let judges = Judges { step: judgement, round: is_disturbed_through };
        let recordings = run::run(plan, &program, &interrupt, watch, keep, judges).await;
        progress.finish();
        Ok((recordings?, interrupt.happened()))
    })
}

/// What a step of a search showed, as far as its next step depends on it.
fn judgement(recording: &Recording) -> Judgement {
    match judge(recording) {
        StepOutcome::Passed => Judgement::Passed,
        StepOutcome::Failed(_) => Judgement::Failed,
        StepOutcome::Spoiled(_) | StepOutcome::Measured => Judgement::Spoiled,
    }
}

/// What a run that was not interrupted and did not fail is worth: figures that cannot be believed neither cross a
/// threshold nor keep one, so that the machine is told first.
pub(super) fn exit(analysis: &Analysis, recordings: &[Recording], interrupted: bool) -> Exit {
    if interrupted {
        Exit::Interrupted
    } else if recordings.iter().any(is_broken) {
        Exit::Failed
    } else if analysis.unusable().is_some() {
        Exit::Unfit
    } else if analysis.is_crossed() {
        Exit::ThresholdCrossed
    } else {
        Exit::Success
    }
}

/// Says in a line why a run is invalid and what to do, where that is how it ended.
pub(super) fn tell_why(exit: Exit, analysis: &Analysis) {
    if let (Exit::Unfit, Some(warning)) = (exit, analysis.unusable()) {
        output::tell(&format!(
            "bearerbench: the run is invalid (exit code 12): {}",
            report::explain(warning)
        ));
    }
}
