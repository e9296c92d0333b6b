//! `bearerbench check`: does every subject answer rightly?

use std::fmt::Write as _;

use anyhow::Context as _;
use clap::Args;

use crate::analysis::wrong_answers;
use crate::cli::scenario::ScenarioArgs;
use crate::cli::{Exit, output};
use crate::observation::{Outcomes, REVOKED, Recording, VALID};
use crate::plan::Judgement;
use crate::run::{self, Interrupt, Judges};

/// Run each subject once for a second and check that every answer is right
#[derive(Debug, Args)]
pub(super) struct Check {
    #[command(flatten)]
    scenario: ScenarioArgs,
}

impl Check {
    pub(super) fn execute(self) -> anyhow::Result<Exit> {
        let plan = self.scenario.plan()?;
        let plan = plan.brief();
        run::preflight(&plan, &std::env::temp_dir())?;
        let program = std::env::current_exe().context("cannot find the program itself")?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (recordings, interrupted) = runtime.block_on(async {
            let interrupt = Interrupt::on_signal()?;
            // A brief plan seeks nothing, and asks for nothing that can be disturbed.
            let judges = Judges { step: |_| Judgement::Passed, round: |_| false };
            let recordings = run::run(&plan, &program, &interrupt, |_| {}, |_| Ok(()), judges).await?;
            anyhow::Ok((recordings, interrupt.happened()))
        })?;
        let verdicts: Vec<Verdict> = recordings.iter().map(Verdict::of).collect();
        output::print(&text(&verdicts))?;
        Ok(if interrupted {
            Exit::Interrupted
        } else if verdicts.iter().all(|verdict| verdict.right) {
            Exit::Success
        } else {
            Exit::Failed
        })
    }
}

struct Verdict {
    subject: String,
    right: bool,
    words: String,
}

impl Verdict {
    fn of(recording: &Recording) -> Self {
        let subject = recording.subject.name.clone();
        if let Some(failure) = &recording.failure {
            return Self { subject, right: false, words: format!("failed: {failure}") };
        }
        let mut all = Outcomes::default();
        for second in recording.load.iter().flat_map(|load| &load.seconds) {
            all.add(&second.outcomes);
        }
        let errors = all.ended() - all.answered();
        let stale = all.of(REVOKED).map_or(0, |ended| ended.accepted);
        let valid = all.of(VALID).cloned().unwrap_or_default();
        let accepted = all.accepted() - valid.accepted;
        let design = &recording.subject.design;
        let control = recording.subject.is_control();
        let wrong = if control { valid.refused } else { wrong_answers(&all, design) };
        let right = wrong == 0 && errors == 0 && all.planned() > 0;
        let mut words = format!("{} requests, {wrong} wrong answers, {errors} errors", all.planned());
        if control {
            write!(words, " ({accepted} bad tokens accepted: by design, it is a control)")
                .expect("a string takes every text");
        } else if stale > 0 && design.may_miss_earlier_revocations() {
            write!(words, " ({stale} revoked tokens accepted: by design, nobody is asked)")
                .expect("a string takes every text");
        }
        Self { subject, right, words }
    }
}

fn text(verdicts: &[Verdict]) -> String {
    let width = verdicts.iter().map(|verdict| verdict.subject.len()).max().unwrap_or(0);
    let mut text = String::new();
    for Verdict { subject, right, words } in verdicts {
        let mark = if *right { "ok   " } else { "WRONG" };
        writeln!(text, "{mark} {subject:width$}  {words}").expect("a string takes every text");
    }
    text
}
