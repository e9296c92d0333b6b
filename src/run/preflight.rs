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
        /// The probes of all its tokens, per second.
        probes: f64,
        /// What was measured just now, in requests per second.
        possible: f64,
    },
    /// More servers than the memory has room for.
    #[error(
        "resource_servers: the {servers} resource servers of {subject:?} take some {needed} MB of memory, and {available} MB are free; have \
         fewer of them, or use a larger machine"
    )]
    Memory {
        /// The subject.
        subject: String,
        /// How many it has.
        servers: u32,
        /// In MB.
        needed: u64,
        /// In MB.
        available: u64,
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

/// A trial's line: what is known before the load, four histograms a second, a look at each server a second, and every probe.
const BYTES_PER_TRIAL: u64 = 1 << 20;
const BYTES_PER_SECOND: u64 = 64 << 10;
const BYTES_PER_LOOK: u64 = 300;
const BYTES_PER_PROBE: u64 = 100;

/// What a process of servers takes at least, and each further server in it with its share of a cache.
const BYTES_PER_PROCESS: u64 = 8 << 20;
const BYTES_PER_SERVER: u64 = 1 << 20;
/// What a connection takes at its server: buffers of requests and answers, and its task.
const BYTES_PER_CONNECTION: u64 = 16 << 10;

/// The connections of the process that has the most of them, since each has the limit for itself: the generator, a server that the load
/// reaches with those that share its process, or the authorization server.
fn most_connections(trial: &Trial, placement: &Placement) -> u64 {
    let (workload, architecture) = (&trial.workload, &trial.subject.architecture);
    let servers = u64::from(trial.subject.resource_servers);
    let at_once = workload.requests_at_once();
    let calls = u64::from(at_once).min(testbed::MOST_CALLS as u64);
    let asking = architecture.everywhere().filter(|decider| decider.design().authenticates).count() as u64;
    let behind = u64::from(testbed::most_connections(at_once)) * architecture.at_hop(1).len() as u64;
    let from_the_load = u64::from(workload.connections.get());
    let generator = from_the_load * servers;
    let server = from_the_load + calls * asking.min(1) + behind;
    let processes = placement.processes(trial.subject.resource_servers);
    let sharing = processes.into_iter().map(|servers| servers.count() as u64).max().unwrap_or(1);
    generator.max(server * sharing).max(calls * asking * servers)
}

/// Makes sure that this machine can send, open and store what `plan` asks for. `folder` need not exist yet.
pub fn preflight(plan: &Plan, folder: &Path) -> Result<(), Unfit> {
    let Some(trial) = plan.trials.first() else { return Ok(()) };
    ensure_services(plan)?;
    let probes = trial.workload.probes_per_second();
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
    let memory = plan.trials.iter().map(|trial| (memory(trial, &plan.placement), trial));
    if let Some((bytes, trial)) = memory.max_by_key(|(bytes, _)| *bytes) {
        ensure_memory(bytes, trial, machine::kernel::memory_available())?;
    }
    machine::ensure_free_space(folder, recorded(plan))?;
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

/// The servers of a trial that decide on tokens, those behind gateways among them.
fn deciding(trial: &Trial) -> u64 {
    let chain = trial.subject.architecture.everywhere().count() as u64;
    chain * u64::from(trial.subject.resource_servers)
}

/// About what its resource servers take of memory before they keep anything.
fn memory(trial: &Trial, placement: &Placement) -> u64 {
    let servers = trial.subject.resource_servers;
    let chain = trial.subject.architecture.everywhere().count() as u64;
    let processes = placement.processes(servers).len() as u64 * chain;
    let connections = u64::from(trial.workload.connections.get()) * u64::from(servers);
    processes * BYTES_PER_PROCESS + deciding(trial) * BYTES_PER_SERVER + connections * BYTES_PER_CONNECTION
}

/// `available`: what the machine has, if it tells.
fn ensure_memory(needed: u64, trial: &Trial, available: Option<u64>) -> Result<(), Unfit> {
    match available {
        Some(available) if needed > available => Err(Unfit::Memory {
            subject: trial.subject.name.clone(),
            servers: trial.subject.resource_servers,
            needed: needed >> 20,
            available: available >> 20,
        }),
        Some(_) | None => Ok(()),
    }
}

/// About how long the recordings of a plan are.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of probes")]
fn recorded(plan: &Plan) -> u64 {
    let trial = |trial: &Trial| {
        let seconds = trial.workload.end().seconds().ceil();
        let probes = (seconds * trial.workload.probes_per_second()) as u64;
        BYTES_PER_TRIAL + seconds as u64 * deciding(trial) * BYTES_PER_LOOK + probes * BYTES_PER_PROBE
    };
    plan.trials.iter().map(trial).sum::<u64>() + plan.load_time().as_secs() * BYTES_PER_SECOND
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

    #[test]
    fn room_is_counted_for_the_servers_of_each_subject() {
        let text = |architecture: &str, servers: u32| {
            format!(
                "question = \"?\"\n[load]\nrate = 1\nduration = \"10s\"\nwarmup = \"0s\"\nconnections = 8\n[revocation]\ntokens = 2\nprobes = 5\n\
                 [[subject]]\nsignature = \"ES256\"\nresource_servers = {servers}\narchitecture = {architecture}\n"
            )
        };
        let placement = Placement { generators: Vec::new(), servers: vec![0] };
        let plan = |text: &str| {
            let file = ScenarioFile::parse("case.toml".to_owned(), text, &[]).unwrap();
            Plan::decide(&file, &[], &[0]).unwrap()
        };
        let memory_of = |servers| memory(&plan(&text("\"jwt\"", servers)).trials[0], &placement);
        assert_eq!(memory_of(1), BYTES_PER_PROCESS + BYTES_PER_SERVER + 8 * BYTES_PER_CONNECTION);
        assert_eq!(
            memory_of(100),
            8 * BYTES_PER_PROCESS + 100 * (BYTES_PER_SERVER + 8 * BYTES_PER_CONNECTION)
        );
        let phantom = "{ kind = \"phantom-token\", gateway = { ttl = \"1s\" } }";
        let chain = &plan(&text(phantom, 1)).trials[0];
        assert_eq!(memory(chain, &placement) - memory_of(1), BYTES_PER_PROCESS + BYTES_PER_SERVER);
        let recorded_of = |servers| recorded(&plan(&text("\"jwt\"", servers)));
        // Three rounds of ten looks; as many probes whatever the number of servers.
        assert_eq!(recorded_of(5) - recorded_of(1), 3 * 10 * 4 * BYTES_PER_LOOK);

        let many = &plan(&text("\"jwt\"", 500)).trials[0];
        assert!(
            ensure_memory(1 << 30, many, Some(1 << 30)).is_ok() && ensure_memory(1 << 30, many, None).is_ok()
        );
        let error = ensure_memory(1 << 30, many, Some(1 << 29)).unwrap_err().to_string();
        assert!(
            error.contains(
                "the 500 resource servers of \"jwt ES256, 500 resource servers\" take some 1024 MB"
            ),
            "{error}"
        );
        assert!(error.contains("512 MB are free"), "{error}");
    }
}
