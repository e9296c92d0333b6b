//! What the processes of a trial have used up, and what they have counted.

use std::collections::BTreeMap;

use crate::observation::{Look, Node, Role};
use crate::testbed::machine::ProcessTree;
use crate::testbed::process::ServerProcess;
use crate::testbed::{Testbed, TestbedError};
use crate::units::{Offset, Stamp};

/// The processes of a trial, and what was seen of them.
#[derive(Debug)]
pub struct NodeWatch {
    /// The load generator, the authorization server, and the resource servers in order.
    pub nodes: Vec<Node>,
    /// The processes of each.
    trees: Vec<ProcessTree>,
}

impl Testbed {
    /// Begins to watch every process, without a look at them yet.
    pub fn watch_nodes(&self) -> NodeWatch {
        let mut watch = NodeWatch { nodes: Vec::new(), trees: Vec::new() };
        // Whatever it started is a node of its own.
        watch.add("load generator", Role::Client, std::process::id());
        let servers = self.resource_servers.iter().map(|server| (server, Role::ResourceServer));
        for (server, role) in
            [(&self.authorization_server, Role::AuthorizationServer)].into_iter().chain(servers)
        {
            watch.add(&server.name, role, server.pid);
        }
        watch
    }

    /// Looks at every process now, `start` being the beginning of the load; at none if one cannot be looked at.
    pub async fn look(&self, start: Stamp, watch: &mut NodeWatch) -> Result<(), TestbedError> {
        let at = Stamp::now().offset(start);
        let mut looks = vec![watch.look(0, at, BTreeMap::new())?];
        looks.push(watch.look(1, at, self.counters(&self.authorization_server, "/bench/calls").await?)?);
        for (server, number) in self.resource_servers.iter().zip(2..) {
            looks.push(watch.look(number, at, self.counters(server, "/bench/counts").await?)?);
        }
        watch.nodes.iter_mut().zip(looks).for_each(|(node, look)| node.looks.push(look));
        Ok(())
    }

    async fn counters(
        &self,
        server: &ServerProcess,
        path: &str,
    ) -> Result<BTreeMap<String, u64>, TestbedError> {
        self.ask(server, path).await
    }
}

impl NodeWatch {
    fn add(&mut self, name: &str, role: Role, process: u32) {
        self.nodes.push(Node { name: name.to_owned(), role, hop: 0, looks: Vec::new() });
        self.trees.push(ProcessTree::of(process));
    }

    fn look(
        &mut self,
        number: usize,
        at: Offset,
        counters: BTreeMap<String, u64>,
    ) -> Result<Look, TestbedError> {
        let tree = &mut self.trees[number];
        let unreadable = |source| TestbedError::Usage { name: self.nodes[number].name.clone(), source };
        let used = tree.usage().map_err(unreadable)?;
        Ok(Look {
            at,
            pid: Some(tree.root()),
            cpu_nanos: used.cpu_nanos,
            resident_bytes: used.resident_bytes,
            peak_bytes: used.peak_bytes,
            counters,
        })
    }
}
