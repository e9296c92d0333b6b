//! The highest rate at which a limit held: between what passed and what failed, or across repetitions.

use std::collections::BTreeMap;

use crate::analysis::bootstrap::Resamples;
use crate::analysis::ladder::{Fault, LoadStep, StepOutcome};
use crate::analysis::{Basis, Estimate, Warning};

/// What one repetition of a search found.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Found {
    passed: Option<f64>,
    failed: Option<f64>,
    /// The rate that was spoiled until the search gave up.
    spoiled: Option<f64>,
}

/// So many spoiled steps at one rate end a search.
const SPOILED: usize = 3;

/// What the searches of all repetitions found, and what speaks against it.
pub(super) fn sought(steps: &[LoadStep], seed: u64) -> (Option<Estimate>, Vec<Warning>) {
    let mut repetitions: BTreeMap<u32, Vec<&LoadStep>> = BTreeMap::new();
    for step in steps {
        repetitions.entry(step.repetition).or_default().push(step);
    }
    let found: Vec<Found> = repetitions.values().map(|steps| Found::of(steps)).collect();
    let mut warnings = broken(steps);
    if let Some(rate) = found.iter().filter_map(|found| found.spoiled).reduce(f64::min) {
        warnings.push(Warning::SearchSpoiled { rate });
    }
    let nowhere = |found: &&Found| found.passed.is_none() && found.spoiled.is_none();
    if let Some(rate) = found.iter().filter(nowhere).filter_map(|found| found.failed).reduce(f64::min) {
        // A number that did not exist once is none.
        warnings.push(Warning::SearchUnmet { rate });
        return (None, warnings);
    }
    // What was interrupted tells less than what came to its end.
    let whole: Vec<Found> = found.iter().copied().filter(|found| found.is_whole()).collect();
    (estimate(if whole.is_empty() { &found } else { &whole }, seed), warnings)
}

/// The highest rate of a sweep up to which the limit held everywhere.
pub(super) fn among(steps: &[LoadStep]) -> Option<Estimate> {
    let failed = steps.iter().filter(|step| matches!(step.outcome, StepOutcome::Failed(_)));
    let failed = failed.map(|step| step.rate).reduce(f64::min);
    let passed = steps.iter().filter(|step| step.outcome == StepOutcome::Passed).map(|step| step.rate);
    let passed = passed.filter(|rate| failed.is_none_or(|failed| *rate < failed)).reduce(f64::max)?;
    Some(bracket(passed, failed))
}

impl Found {
    fn of(steps: &[&LoadStep]) -> Self {
        let rates = |wanted: fn(&StepOutcome) -> bool| {
            steps.iter().filter(move |step| wanted(&step.outcome)).map(|step| step.rate)
        };
        let passed = rates(|outcome| *outcome == StepOutcome::Passed).reduce(f64::max);
        let failed = rates(|outcome| matches!(outcome, StepOutcome::Failed(_)));
        let failed = failed.filter(|rate| passed.is_none_or(|passed| *rate > passed)).reduce(f64::min);
        let last = steps.iter().rev().take_while(|step| step.is_spoiled());
        let spoiled = (last.count() >= SPOILED).then(|| steps[steps.len() - 1].rate);
        Self { passed, failed, spoiled }
    }

    fn is_whole(self) -> bool {
        self.passed.is_some() && (self.failed.is_some() || self.spoiled.is_some())
    }
}

/// Steps that did not run to their end.
fn broken(steps: &[LoadStep]) -> Vec<Warning> {
    let reason = |step: &LoadStep| match &step.outcome {
        StepOutcome::Spoiled(faults) => faults.iter().find_map(|fault| match fault {
            Fault::Broken(failure) => Some(Warning::of_failure(step.repetition, failure)),
            _ => None,
        }),
        _ => None,
    };
    steps.iter().filter_map(reason).collect()
}

fn bracket(passed: f64, failed: Option<f64>) -> Estimate {
    Estimate::between(passed, passed, failed, Basis::Bracket)
}

/// One repetition knows what passed and what failed; of several the mean, of the logarithms as noise has it, with its
/// interval across them: from below by what passed, from above by what failed, since the truth of each lies between.
fn estimate(found: &[Found], seed: u64) -> Option<Estimate> {
    let known: Vec<(f64, Option<f64>)> =
        found.iter().filter_map(|found| Some((found.passed?, found.failed))).collect();
    if let [(passed, failed)] = known[..] {
        return Some(bracket(passed, failed));
    }
    let resamples = Resamples::draw(&vec![1; known.len()], seed);
    let across = |rates: Vec<f64>| {
        let mean = |weights: &[u32]| {
            let total: u32 = weights.iter().sum();
            let sum: f64 =
                rates.iter().zip(weights).map(|(rate, weight)| f64::from(*weight) * rate.ln()).sum();
            (total > 0).then(|| (sum / f64::from(total)).exp())
        };
        resamples.sample(mean(&vec![1; rates.len()]), mean)
    };
    let failed: Option<Vec<f64>> = known.iter().map(|(_, failed)| *failed).collect();
    let mut sampled = across(known.iter().map(|(passed, _)| *passed).collect())?;
    sampled.at_least = failed.is_none();
    let mut estimate = resamples.estimate(&sampled);
    if let Some(failed) = failed.and_then(across) {
        estimate.high = resamples.estimate(&failed).high;
    }
    Some(estimate)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::Shortfall;
    use crate::observation::TrialFailure;

    const PASSED: StepOutcome = StepOutcome::Passed;

    fn failed() -> StepOutcome {
        StepOutcome::Failed(vec![Shortfall::Latency(0.01)])
    }

    fn spoiled() -> StepOutcome {
        StepOutcome::Spoiled(vec![Fault::Late(0.01)])
    }

    fn steps(repetition: u32, tried: &[(f64, StepOutcome)]) -> Vec<LoadStep> {
        let step = |(rate, outcome): &(f64, StepOutcome)| LoadStep {
            repetition,
            rate: *rate,
            seconds: 1.0,
            throughput: None,
            p50: None,
            p99: None,
            outcome: outcome.clone(),
        };
        tried.iter().map(step).collect()
    }

    #[test]
    fn one_repetition_lies_between_what_passed_and_what_failed() {
        let tried = [(500.0, PASSED), (1_000.0, failed()), (707.0, PASSED), (841.0, failed())];
        assert_eq!(sought(&steps(0, &tried), 1), (Some(bracket(707.0, Some(841.0))), Vec::new()));
    }

    #[test]
    fn several_repetitions_have_an_interval_across_them() {
        let of = |repetition, passed: f64| steps(repetition, &[(passed, PASSED), (passed * 1.04, failed())]);
        let all = [of(0, 4_000.0), of(1, 4_160.0), of(2, 3_850.0)].concat();
        let (estimate, warnings) = sought(&all, 1);
        let estimate = estimate.unwrap();
        assert_eq!((estimate.basis, warnings), (Basis::AcrossRuns, Vec::new()));
        assert!((estimate.point - 4_001.0).abs() < 2.0, "{estimate:?}");
        assert!(estimate.low < 3_850.0 && estimate.high.unwrap() > 4_160.0, "{estimate:?}");
        let many: Vec<LoadStep> = (0..8).flat_map(|number| of(number, 4_000.0 + f64::from(number))).collect();
        assert!(sought(&many, 1).0.unwrap().is_interval());
        // A search begins where the one before ended, and may take the very same steps.
        let alike = [of(0, 4_000.0), of(1, 4_000.0), of(2, 4_000.0)].concat();
        let estimate = sought(&alike, 1).0.unwrap();
        assert!((estimate.low - 4_000.0).abs() < 1e-6, "{estimate:?}");
        assert!((estimate.high.unwrap() - 4_160.0).abs() < 1e-6, "{estimate:?}");
    }

    #[test]
    fn a_search_that_the_generator_ended_knows_at_least_what_passed() {
        let tried = [(500.0, PASSED), (1_000.0, spoiled()), (1_000.0, spoiled()), (1_000.0, spoiled())];
        let warning = Warning::SearchSpoiled { rate: 1_000.0 };
        assert_eq!(sought(&steps(0, &tried), 1), (Some(bracket(500.0, None)), vec![warning]));
    }

    #[test]
    fn a_limit_that_never_held_gives_no_number() {
        let tried = [(500.0, failed()), (250.0, failed())];
        assert_eq!(sought(&steps(0, &tried), 1), (None, vec![Warning::SearchUnmet { rate: 250.0 }]));
    }

    #[test]
    fn what_was_interrupted_does_not_pull_down_what_came_to_its_end() {
        let stopped = StepOutcome::Spoiled(vec![Fault::Broken(TrialFailure::Interrupted)]);
        let whole = steps(0, &[(4_000.0, PASSED), (4_160.0, failed())]);
        let all = [whole, steps(1, &[(1_000.0, PASSED), (2_000.0, stopped)])].concat();
        let (estimate, warnings) = sought(&all, 1);
        assert_eq!(estimate, Some(bracket(4_000.0, Some(4_160.0))));
        assert!(matches!(warnings[..], [Warning::Interrupted { repetition: 1 }]));
    }

    #[test]
    fn a_sweep_holds_up_to_the_rate_below_the_first_that_failed() {
        let tried = [(500.0, PASSED), (2_000.0, PASSED), (1_000.0, failed()), (4_000.0, failed())];
        assert_eq!(among(&steps(0, &tried)), Some(bracket(500.0, Some(1_000.0))));
        assert_eq!(among(&steps(0, &[(500.0, failed()), (1_000.0, PASSED)])), None);
        assert_eq!(among(&steps(0, &[(500.0, PASSED), (1_000.0, spoiled())])), Some(bracket(500.0, None)));
    }
}
