//! Whether the load generator did what the plan asked for, or measured itself (issue 4: a run judges itself).

use std::collections::BTreeMap;

use crate::analysis::trials::Trials;
use crate::analysis::{Estimate, Warning};
use crate::metric::MetricId;
use crate::observation::{Generator, Load, Outcomes};

/// A lag of this many seconds is not held against the generator, however short a service time is: a wake-up of the
/// kernel takes as long, and nobody compares architectures that differ by less.
const PUNCTUAL: f64 = 20e-6;
/// Nor is a lag of this share of the median service time: half the margin by which two medians must differ to count.
const SHARE_OF_SERVICE: f64 = 0.05;
/// No request in a thousand may be later, in seconds: as late are generators that sleep by a timer of milliseconds.
const LATEST: f64 = 0.001;
/// The 99.9th percentile of fewer requests is that of a handful of them, which any machine delays once in a while.
const ENOUGH_FOR_P999: u64 = 10_000;
/// A generator that sleeps while it waits and still uses more of its core than this has no time left to be punctual.
const BUSIEST: f64 = 0.95;
/// A core that somebody else had for a larger share of the time delays a request in a hundred: it is seen in the p99.
const DELAYED: f64 = 0.01;

/// Every reason to blame the generator, or who took its cores.
pub(super) fn warnings(trials: &Trials<'_>, estimates: &BTreeMap<MetricId, Estimate>) -> Vec<Warning> {
    let mut warnings: Vec<Warning> = late(trials, estimates).into_iter().collect();
    warnings.extend(worst(trials, busy, BUSIEST).map(|(share, thread)| Warning::GeneratorBusy {
        share,
        core: thread.core,
        precision: thread.precision.clone(),
    }));
    let delayed = worst(trials, delayed, DELAYED);
    warnings.extend(delayed.map(|(share, thread)| Warning::CoreTaken { share, core: thread.core }));
    warnings
}

fn late(trials: &Trials<'_>, estimates: &BTreeMap<MetricId, Estimate>) -> Option<Warning> {
    let point = |metric| estimates.get(&metric).map(|estimate: &Estimate| estimate.point);
    let lag = Lag {
        p99: point(MetricId::LagP99)?,
        p999: point(MetricId::LagP999),
        requests: planned(trials),
        service: point(MetricId::ServiceP50).unwrap_or(0.0),
    };
    lag.too_long()?;
    Some(Warning::GeneratorLate { p99: lag.p99, limit: lag.limit(), p999: lag.p999() })
}

/// How late the generator was, in seconds, and what that is measured by.
pub(super) struct Lag {
    pub(super) p99: f64,
    pub(super) p999: Option<f64>,
    /// How many requests had a lag.
    pub(super) requests: u64,
    /// The median service time, in seconds.
    pub(super) service: f64,
}

impl Lag {
    /// The quantile of which latencies hold too much, if there is one.
    pub(super) fn too_long(&self) -> Option<f64> {
        let worst = self.p999().filter(|p999| *p999 > LATEST);
        worst.or(Some(self.p99).filter(|p99| *p99 > self.limit()))
    }

    fn limit(&self) -> f64 {
        PUNCTUAL.max(SHARE_OF_SERVICE * self.service)
    }

    /// Where there are enough requests to tell.
    fn p999(&self) -> Option<f64> {
        self.p999.filter(|_| self.requests >= ENOUGH_FOR_P999)
    }
}

/// Requests that the plan asked for: the generator takes up each of them, however late it is, and every one left a lag.
pub(super) fn planned(trials: &Trials<'_>) -> u64 {
    sum(trials, |outcomes| outcomes.planned)
}

/// Requests that were sent.
pub(super) fn sent(trials: &Trials<'_>) -> u64 {
    sum(trials, |outcomes| outcomes.sent)
}

fn sum(trials: &Trials<'_>, of: fn(&Outcomes) -> u64) -> u64 {
    trials.seconds().iter().map(|second| of(&second.outcomes)).sum()
}

/// Share of the window that a thread ran, where it sleeps while it waits: a thread that polls is meant to fill its core.
fn busy(thread: &Generator, seconds: f64) -> Option<f64> {
    let sleeps = ["sleep", "hybrid"].contains(&thread.precision.as_str());
    sleeps.then(|| thread.cpu_nanos as f64 / 1e9 / seconds)
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
    use crate::analysis::{Blame, Gravity, Summary, Validity, analyse, synthetic};
    use crate::observation::{Distribution, Sealed};

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

    /// A thousand lags of a second, so many of them this late.
    fn lags(late: u64, nanos: u64) -> Sealed {
        let mut lag = Distribution::default();
        lag.record_many(800, 1_000 - late);
        lag.record_many(nanos, late);
        Sealed::from(&lag)
    }

    #[test]
    fn a_lag_of_more_than_20_microseconds_in_a_hundred_requests_or_a_millisecond_in_a_thousand_is_too_late() {
        for (late, nanos, expected) in [
            (20, 19_000, None),
            (20, 21_000, Some(Gravity::Unfit)),
            (9, 900_000, None),
            (9, 1_100_000, Some(Gravity::Unfit)),
            // One in two thousand is beyond the 99.9th percentile.
            (0, 0, None),
        ] {
            let summary = judged(|load| {
                load.seconds.iter_mut().for_each(|second| second.lag = lags(late, nanos));
            });
            assert_eq!(gravity(&summary), expected, "{late} {nanos}: {:?}", summary.warnings);
        }
    }

    #[test]
    fn the_last_of_a_few_requests_may_be_late() {
        let summary = judged(|load| {
            load.seconds.truncate(1);
            load.measured_seconds = 1.0;
            load.generators.clear();
            load.seconds[0].lag = lags(2, 3_000_000);
        });
        assert_eq!(gravity(&summary), None, "{:?}", summary.warnings);
    }

    #[test]
    fn a_long_service_allows_a_longer_lag() {
        let slow = |lag: u64| {
            judged(|load| {
                for second in &mut load.seconds {
                    let mut service = Distribution::default();
                    service.record_many(10_000_000, second.service.count());
                    (second.service, second.lag) = (Sealed::from(&service), lags(20, lag));
                }
            })
        };
        assert_eq!(gravity(&slow(490_000)), None);
        assert_eq!(gravity(&slow(510_000)), Some(Gravity::Unfit));
    }

    #[test]
    fn a_generator_that_sleeps_but_fills_its_core_is_invalid_and_one_that_polls_is_meant_to() {
        for (precision, cpu, expected) in [
            ("hybrid", 9_400_000_000, None),
            ("hybrid", 9_600_000_000, Some(Gravity::Unfit)),
            ("sleep", 9_600_000_000, Some(Gravity::Unfit)),
            ("busy", 10_000_000_000, None),
            ("spin", 10_000_000_000, None),
        ] {
            let summary = judged(|load| {
                load.generators[0].precision = precision.to_owned();
                load.generators[0].cpu_nanos = cpu;
            });
            assert_eq!(gravity(&summary), expected, "{precision} {cpu}: {:?}", summary.warnings);
        }
    }

    #[test]
    fn somebody_else_on_the_core_of_the_generator_is_told_with_the_core() {
        let summary = judged(|load| load.generators[0].delayed_nanos = Some(200_000_000));
        assert_eq!(summary.warnings, [Warning::CoreTaken { share: 0.02, core: Some(0) }]);
        assert_eq!((summary.validity(), summary.warnings[0].blame()), (Validity::Suspect, Blame::Machine));
        assert!(summary.unusable().is_none());
    }

    #[test]
    fn requests_for_which_no_connection_became_idle_are_blamed_on_the_servers() {
        let unsent =
            |sent: u64| judged(|load| load.seconds.iter_mut().for_each(|second| second.outcomes.sent = sent));
        let kinds = |summary: &Summary| -> Vec<Blame> {
            let unfit = summary.warnings.iter().filter(|warning| warning.gravity() == Gravity::Unfit);
            let requests = unfit.filter(|warning| !matches!(warning, Warning::Errors { .. }));
            requests.map(Warning::blame).collect()
        };
        assert_eq!(kinds(&unsent(1_000)), []);
        assert_eq!(kinds(&unsent(998)), [Blame::Servers]);
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
    fn figures_of_a_late_generator_cross_no_threshold_and_keep_none() {
        let late = |recording: &mut crate::observation::Recording| {
            let seconds = &mut recording.load.as_mut().unwrap().seconds;
            for second in seconds.iter_mut() {
                second.lag = lags(20, 900_000);
            }
        };
        let mut recordings = synthetic::recordings();
        late(&mut recordings[1]);
        let analysis = analyse(&recordings);
        let (summary, warning) = analysis.unusable().unwrap();
        assert_eq!((summary.subject.name.as_str(), warning.blame()), ("introspection", Blame::Generator));
        for verdict in &analysis.thresholds {
            let is_unusable =
                verdict.outcome == crate::analysis::Outcome::NotShown(crate::analysis::Unproven::Unusable);
            assert_eq!(is_unusable, verdict.subject == "introspection", "{verdict:?}");
        }
    }
}
