//! One server of a trial: its place, its process, its address, and what is done to it while others go on.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::auth::token::opaque;
use crate::observation::Role;
use crate::plan::Placement;
use crate::testbed::TestbedError;
use crate::testbed::machine::{ProcessTree, ProcessUsage};
use crate::testbed::port::ReservedPort;
use crate::testbed::process::{Invocation, Process, ProcessError, Ready, Told};
use crate::testbed::service::{PrivateService, ServiceFolder};
use crate::testbed::spec::{ResourceServerSpec, ServerSpec};
use crate::wire::{Endpoint, Socket, Wire};

/// Where a server will be found, before it starts and after it has started again.
#[derive(Debug)]
pub(super) struct Place {
    /// Where it answers plain HTTP/1.1.
    pub(super) address: SocketAddr,
    /// Where the load reaches it.
    pub(super) endpoint: Endpoint,
    /// Which of its role it is, from 1; 0 for the only one.
    number: u32,
    /// As long as the node lives, also while its process does not.
    _ports: Vec<ReservedPort>,
}

/// A server of a trial. It is killed, and gone, when this is dropped. What is done to one is done to all that are in its process.
#[derive(Debug)]
pub struct TrialNode {
    /// What it is for.
    pub role: Role,
    /// What messages call it.
    pub name: String,
    /// How many servers of its role a request of the load passes before it.
    pub hop: u8,
    /// Which of its role it is, from 1; 0 for the only one.
    pub number: u32,
    /// Where it answers plain HTTP/1.1: the same after every start.
    pub address: SocketAddr,
    /// Where the load reaches it: the same after every start.
    pub endpoint: Endpoint,
    /// The first of the nodes whose process it is in, if that is another one.
    pub process_of: Option<String>,
    /// Bytes resident before the tokens of the trial were issued, where somebody has looked.
    pub(super) resident_before_tokens: Option<u64>,
    process: Arc<NodeProcess>,
    _place: Place,
    /// Behind the process, which writes there.
    _folder: Option<ServiceFolder>,
}

/// The process of a node, or of several.
#[derive(Debug)]
struct NodeProcess {
    /// Locked for as long as it is changed, which may take seconds: who reads only does not wait for it.
    process: tokio::sync::Mutex<Process>,
    /// `None` while it is down. Locked for a few lines.
    tree: Mutex<Option<ProcessTree>>,
    /// Whether it is meant to give no answer.
    hangs_by_plan: AtomicBool,
}

impl Place {
    /// A place for a server that the load reaches over `wire`.
    pub(super) fn reserve(wire: Wire) -> io::Result<Self> {
        let plain = ReservedPort::any()?;
        let address = plain.address;
        if wire == Wire::default() {
            return Ok(Self { address, endpoint: Endpoint::Tcp(address), number: 0, _ports: vec![plain] });
        }
        if wire.socket == Socket::Unix {
            // Nobody else makes up the same name, so that nothing need be reserved.
            let endpoint = Endpoint::Unix(format!("@bearerbench-{}", opaque::mint()).into());
            return Ok(Self { address, endpoint, number: 0, _ports: vec![plain] });
        }
        let entrance = ReservedPort::any()?;
        let endpoint = Endpoint::Tcp(entrance.address);
        Ok(Self { address, endpoint, number: 0, _ports: vec![plain, entrance] })
    }

    /// The same for one of several.
    pub(super) fn numbered(self, number: u32) -> Self {
        Self { number, ..self }
    }
}

impl TrialNode {
    /// Starts `program` as the server `spec`, which listens at `place`.
    pub(super) async fn start(
        program: &Path,
        name: &str,
        placement: &Placement,
        spec: &ServerSpec,
        place: Place,
    ) -> Result<Self, ProcessError> {
        let places = vec![(name.to_owned(), place)];
        let nodes = Self::start_together(program, name, placement, spec, places).await?;
        Ok(nodes.into_iter().next().expect("as many as places"))
    }

    /// Starts `program` as the servers `spec`, which listen at these places, in the process `name`.
    pub(super) async fn start_together(
        program: &Path,
        name: &str,
        placement: &Placement,
        spec: &ServerSpec,
        places: Vec<(String, Place)>,
    ) -> Result<Vec<Self>, ProcessError> {
        let told =
            Told::json(spec).map_err(|source| ProcessError::Spawn { name: name.to_owned(), source })?;
        let invocation = Invocation {
            arguments: ["serve", "spec"].map(Into::into).to_vec(),
            cores: placement.servers.clone(),
            told: Some(told),
            ..Invocation::of(name, program, Ready::JsonLine)
        };
        let process = Process::start(invocation).await?;
        let tree = Mutex::new(process.pid().map(ProcessTree::of));
        let hangs_by_plan = AtomicBool::default();
        let process =
            Arc::new(NodeProcess { process: tokio::sync::Mutex::new(process), tree, hangs_by_plan });
        let enforcing = |spec: &ResourceServerSpec| {
            (if spec.upstreams.is_empty() { Role::ResourceServer } else { Role::Gateway }, spec.hop)
        };
        let (role, hop) = match spec {
            ServerSpec::AuthorizationServer(_) => (Role::AuthorizationServer, 0),
            ServerSpec::ResourceServer(spec) => enforcing(spec),
            ServerSpec::ResourceServers { servers } => enforcing(servers.first().expect("several are some")),
        };
        let mut nodes: Vec<Self> = Vec::new();
        for (name, place) in places {
            nodes.push(Self {
                role,
                name,
                hop,
                number: place.number,
                address: place.address,
                endpoint: place.endpoint.clone(),
                process_of: nodes.first().map(|first| first.name.clone()),
                resident_before_tokens: None,
                process: Arc::clone(&process),
                _place: place,
                _folder: None,
            });
        }
        Ok(nodes)
    }

    /// The node that a private service is.
    pub(super) fn of_service(service: PrivateService, role: Role) -> Self {
        let (name, process, place, folder) = service.parts();
        let tree = Mutex::new(process.pid().map(ProcessTree::of));
        Self {
            role,
            name,
            hop: 0,
            number: place.number,
            address: place.address,
            endpoint: place.endpoint.clone(),
            process_of: None,
            resident_before_tokens: None,
            process: Arc::new(NodeProcess {
                process: tokio::sync::Mutex::new(process),
                tree,
                hangs_by_plan: AtomicBool::default(),
            }),
            _place: place,
            _folder: Some(folder),
        }
    }

    /// The same, with what it has in memory before it keeps any token.
    pub(super) fn before_tokens(self) -> Self {
        let used = self.usage().ok();
        Self { resident_before_tokens: used.map(|used| used.resident_bytes), ..self }
    }

    /// Its process; `None` while it is down.
    pub fn pid(&self) -> Option<u32> {
        self.tree().as_ref().map(ProcessTree::root)
    }

    /// What its process and all that it started have used up since it was started last: nothing where another node tells that.
    pub fn usage(&self) -> Result<ProcessUsage, TestbedError> {
        if self.process_of.is_some() {
            return Ok(ProcessUsage::default());
        }
        let mut tree = self.tree();
        let tree = tree.as_mut().ok_or_else(|| ProcessError::Down { name: self.name.clone() })?;
        tree.usage().map_err(|source| TestbedError::Usage { name: self.name.clone(), source })
    }

    /// Kills it, and waits until it is gone. It stays down, and its address its own.
    pub async fn kill(&self) {
        let mut process = self.process.process.lock().await;
        // Before its number may be somebody else's.
        *self.tree() = None;
        process.kill().await;
    }

    /// Asks it to end, and kills what is left of it.
    pub(super) async fn end(&self) {
        let mut process = self.process.process.lock().await;
        *self.tree() = None;
        process.end().await;
    }

    /// Starts it where it was, with what it was told then, and waits until it answers; one that runs is killed before. What it kept in
    /// memory is lost.
    pub async fn restart(&self) -> Result<(), ProcessError> {
        let mut process = self.process.process.lock().await;
        *self.tree() = None;
        process.restart().await?;
        *self.tree() = process.pid().map(ProcessTree::of);
        Ok(())
    }

    /// Stops it where it stands: its connections stay, and nothing is answered.
    pub async fn pause(&self) -> Result<(), ProcessError> {
        self.process.process.lock().await.pause()
    }

    /// Lets it go on.
    pub async fn resume(&self) -> Result<(), ProcessError> {
        self.process.process.lock().await.resume()
    }

    /// Whether it is meant to give no answer, since somebody has paused it on purpose.
    pub(super) fn hangs_by_plan(&self) -> bool {
        self.process.hangs_by_plan.load(Ordering::Relaxed)
    }

    /// Notes whether it is meant to give no answer.
    pub(super) fn set_hangs_by_plan(&self, hangs: bool) {
        self.process.hangs_by_plan.store(hangs, Ordering::Relaxed);
    }

    /// Fails if it has ended, or is down.
    pub(super) async fn ensure_alive(&self) -> Result<(), ProcessError> {
        let mut process = self.process.process.lock().await;
        let alive = process.ensure_alive().await;
        if alive.is_err() {
            *self.tree() = None;
        }
        alive
    }

    fn tree(&self) -> MutexGuard<'_, Option<ProcessTree>> {
        self.process.tree.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
