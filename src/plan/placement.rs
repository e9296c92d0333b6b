//! Which process runs on which cores.

/// The load generator apart from the servers, if the machine has a core to spare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    /// The core of the load generator's thread; `None` if it shares all cores with the servers.
    pub generator: Option<u32>,
    /// The cores of the servers.
    pub servers: Vec<u32>,
}

impl Placement {
    /// Gives the last of `cores` to the load generator: the first one often serves interrupts.
    pub fn on(cores: &[u32]) -> Self {
        match cores {
            [servers @ .., generator] if !servers.is_empty() => {
                Self { generator: Some(*generator), servers: servers.to_vec() }
            }
            all => Self { generator: None, servers: all.to_vec() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_has_a_core_of_its_own_when_there_is_one_to_spare() {
        let check = |cores: &[u32], generator, servers: &[u32]| {
            assert_eq!(Placement::on(cores), Placement { generator, servers: servers.to_vec() });
        };
        check(&[0], None, &[0]);
        check(&[0, 1], Some(1), &[0]);
        check(&[2, 3, 6, 7], Some(7), &[2, 3, 6]);
    }
}
