//! How well time can be told and kept, and what else takes it.

use crate::cli::doctor::judge::{at_most, check, untold};
use crate::cli::doctor::look::ClockFacts;
use crate::cli::doctor::{Check, Mark};

pub(super) fn clock_source(source: &str) -> Check {
    let mark = match source {
        "tsc" | "kvm-clock" | "hyperv_clocksource_tsc_page" | "arch_sys_counter" => Mark::Ok,
        // A reading is a system call and a slow device: microseconds.
        "hpet" | "acpi_pm" | "jiffies" | "refined-jiffies" | "pit" => Mark::Bad,
        _ => Mark::Warn,
    };
    let advice =
        "readings are slow or coarse: boot with clocksource=tsc, or choose kvm-clock in the virtual machine";
    check("clock source", mark, source.to_owned(), advice)
}

/// Two readings a request at 100,000 requests a second take 2 % of a core at 100 ns each, 20 % at 1 us.
pub(super) fn clock(clock: ClockFacts) -> Check {
    let mark = at_most(clock.read_nanos, 100.0, 1_000.0).max(at_most(clock.step_nanos as f64, 1e3, 1e5));
    let found = format!("{:.0} ns a reading, steps of {} ns", clock.read_nanos, clock.step_nanos);
    check("clock", mark, found, "stamping costs as much as serving: see the clock source")
}

/// Beyond 1 ms at p99 the environment guard throws trials away;
/// a tenth of that shows in latencies already.
pub(super) fn timer(error: Option<(u64, u64)>) -> Check {
    let Some((median, p99)) = error else {
        return untold("timer", "the generator's lag is unknown until a run records it");
    };
    let micros = |nanos: u64| nanos as f64 / 1e3;
    let found = format!("late by {:.0} us at p50, {:.0} us at p99", micros(median), micros(p99));
    let mark = at_most(micros(p99), 100.0, 1_000.0);
    check(
        "timer",
        mark,
        found,
        "requests are sent late: stop other work on the machine, free the generator's core",
    )
}

/// Beyond 20 % the environment guard throws trials away.
pub(super) fn pressure(percent: Option<f64>) -> Check {
    let Some(percent) = percent else {
        return untold("cpu pressure", "a busy machine goes unnoticed: boot a kernel with psi=1");
    };
    let mark = at_most(percent, 5.0, 20.0);
    let found = format!("{percent:.1} % of 10 s some task waited for a core");
    check("cpu pressure", mark, found, "stop other work on the machine")
}

/// Beyond 5 % the environment guard throws trials away.
pub(super) fn steal(percent: Option<f64>) -> Check {
    let Some(percent) = percent else {
        return untold("steal", "a busy host goes unnoticed: compare only trials of one run");
    };
    let found = format!("{percent:.1} % of 1 s taken by the hypervisor");
    check(
        "steal",
        at_most(percent, 1.0, 5.0),
        found,
        "other virtual machines use the host: use a dedicated host, or measure later",
    )
}

pub(super) fn load_average(load: Option<f64>, cores: u32) -> Check {
    let Some(load) = load else {
        return untold("load average", "look with `top` whether the machine is idle");
    };
    // The average of a minute holds what has ended, such as the build: pressure is the judge of now.
    let mark = at_most(load, 0.5 * f64::from(cores), f64::INFINITY);
    check(
        "load average",
        mark,
        format!("{load:.2} over a minute"),
        "stop other work on the machine, or wait a minute",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clock_sources_read_by_a_system_call_are_bad() {
        let check = |source, expected| assert_eq!(clock_source(source).mark, expected, "{source}");
        check("tsc", Mark::Ok);
        check("kvm-clock", Mark::Ok);
        check("xen", Mark::Warn);
        check("hpet", Mark::Bad);
        check("acpi_pm", Mark::Bad);
    }

    #[test]
    fn a_clock_is_judged_by_its_worse_side() {
        let check = |read_nanos, step_nanos| clock(ClockFacts { read_nanos, step_nanos }).mark;
        assert_eq!(check(40.0, 40), Mark::Ok);
        assert_eq!(check(400.0, 400), Mark::Warn);
        assert_eq!(check(40.0, 4_000_000), Mark::Bad);
        assert_eq!(check(2_000.0, 2_000), Mark::Bad);
    }

    #[test]
    fn a_timer_later_than_the_environment_guard_allows_is_bad() {
        assert_eq!(timer(Some((1_000, 60_000))).found, "late by 1 us at p50, 60 us at p99");
        assert_eq!(timer(Some((1_000, 60_000))).mark, Mark::Ok);
        assert_eq!(timer(Some((1_000, 600_000))).mark, Mark::Warn);
        assert_eq!(timer(Some((1_000, 1_000_001))).mark, Mark::Bad);
        assert_eq!(timer(None).mark, Mark::Warn);
    }

    #[test]
    fn pressure_and_steal_are_bad_where_the_environment_guard_throws_trials_away() {
        assert_eq!([Some(0.0), Some(20.0), Some(20.1), None].map(|value| pressure(value).mark), MARKS);
        assert_eq!([Some(0.0), Some(5.0), Some(5.1), None].map(|value| steal(value).mark), MARKS);
    }

    const MARKS: [Mark; 4] = [Mark::Ok, Mark::Warn, Mark::Bad, Mark::Warn];

    #[test]
    fn the_load_of_the_last_minute_alone_makes_no_machine_unfit() {
        assert_eq!(load_average(Some(0.3), 2).mark, Mark::Ok);
        assert_eq!(load_average(Some(50.0), 2).mark, Mark::Warn);
    }
}
