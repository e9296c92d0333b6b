//! `bearerbench check`: does every subject answer rightly?

use std::fmt::Write as _;

use anyhow::Context as _;
use clap::Args;

use crate::analysis::{mistakes, stale_by_design};
use crate::cli::scenario::ScenarioArgs;
use crate::cli::{Exit, output};
use crate::design::{Asks, Design};
use crate::observation::{Outcomes, Recording, VALID};
use crate::plan::Judgement;
use crate::run::{self, Interrupt, Judges};

/// Run each subject once for a second and check that every answer is right
#[derive(Debug, Args)]
pub(super) struct CheckCommand {
    #[command(flatten)]
    scenario: ScenarioArgs,
}

impl CheckCommand {
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
        let accepted = all.accepted() - all.of(VALID).map_or(0, |valid| valid.accepted);
        let (wrong, stale) = (mistakes(recording), stale_by_design(recording));
        let right = wrong == 0 && errors == 0 && all.planned() > 0;
        let mut words = format!("{} requests, {wrong} wrong answers, {errors} errors", all.planned());
        if recording.subject.is_control() {
            write!(words, " ({accepted} bad tokens accepted: by design, it is a control)")
                .expect("a string takes every text");
        } else if stale > 0 {
            let why = unaware(&recording.subject.design);
            write!(words, " ({stale} revoked tokens accepted: by design, {why})")
                .expect("a string takes every text");
        }
        Self { subject, right, words }
    }
}

/// Why a subject need not know of a revocation.
fn unaware(design: &Design) -> String {
    match (design.push_delay_seconds, design.asks) {
        (Some(seconds), _) => format!("a revocation takes up to {seconds} s to be pushed"),
        (None, Asks::EveryPeriod { poll_interval_seconds }) => {
            format!("the list of revoked tokens is fetched every {poll_interval_seconds} s")
        }
        (None, Asks::Unknown) => "it is not known whom it asks".to_owned(),
        (None, Asks::Never | Asks::EveryRequest | Asks::OnMiss(_)) => "nobody is asked".to_owned(),
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn why_a_revoked_token_is_accepted_is_told_by_what_the_design_asks() {
        let jwt = Design::verifying(Duration::ZERO, Duration::from_mins(5));
        let polling = jwt.polling(Duration::from_secs(5));
        for (design, why) in [
            (jwt, "nobody is asked"),
            (polling, "the list of revoked tokens is fetched every 5 s"),
            (
                Design { push_delay_seconds: Some(0.5), ..polling },
                "a revocation takes up to 0.5 s to be pushed",
            ),
        ] {
            assert_eq!(unaware(&design), why);
        }
    }
}
