//! What must be so before anything starts: an error here must not cost a minute of servers.

use std::path::Path;

use crate::load;
use crate::plan::{Placement, Plan, RateStep, Trial};
use crate::testbed;
use crate::testbed::machine::{self, DiskFull, TooFewFiles};
use crate::testbed::service::{self, ServiceError};
use crate::units::Rate;

/// A plan that this machine cannot carry out.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    /// Faster than one core can send.
    #[error(
        "load.{key}: {wanted} and {probes} revocation.probes a second are more than the load generator can send \
         on this machine, about {possible:.0} req/s; lower them, or use a faster machine"
    )]
    Rate {
        /// Which key of `load` asks for it.
        key: &'static str,
        /// The highest rate that the scenario asks for.
        wanted: Rate,
        /// The probes of all its tokens at all its resource servers, per second.
        probes: f64,
        /// What was measured just now, in requests per second.
        possible: f64,
    },
    /// The limit of open files.
    #[error("load.connections")]
    Files(#[from] TooFewFiles),
    /// The loopback connection on which the rate is tried.
    #[error("cannot try how fast this machine can send")]
    Trial(#[source] std::io::Error),
    /// A program that keeps tokens.
    #[error("a subject cannot have its tokens kept")]
    Service(#[from] ServiceError),
    /// What it is tried by.
    #[error("cannot try whether services are there")]
    Runtime(#[source] std::io::Error),
    /// The disk.
    #[error("the recording would not fit")]
    Disk(#[from] DiskFull),
}

/// Files that any of the processes has open beside its connections.
const OTHER_FILES: u64 = 128;

/// A trial's line: four histograms a second, and what was probed.
const BYTES_PER_TRIAL: u64 = 1 << 20;
const BYTES_PER_SECOND: u64 = 64 << 10;

/// The connections of the process that has the most of them, since each has the limit for itself: the generator, a server that the load
/// reaches with those that share its process, or the authorization server.
fn most_connections(trial: &Trial, placement: &Placement) -> u64 {
    let (workload, architecture) = (&trial.workload, &trial.subject.architecture);
    let (servers, at_once) = (u64::from(workload.resource_servers), workload.requests_at_once());
    let calls = u64::from(at_once).min(testbed::MOST_CALLS as u64);
    let asking = architecture.everywhere().filter(|decider| decider.design().authenticates).count() as u64;
    let behind = u64::from(testbed::most_connections(at_once)) * architecture.at_hop(1).len() as u64;
    let from_the_load = u64::from(workload.connections.get());
    let generator = from_the_load * servers;
    let server = from_the_load + calls * asking.min(1) + behind;
    let processes = placement.processes(workload.resource_servers);
    let sharing = processes.into_iter().map(|servers| servers.count() as u64).max().unwrap_or(1);
    generator.max(server * sharing).max(calls * asking * servers)
}

/// Makes sure that this machine can send, open and store what `plan` asks for. `folder` need not exist yet.
pub fn preflight(plan: &Plan, folder: &Path) -> Result<(), Unfit> {
    let Some(trial) = plan.trials.first() else { return Ok(()) };
    ensure_services(plan)?;
    let workload = &trial.workload;
    let probes = workload.probe_rate.per_second()
        * workload.timeline.revocation_count() as f64
        * f64::from(workload.resource_servers);
    // Every thread of the generator has a core of its own; one that has none shares what there is.
    let threads = plan.placement.generators.len().max(1) as f64;
    let possible = load::capacity().map_err(Unfit::Trial)?.per_second() * threads;
    // A search finds by itself how far the generator goes; its trials say where it begins.
    let rates = plan.trials.iter().filter_map(|trial| trial.workload.pace.rate());
    if let Some(wanted) = rates.reduce(|a, b| if b > a { b } else { a })
        && wanted.per_second() + probes > possible
    {
        let key = if plan.trials.iter().any(|trial| trial.step == Some(RateStep::Sweep)) {
            "sweep"
        } else {
            "rate"
        };
        return Err(Unfit::Rate { key, wanted, probes, possible });
    }
    let connections =
        plan.trials.iter().map(|trial| most_connections(trial, &plan.placement)).max().unwrap_or_default();
    machine::ensure_open_files(connections + OTHER_FILES)?;
    let seconds = plan.load_time().as_secs();
    machine::ensure_free_space(
        folder,
        plan.trials.len() as u64 * BYTES_PER_TRIAL + seconds * BYTES_PER_SECOND,
    )?;
    Ok(())
}

/// Each subject once, those that need nothing at no cost.
fn ensure_services(plan: &Plan) -> Result<(), Unfit> {
    let mut tried = Vec::new();
    for subject in plan.trials.iter().map(|trial| &trial.subject).filter(|subject| subject.service.is_some())
    {
        if tried.contains(&subject.position) {
            continue;
        }
        tried.push(subject.position);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.map_err(Unfit::Runtime)?.block_on(service::ensure_usable(subject))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::ScenarioFile;

    #[test]
    fn a_gateway_counts_its_clients_its_questions_and_the_server_behind_it() {
        const PHANTOM: &str = "{ kind = \"phantom-token\", gateway = { ttl = \"1s\" } }";
        const HYBRID: &str = "{ kind = \"hybrid\", gateway = { ttl = \"1s\" } }";
        let http_2 = "wire = { http = \"2\" }\nstreams = 10";
        let many_streams = "wire = { http = \"2\" }\nstreams = 1_000";
        let placement = Placement { generators: Vec::new(), servers: vec![0] };
        for (architecture, connections, servers, load, expected) in [
            ("\"none\"", 8, 2, "", 16),
            ("\"jwt\"", 8, 2, "", 16),
            ("\"jwt\"", 8, 1, http_2, 8),
            ("\"introspection\"", 8, 1, "", 8 + 8),
            // The generator has the most, then the authorization server.
            ("\"introspection\"", 300, 4, "", 1_200),
            ("\"introspection\"", 8, 8, http_2, 8 * 80),
            (PHANTOM, 100, 1, "", 100 + 100 + 200),
            (PHANTOM, 8, 1, http_2, 8 + 80 + 160),
            (PHANTOM, 1_000, 1, "", 1_000 + 256 + 2_000),
            (HYBRID, 100, 1, "", 100 + 100 + 2 * 200),
            // Of 50 servers on a core seven share a process.
            (PHANTOM, 1, 50, many_streams, 7 * (1 + 256 + 2_000)),
        ] {
            let text = format!(
                "question = \"?\"\n[load]\nrate = 1\nduration = \"1s\"\nconnections = {connections}\n\
                 resource_servers = {servers}\n{load}\n[[subject]]\narchitecture = {architecture}\nsignature = \"ES256\"\n"
            );
            let file = ScenarioFile::parse("case.toml".to_owned(), &text, &[]).unwrap();
            let plan = Plan::decide(&file, &[], &[0]).unwrap();
            assert_eq!(most_connections(&plan.trials[0], &placement), expected, "{text}");
        }
    }
}
