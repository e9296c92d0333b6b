//! What else the machine did between two instants.

use crate::observation::Conditions;
use crate::testbed::machine::kernel::text;

/// A window over which the machine is watched: begun at its start, ended at its end.
#[derive(Debug)]
pub struct Watch {
    start: Option<CoreTime>,
}

impl Watch {
    /// Begins the window.
    pub fn begin() -> Self {
        Self { start: core_time_now() }
    }

    /// Ends the window. Steal is that of the window; the kernel's figure of pressure is its average of the
    /// last 10 seconds.
    pub fn end(self) -> Conditions {
        Conditions {
            cpu_pressure_percent: text("/proc/pressure/cpu").and_then(|text| some_avg10(&text)),
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

/// `some avg10`: the share of the last 10 seconds, in percent, in which a task waited for a core.
fn some_avg10(pressure: &str) -> Option<f64> {
    let some = pressure.lines().find_map(|line| line.strip_prefix("some "))?;
    some.split_whitespace().find_map(|field| field.strip_prefix("avg10="))?.parse().ok()
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
    fn pressure_is_the_share_of_ten_seconds_in_which_some_task_waited() {
        let text = "some avg10=12.50 avg60=0.07 avg300=0.86 total=6057\nfull avg10=1.00 avg60=0.00 total=0";
        assert_eq!(some_avg10(text), Some(12.5));
        assert_eq!(some_avg10("full avg10=1.00"), None);
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
