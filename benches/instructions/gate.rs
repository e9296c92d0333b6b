//! Holds today's counts to the stored ones.

use std::io::Write;
use std::process::ExitCode;

use crate::baseline::{Baseline, libraries, percent};
use crate::counts::{self, Counts};
use crate::environment::Environment;
use crate::fixtures;

/// More than this is a failure, in percent. What of a count is random stays far below; the rest is for the layout of
/// code and heap, which a change elsewhere moves.
const TOLERATED_PERCENT: f64 = 2.0;

/// The same of the overhead alone: the few hundred instructions by which the layout of the heap changes what it takes
/// to allocate (480 were seen) are 2 % of it.
const TOLERATED_OVERHEAD_PERCENT: f64 = 5.0;

/// The same where another compiler or C library is in use, and only the overhead is compared.
const TOLERATED_ELSEWHERE_PERCENT: f64 = 10.0;

/// How often everything is counted to learn what repeats: so often that a signer whose attempts are random does not
/// need the same number of them every time by chance.
const RUNS: usize = 5;

const UPDATE: &str = "cargo bench --bench instructions -- update";

/// What of a baseline holds on this machine.
enum Comparable {
    Everything,
    OurOwnPart,
    Nothing,
}

impl Comparable {
    /// By how many percent this count may rise; nothing where it is not compared.
    fn tolerated_percent(&self, case: &str) -> Option<f64> {
        match (self, case.starts_with("overhead ")) {
            (Self::Everything, false) => Some(TOLERATED_PERCENT),
            (Self::Everything, true) => Some(TOLERATED_OVERHEAD_PERCENT),
            (Self::OurOwnPart, true) => Some(TOLERATED_ELSEWHERE_PERCENT),
            (Self::OurOwnPart, false) | (Self::Nothing, _) => None,
        }
    }
}

/// Counts everything a few times and stores it.
pub(crate) fn update(out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    fixtures::complete()?;
    let environment = Environment::here()?;
    let mut runs = Vec::new();
    for run in 1..=RUNS {
        writeln!(out, "counting, {run} of {RUNS}")?;
        runs.push(counts::take()?);
    }
    let baseline = Baseline::of(environment, &runs)?;
    for (name, varied) in &baseline.unrepeatable {
        writeln!(out, "not compared: {name} varied by {varied} %")?;
    }
    let repeatable = baseline.instructions.len();
    writeln!(out, "{repeatable} counts repeat and are now in {}", baseline.write()?.display())?;
    Ok(ExitCode::SUCCESS)
}

/// Fails where a count rose, where one is missing, and never silently compares nothing.
pub(crate) fn check(out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let baseline = Baseline::read()?;
    let comparable = comparable(&baseline, out)?;
    if matches!(comparable, Comparable::Nothing) {
        return Ok(ExitCode::SUCCESS);
    }
    let now = counts::take()?;
    let mut failures = unknown(&baseline, &now);
    for (name, &before) in &baseline.instructions {
        let Some(tolerated) = comparable.tolerated_percent(name) else { continue };
        let Some(&after) = now.get(name) else {
            failures.push(format!("{name} is in the baseline and was not counted"));
            continue;
        };
        let risen = percent(before, after);
        writeln!(out, "{name:<60} {before:>12} -> {after:>12} {risen:>+7.2} %")?;
        if risen > tolerated {
            failures.push(format!(
                "{name}: {before} -> {after} instructions, {risen:+.2} % (tolerated: {tolerated} %)"
            ));
        } else if risen < -tolerated {
            writeln!(out, "  that is less: keep it with {UPDATE}")?;
        }
    }
    for name in baseline.unrepeatable.keys() {
        writeln!(out, "{name:<60} not compared: it varies from run to run")?;
    }
    report(&baseline, &failures, out)
}

fn comparable(baseline: &Baseline, out: &mut dyn Write) -> anyhow::Result<Comparable> {
    let here = Environment::here()?;
    let differences = baseline.environment.differences(&here);
    if differences.is_empty() {
        return Ok(Comparable::Everything);
    }
    let ours = baseline.environment.compiles_rust_alike(&here);
    let what = if ours { "the counts of libraries" } else { "every count" };
    for (name, (there, here)) in &differences {
        writeln!(
            out,
            "skipped: {what}, since the baseline was taken with {name} {there:?}; here it is {here:?}"
        )?;
    }
    Ok(if ours { Comparable::OurOwnPart } else { Comparable::Nothing })
}

/// Cases that no baseline knows: new schemes, new libraries.
fn unknown(baseline: &Baseline, now: &Counts) -> Vec<String> {
    let unknown = now.keys().filter(|name| {
        !baseline.instructions.contains_key(*name) && !baseline.unrepeatable.contains_key(*name)
    });
    unknown.map(|name| format!("{name} is not in the baseline")).collect()
}

fn report(baseline: &Baseline, failures: &[String], out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    if failures.is_empty() {
        writeln!(out, "no count rose above the baseline by more than is tolerated")?;
        return Ok(ExitCode::SUCCESS);
    }
    for failure in failures {
        writeln!(out, "FAILED: {failure}")?;
    }
    for (name, now) in libraries()? {
        let before = baseline.libraries.get(&name).map_or("absent", String::as_str);
        if before != now {
            writeln!(out, "{name} was {before} and is {now}")?;
        }
    }
    writeln!(out, "if the rise is meant, store it, and say in the commit why: {UPDATE}")?;
    Ok(ExitCode::FAILURE)
}
