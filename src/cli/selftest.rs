//! `bearerbench selftest`: the generator against servers whose truth is known, on the machine it will measure on.

use std::fmt::Write as _;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde::Serialize;

use crate::cli::{Exit, output};
use crate::selftest::{Bench, Case, Effort, Finding, QUESTIONS, TestVerdict};
use crate::testbed::machine;

/// Test bearerbench itself on this machine, against servers whose behaviour is known exactly
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 every figure that could be judged is right, 1 a figure is wrong, 12 the machine was too \
    busy to judge any latency"
)]
pub(super) struct Selftest {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Generator(Generator),
}

/// Compare what the load generator reports with the truth: service times, arrivals, pauses, queues, lost requests
#[derive(Debug, Args)]
struct Generator {
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Take under a minute instead of three, with fewer requests and therefore wider bounds
    #[arg(long)]
    quick: bool,
}

impl Selftest {
    pub(super) fn execute(self) -> anyhow::Result<Exit> {
        let What::Generator(generator) = self.what;
        generator.execute()
    }
}

/// Both ends of every connection are files of this process.
const FILES: u64 = 4_096;

impl Generator {
    fn execute(&self) -> anyhow::Result<Exit> {
        machine::ensure_open_files(FILES).map_err(crate::run::Unfit::Files)?;
        let program = std::env::current_exe().context("cannot find the program itself")?;
        let effort = if self.quick { Effort::Quick } else { Effort::Full };
        let bench = Bench::default();
        let mut cases = Vec::new();
        for question in QUESTIONS {
            output::tell(&format!("{} ...", question.name));
            cases.extend(question.ask(&bench, &program, effort)?);
        }
        let verdict = Counts::of(&cases);
        if self.json {
            let wire = Wire { schema_version: 1, verdict: &verdict, cases: &cases };
            output::print(&serde_json::to_string_pretty(&wire)?)?;
        } else {
            output::print(&table(&cases, &verdict))?;
        }
        Ok(verdict.exit())
    }
}

/// What `--json` prints.
#[derive(Serialize)]
struct Wire<'a> {
    schema_version: u32,
    #[serde(flatten)]
    verdict: &'a Counts,
    cases: &'a [Case],
}

/// How many figures have which verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
struct Counts {
    passed: usize,
    failed: usize,
    not_judged: usize,
    /// Of those that passed or failed, how many a busy machine could have made worthless.
    #[serde(skip)]
    timed: usize,
}

impl Counts {
    fn of(cases: &[Case]) -> Self {
        let mut counts = Self::default();
        for finding in cases.iter().flat_map(|case| &case.findings) {
            match finding.verdict {
                TestVerdict::Pass => counts.passed += 1,
                TestVerdict::Fail => counts.failed += 1,
                TestVerdict::NotJudged { .. } => counts.not_judged += 1,
            }
            counts.timed += usize::from(finding.is_timed && finding.is_judged());
        }
        counts
    }

    fn exit(self) -> Exit {
        match self {
            Self { failed: 1.., .. } => Exit::Failed,
            Self { timed: 0, not_judged: 1.., .. } => Exit::Unfit,
            _ => Exit::Success,
        }
    }
}

const HEADS: [&str; 5] = ["", "true", "reported", "tolerance", "verdict"];

/// A line for each figure beneath the name of its case.
fn table(cases: &[Case], counts: &Counts) -> String {
    let row = |finding: &Finding| {
        let Finding { quantity, truth, reported, tolerance, verdict, .. } = finding.clone();
        [format!("  {quantity}"), truth, reported, tolerance, verdict.to_string()]
    };
    let rows: Vec<_> = cases.iter().map(|case| case.findings.iter().map(row).collect::<Vec<_>>()).collect();
    let cells = |column: usize| rows.iter().flatten().map(move |row| row[column].chars().count());
    let widths: Vec<usize> =
        (0..HEADS.len()).map(|column| cells(column).max().unwrap_or(0).max(HEADS[column].len())).collect();
    let mut text = String::new();
    let mut write = |cells: &[String; 5]| {
        // What stands last needs no room behind it.
        let [quantity, truth, reported, tolerance, verdict] = cells;
        let line = format!(
            "{quantity:0$}  {truth:>1$}  {reported:>2$}  {tolerance:>3$}  {verdict}",
            widths[0], widths[1], widths[2], widths[3]
        );
        writeln!(text, "{}", line.trim_end()).expect("text grows");
    };
    write(&HEADS.map(str::to_owned));
    for (case, rows) in cases.iter().zip(&rows) {
        write(&[case.name.clone(), String::new(), String::new(), String::new(), String::new()]);
        rows.iter().for_each(&mut write);
    }
    let Counts { passed, failed, not_judged, .. } = counts;
    writeln!(text, "{passed} right, {failed} wrong, {not_judged} not judged").expect("text grows");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(verdict: TestVerdict, is_timed: bool) -> Finding {
        let word = |text: &str| text.to_owned();
        let (quantity, truth, reported) = (word("p50"), word("10.000 ms"), word("10.031 ms"));
        Finding { quantity, truth, reported, tolerance: word("2.0 %"), is_timed, verdict }
    }

    fn unfit() -> TestVerdict {
        TestVerdict::NotJudged { why: "busy".to_owned() }
    }

    fn case(findings: Vec<Finding>) -> [Case; 1] {
        [Case { name: "service time".to_owned(), findings }]
    }

    #[test]
    fn a_line_has_the_truth_beside_what_was_reported() {
        let cases = case(vec![finding(TestVerdict::Pass, true), finding(unfit(), true)]);
        let expected = [
            "            true   reported  tolerance  verdict",
            "service time",
            "  p50  10.000 ms  10.031 ms      2.0 %  pass",
            "  p50  10.000 ms  10.031 ms      2.0 %  not judged (of the time busy)",
            "1 right, 0 wrong, 1 not judged",
        ];
        assert_eq!(table(&cases, &Counts::of(&cases)).lines().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_wrong_figure_fails_and_a_machine_on_which_no_time_could_be_judged_is_unfit() {
        let exit = |verdicts: &[(TestVerdict, bool)]| {
            let findings = verdicts.iter().map(|(verdict, timed)| finding(verdict.clone(), *timed));
            Counts::of(&case(findings.collect())).exit()
        };
        assert_eq!(exit(&[(TestVerdict::Pass, true), (unfit(), true)]), Exit::Success);
        assert_eq!(exit(&[(TestVerdict::Pass, false), (unfit(), true)]), Exit::Unfit);
        assert_eq!(exit(&[(TestVerdict::Fail, false), (unfit(), true)]), Exit::Failed);
    }
}
