//! What the processes of a trial have used up, and what they have counted.

use std::collections::BTreeMap;

use futures_util::future::try_join_all;

use crate::observation::{Look, Node, Role};
use crate::testbed::machine::ProcessUsage;
use crate::testbed::{Testbed, TestbedError, TrialNode, machine};
use crate::units::{Offset, Stamp};

impl Testbed {
    /// Every node without a look at it yet: the load generator, the authorization server, and the resource servers in order.
    pub fn unseen_nodes(&self) -> Vec<Node> {
        let servers = self.nodes().iter().map(|server| (server.name.as_str(), server.role, server.hop));
        [("load generator", Role::Client, 0)]
            .into_iter()
            .chain(servers)
            .map(|(name, role, hop)| Node { name: name.to_owned(), role, hop, looks: Vec::new() })
            .collect()
    }

    /// Looks at every process now, `start` being the beginning of the load: all at about the same instant, each when its server answers.
    /// One that is down is not looked at; none is if one that should answer does not.
    pub async fn look(&self, start: Stamp, nodes: &mut [Node]) -> Result<(), TestbedError> {
        let at = Stamp::now().offset(start);
        let of_servers = try_join_all(self.nodes().iter().map(|server| self.look_at(server, at))).await?;
        let looks = [Some(look_at_generator(at)?)].into_iter().chain(of_servers);
        for (node, look) in nodes.iter_mut().zip(looks) {
            node.looks.extend(look);
        }
        Ok(())
    }

    async fn look_at(&self, server: &TrialNode, at: Offset) -> Result<Option<Look>, TestbedError> {
        let Some(pid) = server.pid() else { return Ok(None) };
        let counters = match server.role {
            Role::AuthorizationServer => self.ask(server, "/bench/calls").await?,
            Role::Gateway | Role::ResourceServer => self.ask(server, "/bench/counts").await?,
            Role::Client | Role::Store | Role::Broker | Role::Foreign => BTreeMap::new(),
        };
        Ok(Some(look(at, pid, server.usage()?, counters)))
    }
}

/// The process alone: whatever it started is a node of its own.
fn look_at_generator(at: Offset) -> Result<Look, TestbedError> {
    let pid = std::process::id();
    let used = machine::process_usage(pid)
        .map_err(|source| TestbedError::Usage { name: "load generator".to_owned(), source })?;
    Ok(look(at, pid, used, BTreeMap::new()))
}

fn look(at: Offset, pid: u32, used: ProcessUsage, counters: BTreeMap<String, u64>) -> Look {
    Look {
        at,
        pid: Some(pid),
        cpu_nanos: used.cpu_nanos,
        resident_bytes: used.resident_bytes,
        peak_bytes: used.peak_bytes,
        counters,
    }
}
