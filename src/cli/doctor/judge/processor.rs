//! Who runs where, how fast, and on what.

use crate::cli::doctor::judge::check;
use crate::cli::doctor::{Check, Mark};
use crate::observation::Environment;

pub(super) fn build(build: &str) -> Check {
    let mark = if build == "release" { Mark::Ok } else { Mark::Warn };
    check("build", mark, build.to_owned(), "figures of a debug build mean nothing: cargo build --release")
}

pub(super) fn cores(environment: &Environment) -> Check {
    let cores = &environment.cores;
    let alone = cores.generator.iter().all(|core| !cores.servers.contains(core));
    let found = if alone {
        format!("generator on {:?}, servers on {:?}", cores.generator, cores.servers)
    } else {
        format!("generator and servers share {:?}", cores.generator)
    };
    let mark = if alone { Mark::Ok } else { Mark::Warn };
    check(
        "cores",
        mark,
        found,
        "latencies hold the generator's own work: use a machine with two or more cores",
    )
}

pub(super) fn quota(cores: u32, parallelism: u32) -> Check {
    let mark = if parallelism < cores { Mark::Warn } else { Mark::Ok };
    let found = format!("{parallelism} of {cores} cores' time");
    check("quota", mark, found, "servers are stopped when it is used up: raise the container's CPU quota")
}

pub(super) fn siblings(siblings: &[u32]) -> Check {
    let (mark, found) = match siblings {
        [] => (Mark::Ok, "the generator's core is a physical one".to_owned()),
        shared => (Mark::Warn, format!("the generator's core shares its units with {shared:?}")),
    };
    check(
        "hyper-threads",
        mark,
        found,
        "a server there slows the generator: switch SMT off, or leave that core free",
    )
}

pub(super) fn frequency(governors: &[String]) -> Check {
    let (mark, found) = match governors {
        [] => (Mark::Ok, "not controlled from here".to_owned()),
        [one] if one == "performance" => (Mark::Ok, one.clone()),
        others => (Mark::Warn, others.join(", ")),
    };
    check("frequency", mark, found, "work gets slower at low load: cpupower frequency-set -g performance")
}

pub(super) fn hypervisor(name: Option<&str>) -> Check {
    let found = name.map_or("none seen".to_owned(), str::to_owned);
    check("hypervisor", Mark::Ok, found, "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observation::Cores;
    use crate::plan::Placement;
    use crate::run;
    use crate::testbed::machine::environment;

    fn shared_among(cores: &[u32]) -> Check {
        super::cores(&environment(run::cores(&Placement::on(cores, 1))))
    }

    #[test]
    fn a_generator_without_a_core_of_its_own_is_worth_a_warning() {
        assert_eq!(shared_among(&[0, 1]).mark, Mark::Ok);
        assert_eq!(shared_among(&[0, 1]).found, "generator on [1], servers on [0]");
        assert_eq!(shared_among(&[3]).mark, Mark::Warn);
        let partly = Cores { generator: vec![1, 2], servers: vec![0, 1] };
        assert_eq!(super::cores(&environment(partly)).mark, Mark::Warn);
    }

    #[test]
    fn only_a_release_build_passes() {
        assert_eq!(build("release").mark, Mark::Ok);
        assert_eq!(build("debug").mark, Mark::Warn);
    }

    #[test]
    fn less_time_than_cores_is_worth_a_warning() {
        assert_eq!(quota(4, 4).mark, Mark::Ok);
        assert_eq!(quota(4, 1).mark, Mark::Warn);
    }

    #[test]
    fn a_shared_physical_core_is_worth_a_warning() {
        assert_eq!(siblings(&[]).mark, Mark::Ok);
        assert_eq!(siblings(&[3]).mark, Mark::Warn);
    }

    #[test]
    fn only_the_performance_governor_on_every_core_passes() {
        let check =
            |names: &[&str]| frequency(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).mark;
        assert_eq!(check(&[]), Mark::Ok);
        assert_eq!(check(&["performance"]), Mark::Ok);
        assert_eq!(check(&["performance", "powersave"]), Mark::Warn);
    }

    #[test]
    fn a_hypervisor_is_told_but_no_fault() {
        assert_eq!(hypervisor(Some("KVM")).found, "KVM");
        assert_eq!(hypervisor(Some("KVM")).mark, Mark::Ok);
    }
}
