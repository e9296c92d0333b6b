//! Whether the load generator did what the plan asked for, or measured itself (what each figure bears of it stands with the figure).

use std::collections::BTreeMap;

use crate::analysis::gaps;
use crate::analysis::trials::Trials;
use crate::analysis::{Estimate, Standing, Warning};
use crate::metric::{Family, MetricId};
use crate::observation::{Generator, Load, Outcomes, Side};

/// A generator that sleeps while it waits and still uses more of its core than this has no time left to be punctual.
const BUSIEST: f64 = 0.95;
/// A core that somebody else had for a larger share of the time delays a request in a hundred: it is seen in the p99.
const DELAYED: f64 = 0.01;

/// Every reason to blame the generator, or who took its cores.
pub(super) fn warnings(trials: &Trials<'_>, estimates: &BTreeMap<MetricId, Estimate>) -> Vec<Warning> {
    let mut warnings: Vec<Warning> = late(estimates).into_iter().collect();
    warnings.extend(worst(trials, busy, BUSIEST).map(|(share, thread)| Warning::GeneratorBusy {
        share,
        core: thread.core,
        precision: thread.precision.clone(),
    }));
    // Where gaps were looked for, what was taken is known exactly, and is in no latency.
    let delayed = worst(trials, delayed, DELAYED).filter(|_| !gaps::were_looked_for(trials, Side::Generator));
    warnings.extend(delayed.map(|(share, thread)| Warning::CoreTaken { share, core: thread.core }));
    warnings
}

/// Its lag is in every latency; it is worth a word where that leaves one of them uncertain.
fn late(estimates: &BTreeMap<MetricId, Estimate>) -> Option<Warning> {
    let is_bracketed = |(metric, estimate): (&MetricId, &Estimate)| {
        let is_of_latency = metric.percentile_of().is_some_and(|(family, _)| family == Family::Latency);
        is_of_latency
            && matches!(estimate.standing, Standing::Bounded { .. } | Standing::Lost { most: Some(_), .. })
    };
    let p99 = estimates.get(&MetricId::LagP99)?.point;
    estimates.iter().any(is_bracketed).then_some(Warning::GeneratorLate { p99 })
}

/// Requests that the plan asked for: the generator takes up each of them, however late it is, and every one left a lag.
pub(super) fn planned(trials: &Trials<'_>) -> u64 {
    sum(trials, Outcomes::planned)
}

/// Requests that were sent.
pub(super) fn sent(trials: &Trials<'_>) -> u64 {
    sum(trials, Outcomes::sent)
}

fn sum(trials: &Trials<'_>, of: fn(&Outcomes) -> u64) -> u64 {
    trials.seconds().iter().map(|second| of(&second.outcomes)).sum()
}

/// Share of the window that a thread ran, where it sleeps while it waits: a thread that polls is meant to fill its core.
fn busy(thread: &Generator, seconds: f64) -> Option<f64> {
    (!thread.polls).then(|| thread.cpu_nanos as f64 / 1e9 / seconds)
}

/// Share of the window that a thread was ready to run but had no core.
fn delayed(thread: &Generator, seconds: f64) -> Option<f64> {
    Some(thread.delayed_nanos? as f64 / 1e9 / seconds)
}

/// The thread of any trial with the largest share, if that is above the limit.
fn worst<'a>(
    trials: &Trials<'a>,
    share: fn(&Generator, f64) -> Option<f64>,
    limit: f64,
) -> Option<(f64, &'a Generator)> {
    let of_load = |load: &'a Load| {
        let threads = load.generators.iter().filter(move |_| load.measured_seconds > 0.0);
        threads.filter_map(move |thread| Some((share(thread, load.measured_seconds)?, thread)))
    };
    trials.loads().flat_map(of_load).filter(|(share, _)| *share > limit).max_by(|a, b| a.0.total_cmp(&b.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{Blame, Gravity, Outcome, Summary, Unproven, Validity, analyse, synthetic};
    use crate::observation::{Distribution, Sealed, VALID};

    /// Introspection, with a median service time of about 260 µs, after `change` was done to its load.
    fn judged(change: impl FnOnce(&mut Load)) -> Summary {
        let mut recording = synthetic::recording(1);
        change(recording.load.as_mut().unwrap());
        analyse(&[recording]).subjects.remove(0)
    }

    /// How the warnings that blame the generator or its machine weigh.
    fn gravity(summary: &Summary) -> Option<Gravity> {
        let bench = summary.warnings.iter().filter(|warning| warning.blame().is_of_the_bench());
        bench.map(Warning::gravity).max()
    }

    /// Every request of 200 µs and so many nanoseconds of lag before it.
    fn lagging(load: &mut Load, lag: u64) {
        let sealed = |nanos: u64| {
            let mut distribution = Distribution::default();
            distribution.record_many(nanos, 1_000);
            Sealed::from(&distribution)
        };
        for second in &mut load.seconds {
            (second.service, second.latency, second.lag) =
                (sealed(200_000), sealed(200_000 + lag), sealed(lag));
        }
    }

    #[test]
    fn a_latency_lies_between_what_it_is_with_the_lag_of_the_generator_and_without() {
        for (lag, expected) in
            [(9_000, "sound"), (60_000, "bounded"), (190_000, "bounded"), (210_000, "lost")]
        {
            let summary = judged(|load| lagging(load, lag));
            let p50 = summary.estimates[&MetricId::LatencyP50];
            let found = match p50.standing {
                Standing::Sound => "sound",
                Standing::Bounded { least, most } => {
                    assert!((least * 1e9 - 200_000.0).abs() < 200.0 && (most - p50.point).abs() < 1e-12);
                    "bounded"
                }
                Standing::Lost { least, most } => {
                    assert_eq!((least, most), (None, Some(p50.point)));
                    "lost"
                }
            };
            assert_eq!(found, expected, "{lag}");
            let told =
                summary.warnings.iter().any(|warning| matches!(warning, Warning::GeneratorLate { .. }));
            assert_eq!(told, expected != "sound", "{lag}: {:?}", summary.warnings);
        }
    }

    #[test]
    fn what_a_late_generator_cannot_spoil_stays_sound() {
        let summary = judged(|load| lagging(load, 900_000));
        for metric in
            [MetricId::ServiceP50, MetricId::Errors, MetricId::WrongAnswers, MetricId::PropagationMax]
        {
            assert_eq!(summary.estimates[&metric].standing, Standing::Sound, "{metric}");
        }
    }

    #[test]
    fn a_threshold_is_judged_by_the_end_of_the_bracket_that_is_against_it() {
        let outcome = |limit: &str| {
            let mut recording = synthetic::recording(1);
            lagging(recording.load.as_mut().unwrap(), 60_000);
            recording.scenario.thresholds = vec![limit.to_owned()];
            analyse(&[recording]).thresholds.remove(0).outcome
        };
        assert_eq!(outcome("p(50)<300us"), Outcome::Holds);
        assert_eq!(outcome("p(50)<230us"), Outcome::NotShown(Unproven::Bounded));
        assert_eq!(outcome("p(50)<150us"), Outcome::Crossed);
        assert_eq!(outcome("p(50)>150us"), Outcome::Holds);
        assert_eq!(outcome("p(50)>230us"), Outcome::NotShown(Unproven::Bounded));
    }

    #[test]
    fn a_generator_that_sleeps_but_fills_its_core_is_doubtful_and_one_that_polls_is_meant_to() {
        for (polls, cpu, expected) in [
            (false, 9_400_000_000, None),
            (false, 9_600_000_000, Some(Gravity::Doubtful)),
            (true, 10_000_000_000, None),
        ] {
            let summary = judged(|load| {
                load.generators[0].polls = polls;
                load.generators[0].cpu_nanos = cpu;
            });
            assert_eq!(gravity(&summary), expected, "{polls} {cpu}: {:?}", summary.warnings);
        }
    }

    #[test]
    fn somebody_else_on_the_core_of_the_generator_is_told_with_the_core() {
        let summary = judged(|load| load.generators[0].delayed_nanos = Some(200_000_000));
        assert_eq!(summary.warnings, [Warning::CoreTaken { share: 0.02, core: Some(0) }]);
        assert_eq!((summary.validity(), summary.warnings[0].blame()), (Validity::Suspect, Blame::Machine));
    }

    #[test]
    fn requests_for_which_no_connection_became_idle_are_blamed_on_the_servers() {
        let unsent = |lost: u64| {
            judged(|load| {
                load.seconds.iter_mut().for_each(|second| second.outcomes.class_mut(VALID).sent -= lost);
            })
        };
        let kinds = |summary: &Summary| -> Vec<Blame> {
            let unfit = summary.warnings.iter().filter(|warning| warning.gravity() == Gravity::Unfit);
            let requests = unfit.filter(|warning| !matches!(warning, Warning::Errors { .. }));
            requests.map(Warning::blame).collect()
        };
        assert_eq!(kinds(&unsent(0)), []);
        assert_eq!(kinds(&unsent(2)), [Blame::Servers]);
    }

    #[test]
    fn waiting_for_a_connection_raises_a_doubt_only_if_it_is_seen_in_the_latency() {
        // 2 % waited: more than one in a hundred of all requests.
        let waiting = |waits: u64, nanos: u64| {
            let mut wait = Distribution::default();
            wait.record_many(nanos, waits);
            judged(|load| load.seconds.iter_mut().for_each(|second| second.wait = Sealed::from(&wait)))
        };
        assert_eq!(waiting(20, 20_000).validity(), Validity::Valid);
        assert_eq!(waiting(9, 500_000).validity(), Validity::Valid);
        let summary = waiting(20, 100_000);
        assert!(matches!(summary.warnings[..], [Warning::ConnectionsShort { .. }]), "{:?}", summary.warnings);
        assert_eq!((summary.validity(), summary.warnings[0].blame()), (Validity::Suspect, Blame::Servers));
    }

    #[test]
    fn a_run_is_refused_only_if_nothing_that_was_asked_is_left() {
        let refused = |thresholds: &[&str], is_late: fn(usize) -> bool| {
            let mut recordings = synthetic::recordings();
            for (index, recording) in recordings.iter_mut().enumerate() {
                recording.scenario.thresholds = thresholds.iter().map(|limit| (*limit).to_owned()).collect();
                recording.events.clear();
                if is_late(index) {
                    lagging(recording.load.as_mut().unwrap(), 900_000);
                }
            }
            analyse(&recordings).unusable().map(|warning| (warning.gravity(), warning.blame()))
        };
        assert_eq!(refused(&["p(99)<5ms"], |_| true), Some((Gravity::Unfit, Blame::Machine)));
        assert_eq!(refused(&["p(99)<5ms"], |index| index != 3), None, "one subject is left");
        assert_eq!(refused(&["errors<0.1%"], |_| true), None, "errors are counted as before");
    }
}
