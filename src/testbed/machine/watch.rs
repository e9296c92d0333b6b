//! What else the machine did between two instants.

use std::time::{Duration, Instant};

use crate::observation::Conditions;
use crate::testbed::machine::kernel::text;

/// A window over which the machine is watched: begun at its start, ended at its end.
#[derive(Debug)]
pub struct Watch {
    begun: Instant,
    start: Option<CoreTime>,
    waited: Option<Duration>,
}

impl Watch {
    /// Begins the window.
    pub fn begin() -> Self {
        Self { begun: Instant::now(), start: core_time_now(), waited: waited_now() }
    }

    /// Ends the window, which both figures are of.
    pub fn end(self) -> Conditions {
        Conditions {
            cpu_pressure_percent: self.waited.zip(waited_now()).map(|(before, after)| {
                let share = after.saturating_sub(before).as_secs_f64() / self.begun.elapsed().as_secs_f64();
                (100.0 * share).min(100.0)
            }),
            steal_percent: self.start.zip(core_time_now()).and_then(|(start, end)| steal_percent(start, end)),
        }
    }
}

/// Time of all cores since the machine began, in ticks.
#[derive(Clone, Copy, Debug, PartialEq)]
struct CoreTime {
    stolen: u64,
    total: u64,
}

fn core_time_now() -> Option<CoreTime> {
    core_time(&text("/proc/stat")?)
}

/// The line `cpu` of `/proc/stat`: user nice system idle iowait irq softirq steal; the guest times behind
/// are in user and nice already.
fn core_time(stat: &str) -> Option<CoreTime> {
    let line = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
    let ticks: Vec<u64> = line.split_whitespace().take(8).map_while(|field| field.parse().ok()).collect();
    Some(CoreTime { stolen: *ticks.get(7)?, total: ticks.iter().sum() })
}

/// `None` for a window so short that no tick fell into it.
fn steal_percent(start: CoreTime, end: CoreTime) -> Option<f64> {
    let total = end.total.checked_sub(start.total).filter(|total| *total > 0)?;
    // The counter has been seen to step back when a machine is moved to another host.
    Some(100.0 * end.stolen.saturating_sub(start.stolen) as f64 / total as f64)
}

fn waited_now() -> Option<Duration> {
    waited(&text("/proc/pressure/cpu")?)
}

/// `some total`: for how long a task has waited for a core since the machine began, in microseconds.
fn waited(pressure: &str) -> Option<Duration> {
    let some = pressure.lines().find_map(|line| line.strip_prefix("some "))?;
    let total = some.split_whitespace().find_map(|field| field.strip_prefix("total="))?.parse().ok()?;
    Some(Duration::from_micros(total))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str = "cpu  100 0 50 800 10 0 20 20 7 0\ncpu0 57523 0 4910 95047 213 0 11 797 0 0\n";
    const AFTER: &str = "cpu  200 0 50 890 10 0 20 30 90 0\ncpu0 57523 0 4910 95047 213 0 11 797 0 0\n";

    #[test]
    fn steal_is_a_share_of_the_window_over_all_cores_and_guests_count_once() {
        let (before, after) = (core_time(BEFORE).unwrap(), core_time(AFTER).unwrap());
        assert_eq!(before, CoreTime { stolen: 20, total: 1000 });
        assert_eq!(steal_percent(before, after), Some(5.0));
    }

    #[test]
    fn a_window_without_a_tick_has_no_steal_rather_than_none() {
        let start = core_time(BEFORE).unwrap();
        assert_eq!(steal_percent(start, start), None);
    }

    #[test]
    fn a_kernel_that_counts_no_steal_is_not_taken_for_one_without_it() {
        assert_eq!(core_time("cpu  100 0 50 800\n"), None);
    }

    #[test]
    fn pressure_is_what_was_waited_within_the_window() {
        let text = "some avg10=12.50 avg60=0.07 avg300=0.86 total=6057\nfull avg10=1.00 avg60=0.00 total=0";
        assert_eq!(waited(text), Some(Duration::from_micros(6_057)));
        assert_eq!(waited("full avg10=1.00"), None);
    }

    #[test]
    fn this_machine_can_be_watched() {
        let watch = Watch::begin();
        let start = watch.start.expect("Linux has /proc/stat");
        while core_time_now().unwrap().total == start.total {
            std::thread::yield_now();
        }
        let steal = watch.end().steal_percent.unwrap();
        assert!((0.0..=100.0).contains(&steal), "{steal}");
    }
}
