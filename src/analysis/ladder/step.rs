//! What a trial at one of several rates showed: whether the limit held, and if not, whether servers or generator are why.

use serde::Serialize;

use crate::analysis::latency::{self, merge};
use crate::analysis::outcome::mistakes;
use crate::analysis::standing::{Bracket, Standing};
use crate::analysis::usage::STEAL_PERCENT;
use crate::metric::{MetricId, Threshold};
use crate::observation::{Load, Recording, Step, TrialFailure};

/// What became of a step.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StepOutcome {
    /// It was measured; no limit is known that could have held.
    Measured,
    /// The limit held.
    Passed,
    /// The limit did not hold, and the servers are the reason.
    Failed(Vec<Shortfall>),
    /// It tells nothing about the servers.
    Spoiled(Vec<Fault>),
}

/// What servers did not do.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Shortfall {
    /// Latency was above the limit, in seconds.
    Latency(f64),
    /// This share of the requests got no answer, or a wrong one.
    Answers(f64),
    /// So many requests waited for a connection at the end that the latency would have gone on growing.
    Waiting(u64),
    /// So many requests waited that the load was given up.
    Overrun(u64),
}

/// Why a step tells nothing about the servers.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The trial did not run to its end.
    Broken(TrialFailure),
    /// No request was due within its window.
    Empty,
    /// The generator took up requests so late that it may be the reason: its own lag, in seconds.
    Late(f64),
    /// The generator was never ahead of its schedule: half of the requests were taken up that late, in seconds.
    Behind(f64),
    /// The hypervisor took this share of the machine's time, in percent.
    Stolen(f64),
}

/// At most this share of the requests may get no answer, or a wrong one.
const ERRORS: f64 = 0.001;
/// And no larger part of the requests beyond the quantile that is limited.
const OF_TAIL: f64 = 0.1;
/// A generator that is never ahead of its schedule by more than this part of the limit may be the reason why it did not hold ...
const PART: f64 = 0.01;
/// ... unless it is so short that no generator is better, in seconds.
const BEST: f64 = 20e-6;
/// Requests that wait at the end are so many times what a latency at the limit leaves waiting (Little's law).
const GROWN: f64 = 2.0;
/// A load that was given up while so many requests waited ran into servers that could not keep up.
const OVERRUN: u64 = 100_000;

/// What a step of a search showed, by the limit in its recording.
pub fn judge(recording: &Recording) -> StepOutcome {
    let limit = match &recording.step {
        Some(Step::Search { threshold, .. }) => threshold.parse().ok(),
        Some(Step::Sweep) | None => None,
    };
    of(recording, limit.as_ref())
}

/// True for a trial that did not run to its end, unless that is what a step of a search found out.
pub fn is_broken(recording: &Recording) -> bool {
    recording.failure.is_some()
        && !(recording.step.is_some() && matches!(judge(recording), StepOutcome::Failed(_)))
}

/// The same by a limit that is known otherwise. A limit that held despite a late generator held: its lag is part of every
/// latency.
pub(super) fn of(recording: &Recording, limit: Option<&Threshold>) -> StepOutcome {
    if let Some(outcome) = broken(recording) {
        return outcome;
    }
    let Some(load) = recording.load.as_ref().filter(|load| planned(load) > 0) else {
        return StepOutcome::Spoiled(vec![Fault::Empty]);
    };
    if let Some(lag) = unfit(recording, load) {
        return StepOutcome::Spoiled(vec![Fault::Late(lag)]);
    }
    let shortfalls = limit.map(|limit| shortfalls(recording, load, limit));
    if shortfalls.as_ref().is_some_and(Vec::is_empty) {
        return StepOutcome::Passed;
    }
    let faults = faults(recording, load, limit, shortfalls.as_deref().unwrap_or_default());
    match shortfalls {
        _ if !faults.is_empty() => StepOutcome::Spoiled(faults),
        Some(shortfalls) => StepOutcome::Failed(shortfalls),
        None => StepOutcome::Measured,
    }
}

fn broken(recording: &Recording) -> Option<StepOutcome> {
    let failure = recording.failure.clone()?;
    let waiting = recording.load.as_ref().map_or(0, |load| load.backlog_end);
    Some(if waiting >= OVERRUN && failure != TrialFailure::Interrupted {
        StepOutcome::Failed(vec![Shortfall::Overrun(waiting)])
    } else {
        StepOutcome::Spoiled(vec![Fault::Broken(failure)])
    })
}

fn planned(load: &Load) -> u64 {
    load.seconds.iter().map(|second| second.outcomes.planned()).sum()
}

fn shortfalls(recording: &Recording, load: &Load, limit: &Threshold) -> Vec<Shortfall> {
    let answered: u64 = load.seconds.iter().map(|second| second.outcomes.answered()).sum();
    let right = answered - mistakes(recording);
    let missing = 1.0 - right as f64 / planned(load) as f64;
    let latency = value(load, limit.metric).filter(|value| !limit.comparison.holds(*value, limit.limit));
    // What got no answer has the longest latency of all: of a quantile in the tail it may be the whole tail.
    let beyond = limit.metric.quantile().map_or(ERRORS, |quantile| (1.0 - quantile) * OF_TAIL);
    let answers = (missing > ERRORS.min(beyond)).then_some(Shortfall::Answers(missing));
    // A window may be too short for a queue that grows to show in a latency.
    let allowed = GROWN * recording.workload.rate * limit.limit;
    let waiting = (load.backlog_end as f64 > allowed).then_some(Shortfall::Waiting(load.backlog_end));
    latency.map(Shortfall::Latency).into_iter().chain(answers).chain(waiting).collect()
}

/// A quantile or the mean of the latency of one load, in seconds.
pub(super) fn value(load: &Load, metric: MetricId) -> Option<f64> {
    latency::of_load(load, metric)
}

fn faults(
    recording: &Recording,
    load: &Load,
    limit: Option<&Threshold>,
    shortfalls: &[Shortfall],
) -> Vec<Fault> {
    let stolen = recording.conditions.steal_percent.filter(|percent| *percent > STEAL_PERCENT);
    late(load, limit, shortfalls).into_iter().chain(stolen.map(Fault::Stolen)).collect()
}

/// A step of a sweep stands for itself in a report, where a figure that is lost is none.
fn unfit(recording: &Recording, load: &Load) -> Option<f64> {
    matches!(recording.step, Some(Step::Sweep)).then_some(())?;
    let [least, most] = latency::ends_of_load(load, MetricId::LatencyP99)?;
    let bracket = Bracket::Within { least, most, scale: most };
    Standing::of(bracket, 0.0).is_lost().then_some(most - least)
}

/// The generator's own part, if it may be the reason.
fn late(load: &Load, limit: Option<&Threshold>, shortfalls: &[Shortfall]) -> Option<Fault> {
    // No request is refused or answered wrongly because it came late.
    if shortfalls.iter().any(|shortfall| matches!(shortfall, Shortfall::Answers(_))) {
        return None;
    }
    let limit = limit?;
    let is_slow = shortfalls.iter().any(|shortfall| matches!(shortfall, Shortfall::Latency(_)));
    let [least, most] = latency::ends_of_load(load, limit.metric)?;
    // Without its lag the limit would have held.
    let explains = is_slow && limit.comparison.holds(least, limit.limit);
    let lag = merge(load.seconds.iter().map(|second| second.lag.open()));
    let behind = lag.quantile(0.5).map_or(0.0, |nanos| nanos as f64 / 1e9);
    let is_behind = behind > BEST && behind > limit.limit * PART;
    explains.then_some(Fault::Late(most - least)).or(is_behind.then_some(Fault::Behind(behind)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::synthetic;
    use crate::observation::{Distribution, Ended, REVOKED, Sealed, Second, VALID};

    /// A step of a search by introspection, whose 99th percentile is somewhat above half a millisecond.
    fn step(limit: &str) -> Recording {
        let mut recording = synthetic::recording(1);
        recording.step = Some(Step::Search { threshold: limit.to_owned(), number: 0 });
        recording
    }

    /// Requests of 200 µs, each of them taken up so many nanoseconds late.
    fn late(mut recording: Recording, lag: u64) -> Recording {
        let sealed = |nanos: u64| {
            let mut distribution = Distribution::default();
            distribution.record_many(nanos, 1_000);
            Sealed::from(&distribution)
        };
        for second in &mut recording.load.as_mut().unwrap().seconds {
            (second.service, second.latency, second.lag) =
                (sealed(200_000), sealed(200_000 + lag), sealed(lag));
        }
        recording
    }

    #[test]
    fn a_limit_holds_or_it_fails_with_the_reason() {
        assert_eq!(judge(&step("p(99)<5ms")), StepOutcome::Passed);
        let StepOutcome::Failed(reasons) = judge(&step("p(99)<100us")) else { panic!("passed") };
        assert!(matches!(reasons[..], [Shortfall::Latency(seconds)] if seconds > 300e-6), "{reasons:?}");
        let mut failing = step("p(99)<5ms");
        failing.load.as_mut().unwrap().seconds[0].outcomes.class_mut(VALID).accepted -= 20;
        let found = judge(&failing);
        assert!(
            matches!(&found, StepOutcome::Failed(reasons) if matches!(reasons[..], [Shortfall::Answers(_)])),
            "{found:?}"
        );
    }

    #[test]
    fn a_token_that_is_stale_by_design_fails_no_step() {
        let judged = |subject| {
            let mut step = synthetic::recording(subject);
            step.step = Some(Step::Search { threshold: "p(99)<5ms".to_owned(), number: 0 });
            for second in &mut step.load.as_mut().unwrap().seconds {
                let ended = Ended { planned: 100, sent: 100, accepted: 100, ..Ended::default() };
                *second.outcomes.class_mut(REVOKED) = ended;
            }
            judge(&step)
        };
        assert_eq!(judged(3), StepOutcome::Passed, "a JWT that nobody asks about");
        assert!(matches!(judged(1), StepOutcome::Failed(_)), "introspection");
    }

    #[test]
    fn a_queue_that_grows_fails_although_the_window_is_too_short_to_show_it() {
        let mut growing = step("p(99)<5ms");
        // 1,000 requests a second of 5 ms each are five at a time.
        growing.load.as_mut().unwrap().backlog_end = 10;
        assert_eq!(judge(&growing), StepOutcome::Passed);
        growing.load.as_mut().unwrap().backlog_end = 11;
        assert_eq!(judge(&growing), StepOutcome::Failed(vec![Shortfall::Waiting(11)]));
    }

    #[test]
    fn a_late_generator_spoils_a_step_that_would_have_failed_and_none_that_passed() {
        let fault = |recording| match judge(&recording) {
            StepOutcome::Spoiled(faults) => Some(faults),
            _ => None,
        };
        assert!(matches!(fault(late(step("p(99)<250us"), 60_000)).unwrap()[..], [Fault::Late(_)]));
        assert_eq!(fault(late(step("p(99)<300us"), 60_000)), None, "it holds with the lag");
        let without = judge(&late(step("p(99)<150us"), 1_000));
        assert!(matches!(without, StepOutcome::Failed(_)), "it does not hold without the lag: {without:?}");
        assert!(
            matches!(fault(late(step("p(99)<150us"), 25_000)).unwrap()[..], [Fault::Behind(_)]),
            "it was never ahead of its schedule"
        );
        let mut stolen = step("p(99)<100us");
        stolen.conditions.steal_percent = Some(30.0);
        assert_eq!(fault(stolen), Some(vec![Fault::Stolen(30.0)]));
    }

    #[test]
    fn a_step_of_a_sweep_is_spoiled_where_its_latency_is_lost() {
        let limit: Threshold = "p(99)<5ms".parse().unwrap();
        let judged = |nanos, limit| {
            let mut step = late(step("p(99)<5ms"), nanos);
            step.step = Some(Step::Sweep);
            of(&step, limit)
        };
        assert_eq!(judged(19_000, None), StepOutcome::Measured);
        assert_eq!(judged(190_000, Some(&limit)), StepOutcome::Passed);
        assert!(matches!(judged(210_000, None), StepOutcome::Spoiled(_)));
        assert!(matches!(judged(210_000, Some(&limit)), StepOutcome::Spoiled(_)));
    }

    #[test]
    fn a_trial_that_broke_says_nothing_but_a_queue_without_end_does() {
        let mut broken = step("p(99)<5ms");
        let failure = TrialFailure::error("a server died");
        broken.failure = Some(failure.clone());
        assert_eq!(judge(&broken), StepOutcome::Spoiled(vec![Fault::Broken(failure)]));
        assert!(is_broken(&broken));
        broken.load.as_mut().unwrap().backlog_end = 1_000_001;
        assert_eq!(judge(&broken), StepOutcome::Failed(vec![Shortfall::Overrun(1_000_001)]));
        assert!(!is_broken(&broken));
        let mut empty = step("p(99)<5ms");
        empty.load.as_mut().unwrap().seconds = vec![Second::default()];
        assert_eq!(judge(&empty), StepOutcome::Spoiled(vec![Fault::Empty]));
    }

    #[test]
    fn a_control_may_accept_bad_tokens_and_the_others_may_not() {
        let mut control = synthetic::recording(0);
        control.step = Some(Step::Search { threshold: "p(99)<5ms".to_owned(), number: 0 });
        assert_eq!(judge(&control), StepOutcome::Passed);
        let mut wrong = step("p(99)<5ms");
        let outcomes = &mut wrong.load.as_mut().unwrap().seconds[0].outcomes;
        outcomes.class_mut(VALID).accepted -= 20;
        outcomes.class_mut("expired").accepted += 20;
        assert!(matches!(judge(&wrong), StepOutcome::Failed(_)));
    }
}
