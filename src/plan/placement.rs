//! Which process runs on which cores, and which servers share one.

use std::ops::RangeInclusive;

/// The load generator apart from the servers, if the machine has cores to spare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    /// The cores of the load generator's threads, one each; none if a single thread shares all cores with the servers.
    pub generators: Vec<u32>,
    /// The cores of the servers.
    pub servers: Vec<u32>,
}

impl Placement {
    /// Gives the last of `cores` to `threads` of the load generator: the first one often serves interrupts.
    pub fn on(cores: &[u32], threads: usize) -> Self {
        match cores.len().checked_sub(threads) {
            Some(servers @ 1..) => {
                Self { generators: cores[servers..].to_vec(), servers: cores[..servers].to_vec() }
            }
            Some(0) | None => Self { generators: Vec::new(), servers: cores.to_vec() },
        }
    }
}

/// So many processes of enforcement points share each core of the servers: more cost more than the servers in them, each with its runtime and its
/// start.
const PROCESSES_PER_CORE: usize = 8;

impl Placement {
    /// The enforcement points of a trial, numbered from 1, in as many parts as have a process each: one alone where that fits the cores.
    pub fn processes(&self, resource_servers: u32) -> Vec<RangeInclusive<u32>> {
        let most = u32::try_from(PROCESSES_PER_CORE * self.servers.len().max(1)).unwrap_or(u32::MAX);
        let parts = resource_servers.min(most);
        let end = |part: u32| {
            let end = u64::from(part) * u64::from(resource_servers) / u64::from(parts);
            u32::try_from(end).expect("at most as many as there are")
        };
        (0..parts).map(|part| end(part) + 1..=end(part + 1)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_has_cores_of_its_own_when_there_are_enough_to_spare() {
        let check = |cores: &[u32], threads, generators: &[u32], servers: &[u32]| {
            let expected = Placement { generators: generators.to_vec(), servers: servers.to_vec() };
            assert_eq!(Placement::on(cores, threads), expected);
        };
        check(&[0], 1, &[], &[0]);
        check(&[0, 1], 1, &[1], &[0]);
        check(&[2, 3, 6, 7], 1, &[7], &[2, 3, 6]);
        check(&[2, 3, 6, 7], 3, &[3, 6, 7], &[2]);
        check(&[2, 3], 2, &[], &[2, 3]);
    }

    #[test]
    fn resource_servers_share_processes_where_one_each_does_not_fit_the_cores() {
        let on = |cores: usize| Placement { generators: Vec::new(), servers: (0..).take(cores).collect() };
        assert_eq!(on(1).processes(2), [1..=1, 2..=2]);
        assert_eq!(on(1).processes(8).len(), 8);
        assert_eq!(on(7).processes(50).len(), 50);
        let shared = on(1).processes(50);
        assert_eq!(shared.iter().cloned().flatten().collect::<Vec<_>>(), (1..=50).collect::<Vec<_>>());
        let sizes: Vec<usize> = shared.iter().map(|part| part.clone().count()).collect();
        assert_eq!(sizes, [6, 6, 6, 7, 6, 6, 6, 7]);
    }
}
