//! What the processes of a trial have used up, and what they have counted.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::timeout;

use crate::observation::{Look, Node, Role};
use crate::testbed::machine::ProcessUsage;
use crate::testbed::{Testbed, TestbedError, TrialNode, machine};
use crate::units::{Offset, Stamp};

/// What has not answered by then is not looked at: the next look is due a second after this one.
const LOOK_LIMIT: Duration = Duration::from_millis(500);

/// Looks that are less apart have the stamp of the first: they are of one instant to whoever relates what one node has counted to what
/// another has used up.
const ONE_INSTANT: Duration = Duration::from_millis(100);

impl Testbed {
    /// Every node without a look at it yet: the load generator, then the servers in order.
    pub fn unseen_nodes(&self) -> Vec<Node> {
        let servers = self.nodes().iter().map(|server| Node {
            name: server.name.clone(),
            role: server.role,
            hop: server.hop,
            process_of: server.process_of.clone(),
            resident_before_tokens: server.resident_before_tokens,
            looks: Vec::new(),
        });
        let generator = Node {
            name: "load generator".to_owned(),
            role: Role::Client,
            hop: 0,
            process_of: None,
            resident_before_tokens: None,
            looks: Vec::new(),
        };
        [generator].into_iter().chain(servers).collect()
    }

    /// Looks at every process now, `start` being the beginning of the load: each when its server answers, and with the stamp of then if
    /// that is late. One that is down, or hangs by the plan, is not looked at, nor is one that was started again meanwhile. Tells of each node whether that
    /// worked: one that does not answer within half a second loses its own look.
    pub async fn look(&self, start: Stamp, nodes: &mut [Node]) -> Vec<Result<(), TestbedError>> {
        let begun = Stamp::now().offset(start);
        let of_generator = look_at_generator(begun).map(Some);
        let of_servers = join_all(self.nodes().iter().map(|server| self.look_at(server, start, begun))).await;
        let looks = [of_generator].into_iter().chain(of_servers);
        let mut looked = Vec::new();
        for (node, look) in nodes.iter_mut().zip(looks) {
            looked.push(look.map(|look| node.looks.extend(look)));
        }
        looked
    }

    async fn look_at(
        &self,
        server: &TrialNode,
        start: Stamp,
        begun: Offset,
    ) -> Result<Option<Look>, TestbedError> {
        let Some(pid) = server.pid().filter(|_| !server.hangs_by_plan()) else { return Ok(None) };
        let counters = timeout(LOOK_LIMIT, self.counters(server)).await;
        let now = Stamp::now().offset(start);
        let used = server.usage();
        // What was asked of one process says nothing of another, and one may have been paused while it was asked.
        if server.pid() != Some(pid) || (counters.is_err() && server.hangs_by_plan()) {
            return Ok(None);
        }
        let silent = || TestbedError::Silent { name: server.name.clone(), limit: LOOK_LIMIT };
        let counters = counters.unwrap_or_else(|_| Err(silent()))?;
        let at = if now.since(begun) < ONE_INSTANT { begun } else { now };
        Ok(Some(look(at, pid, used?, counters)))
    }

    async fn counters(&self, server: &TrialNode) -> Result<BTreeMap<String, u64>, TestbedError> {
        match server.role {
            Role::AuthorizationServer => self.ask(server, "/bench/calls").await,
            Role::Gateway | Role::ResourceServer => self.ask(server, "/bench/counts").await,
            Role::Client | Role::Store | Role::Broker | Role::Foreign => Ok(BTreeMap::new()),
        }
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
