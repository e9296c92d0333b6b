//! What each fact means for a measurement: pure, one function a check.

mod generator;
mod processor;
mod room;
mod time;

use crate::cli::doctor::look::MachineFacts;
use crate::cli::doctor::{Check, Mark};

/// Every check, in the order in which they are printed.
pub(super) fn checks(facts: &MachineFacts) -> Vec<Check> {
    let mut checks = vec![
        processor::build(&facts.environment.build),
        processor::cores(&facts.environment),
        processor::quota(facts.environment.cores_available, facts.parallelism),
        processor::siblings(&facts.generator_siblings),
        processor::frequency(&facts.governors),
        processor::hypervisor(facts.environment.hypervisor.as_deref()),
        time::clock_source(&facts.environment.clock_source),
        time::clock(facts.clock),
        time::timer(facts.timer_error),
        generator::noise(facts.noise),
        generator::waking(facts.waking),
        time::pressure(facts.conditions.cpu_pressure_percent),
        time::steal(facts.conditions.steal_percent),
        time::load_average(facts.load_average, facts.environment.cores_available),
        room::files(facts.files),
        room::ports(facts.ports, facts.ports_are_reused),
        room::accept_backlog(facts.accept_backlog),
        room::memory(facts.memory_available),
        room::disk(facts.disk_free),
    ];
    checks.extend(facts.ceilings.iter().copied().map(generator::ceiling));
    checks
}

/// A check whose advice is given only where something is to be changed.
fn check(name: &'static str, mark: Mark, found: String, advice: &'static str) -> Check {
    Check { name, mark, found, advice: (mark > Mark::Ok).then_some(advice) }
}

/// A fact that the system does not tell may be fine or not.
fn untold(name: &'static str, advice: &'static str) -> Check {
    check(name, Mark::Warn, "this system does not report it".to_owned(), advice)
}

/// The mark of a value of which less is better: beyond `warn` it is worth a look, beyond `bad` it is wrong.
fn at_most(value: f64, warn: f64, bad: f64) -> Mark {
    if value > bad {
        Mark::Bad
    } else if value > warn {
        Mark::Warn
    } else {
        Mark::Ok
    }
}

/// The mark of a value of which more is better.
fn at_least(value: u64, warn: u64, bad: u64) -> Mark {
    if value < bad {
        Mark::Bad
    } else if value < warn {
        Mark::Warn
    } else {
        Mark::Ok
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_at_its_limit_is_still_within_it() {
        assert_eq!([1.0, 5.0, 5.1, 20.0, 20.1].map(|value| at_most(value, 5.0, 20.0)), MARKS);
        assert_eq!([21, 20, 19, 5, 4].map(|value| at_least(value, 20, 5)), MARKS);
    }

    const MARKS: [Mark; 5] = [Mark::Ok, Mark::Ok, Mark::Warn, Mark::Warn, Mark::Bad];

    #[test]
    fn advice_comes_only_with_something_to_change() {
        let advice = |mark| check("name", mark, String::new(), "change it").advice;
        assert_eq!(advice(Mark::Ok), None);
        assert_eq!(advice(Mark::Warn), Some("change it"));
        assert_eq!(advice(Mark::Bad), Some("change it"));
    }
}
