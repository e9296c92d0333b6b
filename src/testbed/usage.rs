//! What the processes of a trial have used up, and what they have counted.

use crate::observation::{AuthorizationServerUsage, ProcessUsage, ResourceServerUsage, Sample};
use crate::testbed::authorization_server::Calls;
use crate::testbed::process::ServerProcess;
use crate::testbed::resource_server::Counts;
use crate::testbed::{Testbed, TestbedError, machine};
use crate::units::Stamp;

impl Testbed {
    /// Reads every process now, `start` being the beginning of the load.
    pub async fn sample(&self, start: Stamp) -> Result<Sample, TestbedError> {
        let at = Stamp::now().offset(start);
        let calls: Calls = self.ask(&self.authorization_server, "/bench/calls").await?;
        let mut resource_servers = Vec::new();
        for server in &self.resource_servers {
            let counts: Counts = self.ask(server, "/bench/counts").await?;
            resource_servers.push(ResourceServerUsage {
                process: process(server)?,
                requests: counts.requests,
                cache_hits: counts.cache_hits,
                cache_misses: counts.cache_misses,
            });
        }
        Ok(Sample {
            at,
            generator: usage("load generator", std::process::id())?,
            authorization_server: AuthorizationServerUsage {
                process: process(&self.authorization_server)?,
                introspections: calls.introspections,
                key_sets: calls.key_sets,
                issued: calls.issued,
                revoked: calls.revoked,
            },
            resource_servers,
        })
    }
}

fn process(server: &ServerProcess) -> Result<ProcessUsage, TestbedError> {
    usage(&server.name, server.pid)
}

fn usage(name: &str, pid: u32) -> Result<ProcessUsage, TestbedError> {
    machine::process_usage(pid).map_err(|source| TestbedError::Usage { name: name.to_owned(), source })
}
