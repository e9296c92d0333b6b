//! Says whether this machine is fit to measure on, and what to change where it is not.

mod judge;
mod look;

use std::io::Write;

use anyhow::Context as _;
use clap::Args;
use serde::Serialize;

use crate::cli::{Exit, output};

/// Check whether this machine is fit for measurements, and say what to change
#[derive(Debug, Args)]
pub(super) struct Doctor {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Doctor {
    pub(super) fn execute(self) -> anyhow::Result<Exit> {
        let mut text = Vec::new();
        let fit = examine(&mut text, self.json, look::measure().context("the generator cannot be tried")?)?;
        output::print(&String::from_utf8_lossy(&text))?;
        Ok(if fit { Exit::Success } else { Exit::Unfit })
    }
}

/// How good a fact is for measuring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
enum Mark {
    Ok,
    /// Figures are worse than they could be, or need a second look.
    Warn,
    /// Figures would be wrong, or a run would not come to its end.
    Bad,
}

/// One fact, judged.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Check {
    name: &'static str,
    mark: Mark,
    /// What was found, with its unit.
    found: String,
    /// What to change, unless all is well.
    advice: Option<&'static str>,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Examination<'a> {
    fit: bool,
    checks: &'a [Check],
}

/// Looks at the machine for about a second more and writes one line a check.
/// True if it is fit to measure on: no check is bad.
fn examine(write: &mut dyn Write, json: bool, measured: look::Measured) -> anyhow::Result<bool> {
    let facts = look::look(measured);
    let checks = judge::checks(&facts);
    let fit = checks.iter().all(|check| check.mark < Mark::Bad);
    if json {
        let text = serde_json::to_string_pretty(&Examination { fit, checks: &checks })?;
        writeln!(write, "{text}").context("cannot write the result")?;
    } else {
        print(write, fit, &checks).context("cannot write the result")?;
    }
    Ok(fit)
}

fn print(write: &mut dyn Write, fit: bool, checks: &[Check]) -> std::io::Result<()> {
    let width = checks.iter().map(|check| check.name.len()).max().unwrap_or(0);
    for Check { name, mark, found, advice } in checks {
        let mark = match mark {
            Mark::Ok => "ok",
            Mark::Warn => "warn",
            Mark::Bad => "bad",
        };
        write!(write, "{mark:4}  {name:width$}  {found}")?;
        match advice {
            Some(advice) => writeln!(write, " -> {advice}")?,
            None => writeln!(write)?,
        }
    }
    let verdict = if fit { "fit to measure on" } else { "not fit to measure on: see what is bad above" };
    writeln!(write, "{verdict}")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::load::Engine;
    use crate::observation::Distribution;
    use crate::selftest::{Ceiling, Noise, Waking};

    fn measured() -> look::Measured {
        let mut timer_error = Distribution::default();
        (1..=100).for_each(|microseconds| timer_error.record(microseconds * 1_000));
        let ceiling = Ceiling { engine: Engine::Http1, rate: Some(48_000.0), lag: Duration::from_micros(5) };
        look::Measured {
            timer_error,
            noise: Noise::default(),
            waking: Waking::default(),
            ceilings: vec![ceiling],
        }
    }

    #[test]
    fn every_check_is_one_line_with_mark_value_and_advice() {
        let check = |name, mark, advice| Check { name, mark, found: "this".to_owned(), advice };
        let mut text = Vec::new();
        let checks = [check("cores", Mark::Ok, None), check("clock source", Mark::Bad, Some("change that"))];
        print(&mut text, false, &checks).unwrap();
        assert_eq!(
            String::from_utf8(text).unwrap(),
            "ok    cores         this\n\
             bad   clock source  this -> change that\n\
             not fit to measure on: see what is bad above\n"
        );
    }

    #[test]
    fn this_machine_is_examined_and_both_forms_agree() {
        let (mut text, mut json) = (Vec::new(), Vec::new());
        examine(&mut text, false, measured()).unwrap();
        let fit = examine(&mut json, true, measured()).unwrap();
        let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
        assert_eq!(json["fit"], fit);
        let text = String::from_utf8(text).unwrap();
        for check in json["checks"].as_array().unwrap() {
            assert!(text.contains(check["name"].as_str().unwrap()), "{text}");
        }
    }
}
