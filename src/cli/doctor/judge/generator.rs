//! What the load generator can do here, and what disturbs it.

use std::time::Duration;

use crate::cli::doctor::judge::{at_most, check};
use crate::cli::doctor::{Check, Mark};
use crate::load::Engine;
use crate::selftest::{Ceiling, Noise, PUNCTUAL, Waking};

/// A thread that spins is where it should be but for interrupts of some microseconds, a few hundred a second.
pub(super) fn noise(noise: Noise) -> Check {
    let share = 100.0 * noise.whole.as_secs_f64() / noise.looked.as_secs_f64().max(f64::MIN_POSITIVE);
    let worst = noise.worst.as_secs_f64() * 1e3;
    let found = format!(
        "{:.0} gaps of more than 10 us a second, worst {worst:.2} ms, {share:.2} % of the time",
        noise.per_second()
    );
    let mark = at_most(share, 0.5, 20.0).max(at_most(worst, 1.0, f64::INFINITY));
    check(
        "noise",
        mark,
        found,
        "requests due in a gap are sent late: stop other work on the machine, keep interrupts off the generator's core \
         (/proc/irq/*/smp_affinity), or boot with isolcpus",
    )
}

/// A send takes 2 or 3 us if its receiver is awake. Where arrivals are random, one request in a hundred is due within 20 us of
/// the one before at 500 a second already.
pub(super) fn waking(waking: Waking) -> Check {
    let (p50, p99) = (micros(waking.p50), micros(waking.p99));
    let found = format!("{p50} us for a send that wakes a server at p50, {p99} us at p99");
    check(
        "waking",
        at_most(waking.p50.as_secs_f64() * 1e6, 10.0, f64::INFINITY),
        found,
        "requests due during such a send are sent late: keep cores from halting (boot with idle=poll), or measure on a machine \
         that is not virtual",
    )
}

/// The rate below which lag says nothing about the load.
pub(super) fn ceiling(ceiling: Ceiling) -> Check {
    let name = match ceiling.engine {
        Engine::Http1 => "generator",
        Engine::Hyper => "generator (hyper)",
        Engine::Http2 => "generator (HTTP/2)",
    };
    let (micros, bound) = (micros(ceiling.lag), micros(PUNCTUAL));
    let (mark, found) = match ceiling.rate {
        Some(rate) => (
            if rate < 10_000.0 { Mark::Warn } else { Mark::Ok },
            format!("up to {rate:.0} requests a second with lag p99 below {bound} us ({micros} us there)"),
        ),
        None => (Mark::Warn, format!("lag p99 {micros} us at 2000 requests a second, above {bound} us")),
    };
    check(
        name,
        mark,
        found,
        "requests are sent late above this rate: stop other work on the machine, give the generator a core of its own, use \
         a release build",
    )
}

fn micros(lag: Duration) -> u128 {
    lag.as_nanos().div_ceil(1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spinning_thread_that_is_interrupted_for_long_or_often_is_worth_a_warning() {
        let mark = |gaps, worst: u64, whole: u64| {
            let (worst, whole) = (Duration::from_micros(worst), Duration::from_micros(whole));
            noise(Noise { looked: Duration::from_secs(1), gaps, worst, whole }).mark
        };
        assert_eq!(mark(250, 30, 4_000), Mark::Ok);
        assert_eq!(mark(250, 1_001, 4_000), Mark::Warn);
        assert_eq!(mark(2_500, 30, 40_000), Mark::Warn);
        assert_eq!(mark(2_500, 30, 400_000), Mark::Bad);
    }

    #[test]
    fn servers_that_are_slow_to_wake_are_worth_a_warning() {
        let of = |p50| waking(Waking { p50: Duration::from_micros(p50), p99: Duration::from_micros(30) });
        assert_eq!(of(3).found, "3 us for a send that wakes a server at p50, 30 us at p99");
        assert_eq!([of(3), of(10), of(11)].map(|check| check.mark), [Mark::Ok, Mark::Ok, Mark::Warn]);
    }

    #[test]
    fn a_generator_that_is_late_at_usual_rates_is_worth_a_warning_and_says_what_it_can_do() {
        let of = |rate| ceiling(Ceiling { engine: Engine::Http1, rate, lag: Duration::from_nanos(4_100) });
        assert_eq!(
            of(Some(48_000.0)).found,
            "up to 48000 requests a second with lag p99 below 20 us (5 us there)"
        );
        assert_eq!([Some(48_000.0), Some(9_000.0), None].map(|rate| of(rate).mark), MARKS);
    }

    const MARKS: [Mark; 3] = [Mark::Ok, Mark::Warn, Mark::Warn];
}
