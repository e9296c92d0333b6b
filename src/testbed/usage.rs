//! What the processes of a trial have used up, and what they have counted.

use std::collections::BTreeMap;

use crate::observation::{Look, Node, Role};
use crate::testbed::process::ServerProcess;
use crate::testbed::{Testbed, TestbedError, machine};
use crate::units::{Offset, Stamp};

/// The processes of a trial, and what was seen of them.
#[derive(Debug)]
pub struct NodeWatch {
    /// The load generator, the authorization server, and the resource servers in order.
    pub nodes: Vec<Node>,
    /// The processes of each: it and those that it had started when the watch began. To look for new ones costs as much as a request does.
    trees: Vec<Vec<u32>>,
}

impl Testbed {
    /// Begins to watch every process, without a look at them yet.
    pub fn watch_nodes(&self) -> Result<NodeWatch, TestbedError> {
        let mut watch = NodeWatch { nodes: Vec::new(), trees: Vec::new() };
        // Whatever it started is a node of its own.
        watch.add("load generator", Role::Client, vec![std::process::id()]);
        let servers = self.resource_servers.iter().map(|server| (server, Role::ResourceServer));
        for (server, role) in
            [(&self.authorization_server, Role::AuthorizationServer)].into_iter().chain(servers)
        {
            let unreadable = |source| TestbedError::Usage { name: server.name.clone(), source };
            watch.add(&server.name, role, machine::process_tree(server.pid).map_err(unreadable)?);
        }
        Ok(watch)
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
    fn add(&mut self, name: &str, role: Role, tree: Vec<u32>) {
        self.nodes.push(Node { name: name.to_owned(), role, hop: 0, looks: Vec::new() });
        self.trees.push(tree);
    }

    fn look(&self, number: usize, at: Offset, counters: BTreeMap<String, u64>) -> Result<Look, TestbedError> {
        let tree = &self.trees[number];
        let unreadable = |source| TestbedError::Usage { name: self.nodes[number].name.clone(), source };
        let used = machine::tree_usage(tree).map_err(unreadable)?;
        Ok(Look {
            at,
            pid: tree.first().copied(),
            cpu_nanos: used.cpu_nanos,
            resident_bytes: used.resident_bytes,
            peak_bytes: used.peak_bytes,
            counters,
        })
    }
}
