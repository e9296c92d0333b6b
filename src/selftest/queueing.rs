//! What queueing theory says of a single worker: exactly for given instants, and on average in closed form.

use std::time::Duration;

use crate::observation::Distribution;
use crate::selftest::law::Law;
use crate::units::Offset;

/// How long each request is in the system, waiting included, by Lindley's recursion: pure, and without any error.
pub(super) fn sojourns(
    arrivals: impl Iterator<Item = Offset>,
    times: impl Iterator<Item = Duration>,
) -> Distribution {
    let mut free = Offset::default();
    arrivals.zip(times).fold(Distribution::default(), |mut sum, (arrived, time)| {
        free = free.max(arrived) + time;
        sum.record(free.nanos() - arrived.nanos());
        sum
    })
}

/// What holds on average for Poisson arrivals, in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Theory {
    pub(super) mean: f64,
    /// Where there is a closed form.
    pub(super) p99: Option<f64>,
}

impl Theory {
    /// For so many requests a second at a worker with this law; `None` for laws other than those of M/M/1 and M/D/1.
    pub(super) fn of(law: Law, rate: f64) -> Option<Self> {
        match law {
            // M/M/1: the sojourn is exponential with the rate that is to spare.
            Law::Exponential { mean } => {
                let spare = 1.0 / mean.as_secs_f64() - rate;
                Some(Self { mean: 1.0 / spare, p99: Some(100.0_f64.ln() / spare) })
            }
            // M/D/1, by the formula of Pollaczek and Khinchine.
            Law::Constant(time) => {
                let (time, load) = (time.as_secs_f64(), rate * time.as_secs_f64());
                Some(Self { mean: time * (1.0 + load / (2.0 * (1.0 - load))), p99: None })
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arrival::{ArrivalProcess, Poisson};
    use crate::units::Rate;

    #[test]
    fn a_queue_of_three_is_worked_off_in_order() {
        let millis = |millis: u64| Duration::from_millis(millis);
        let arrivals = [0, 1, 2, 100].map(|millis| Offset::from_nanos(millis * 1_000_000));
        let found = sojourns(arrivals.into_iter(), std::iter::repeat(millis(10)));
        // 10, 19, 28, and 10 again after the pause.
        assert_eq!((found.sum(), found.max()), (67_000_000, Some(28_000_000)));
    }

    #[test]
    fn long_runs_of_the_recursion_come_to_what_the_closed_forms_say() {
        for (law, load, tolerance) in [
            (Law::Exponential { mean: Duration::from_millis(2) }, 0.5, 0.01),
            (Law::Exponential { mean: Duration::from_millis(2) }, 0.8, 0.03),
            (Law::Constant(Duration::from_millis(2)), 0.5, 0.01),
            (Law::Constant(Duration::from_millis(2)), 0.9, 0.04),
        ] {
            let rate = load / 0.002;
            let arrivals = Poisson {}.instants(Rate::try_from(rate).unwrap(), 3).take(1_000_000);
            let found = sojourns(arrivals, law.times(5));
            let theory = Theory::of(law, rate).unwrap();
            let mean = found.mean().unwrap() / 1e9;
            assert!((mean / theory.mean - 1.0).abs() < tolerance, "{law} at {load}: {mean} s");
            if let Some(p99) = theory.p99 {
                let found = found.quantile(0.99).unwrap() as f64 / 1e9;
                assert!((found / p99 - 1.0).abs() < 2.0 * tolerance, "{law} at {load}: {found} s");
            }
        }
    }
}
