//! The table of the steps of a search or a sweep: what became of each, and why.

use crate::analysis::{Analysis, Fault, Ladder, LoadStep, Shortfall, StepOutcome};
use crate::metric::{Unit, thousands};

/// A step as a row.
#[derive(Debug)]
pub(super) struct StepRow {
    /// How the verdict looks.
    pub(super) class: &'static str,
    pub(super) subject: String,
    pub(super) rate: String,
    pub(super) measured: String,
    pub(super) answers: String,
    pub(super) p50: String,
    pub(super) p99: String,
    pub(super) verdict: &'static str,
    pub(super) because: String,
}

/// Every step, subject by subject, in the order in which they were made.
pub(super) fn step_rows(analysis: &Analysis) -> Vec<StepRow> {
    let rows = |ladder: &Ladder| {
        let several = ladder.steps.iter().any(|step| step.repetition > 0);
        ladder.steps.iter().map(|step| row(ladder, step, several)).collect::<Vec<_>>()
    };
    analysis.ladders.iter().flat_map(rows).collect()
}

fn row(ladder: &Ladder, step: &LoadStep, several: bool) -> StepRow {
    let show =
        |unit: Unit, value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| unit.show(value));
    let repetition = if several { format!(", repetition {}", step.repetition + 1) } else { String::new() };
    let (class, verdict, because) = match &step.outcome {
        StepOutcome::Measured => ("muted", "measured", String::new()),
        StepOutcome::Passed => ("holds", "passed", format!("{} held", limit(ladder))),
        StepOutcome::Failed(reasons) => ("crossed", "failed", failed(ladder, reasons)),
        StepOutcome::Spoiled(faults) => {
            ("muted", "spoiled", faults.iter().map(fault).collect::<Vec<_>>().join("; "))
        }
    };
    StepRow {
        class,
        subject: format!("{}{repetition}", ladder.subject),
        rate: format!("{}/s", thousands(&step.rate.to_string())),
        measured: show(Unit::Seconds, Some(step.seconds)),
        answers: show(Unit::PerSecond, step.throughput),
        p50: show(Unit::Seconds, step.p50),
        p99: show(Unit::Seconds, step.p99),
        verdict,
        because,
    }
}

fn limit(ladder: &Ladder) -> &str {
    ladder.limit.as_deref().unwrap_or("the limit")
}

fn failed(ladder: &Ladder, reasons: &[Shortfall]) -> String {
    let words = |reason: &Shortfall| match reason {
        Shortfall::Latency(seconds) => format!("{} was {}", limit(ladder), Unit::Seconds.show(*seconds)),
        Shortfall::Answers(share) => {
            format!("{} of the requests got no answer or a wrong one", Unit::Fraction.show(*share))
        }
        Shortfall::Waiting(waiting) => format!(
            "{} requests were still queued for a connection at the end: the backlog was growing",
            thousands(&waiting.to_string())
        ),
        Shortfall::Overrun(waiting) => format!(
            "{} requests were queued for a connection, so the load was stopped early",
            thousands(&waiting.to_string())
        ),
    };
    reasons.iter().map(words).collect::<Vec<_>>().join("; ")
}

fn fault(fault: &Fault) -> String {
    match fault {
        Fault::Broken(failure) => format!("did not run to its end: {failure}"),
        Fault::Empty => "no request was due".to_owned(),
        Fault::Late(lag) => format!("the generator was late by {}", Unit::Seconds.show(*lag)),
        Fault::Behind(lag) => format!(
            "the generator could not keep up with its schedule: half of the requests were sent {} late or more",
            Unit::Seconds.show(*lag)
        ),
        Fault::Stolen(percent) => {
            format!("the hypervisor took {} of the machine's time", Unit::Fraction.show(percent / 100.0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{analyse, synthetic};

    #[test]
    fn every_step_says_why_it_passed_or_failed_or_tells_nothing() {
        let rows = step_rows(&analyse(&synthetic::search()));
        let of = |verdict: &str| rows.iter().find(|row| row.verdict == verdict).unwrap();
        assert_eq!(of("passed").because, "p(99)<5ms held");
        assert!(of("failed").because.starts_with("p(99)<5ms was "), "{}", of("failed").because);
        assert!(of("spoiled").because.starts_with("the generator was late by "), "{}", of("spoiled").because);
        assert_eq!(rows[0].rate, "500/s");
    }
}
