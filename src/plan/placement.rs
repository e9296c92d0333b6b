//! Which process runs on which cores.

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
}
