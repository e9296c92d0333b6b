//! The generator against a server of known truth, on cores of their own where there are enough.

use std::io;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use crate::arrival::ArrivalProcess;
use crate::load::{
    self, Driven, Engine, Feed, LoadError, Neighbours, Precision, Renewals, Request, Target, Token, TokenPool,
};
use crate::plan::{BadKind, Placement, TokenClass};
use crate::selftest::machine::{Held, RunWatch, ThreadWatch};
use crate::selftest::server::{Behaviour, Server, Witness};
use crate::testbed::machine::available_cores;
use crate::units::{Offset, Rate};
use crate::wire::{Connector, ConnectorError, Endpoint, Wire};

/// Why a selftest could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum SelftestError {
    /// The generator did not begin.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The wire of the selftest is refused.
    #[error("cannot reach the server of known truth")]
    Connector(#[from] ConnectorError),
    /// The server did not begin.
    #[error("cannot start the server of known truth")]
    Server(#[source] io::Error),
    /// Nothing can be sent over loopback.
    #[error("cannot send over loopback")]
    Loopback(#[source] io::Error),
    /// The generator as a process of its own did not do what it should.
    #[error("cannot run the generator as a process of its own: {what}")]
    Process {
        /// What it did instead.
        what: String,
    },
}

/// What a run sends: requests with a good token over HTTP/1.1.
#[derive(Clone, Debug)]
pub struct Sending<'a> {
    /// What speaks HTTP.
    pub engine: Engine,
    /// How many connections; none of the requests may have to wait for one.
    pub connections: u32,
    /// When requests are due.
    pub arrivals: &'a dyn ArrivalProcess,
    /// How many a second.
    pub rate: f64,
    /// For how long.
    pub lasts: Duration,
    /// Decides when they are due.
    pub seed: u64,
}

/// Where the generator and the server run.
#[derive(Clone, Debug)]
pub struct Bench {
    placement: Placement,
}

/// What the generator reported, what the server saw, and what the machine did.
pub struct Tried {
    /// The generator's word.
    pub driven: Driven,
    /// The server's.
    pub witness: Witness,
    /// The machine's.
    pub held: Held,
}

/// How long connecting and an answer may take.
const PATIENCE: Duration = Duration::from_secs(2);

impl Default for Bench {
    fn default() -> Self {
        Self { placement: Placement::on(&available_cores(), 1) }
    }
}

impl Bench {
    /// The cores of servers.
    pub fn server_cores(&self) -> &[u32] {
        if self.placement.generators.is_empty() { &[] } else { &self.placement.servers }
    }

    /// The core of the generator, if it has one of its own.
    pub fn generator_core(&self) -> Option<u32> {
        self.placement.generators.first().copied()
    }

    /// A server on its core.
    pub fn serve(&self, behaviour: Behaviour) -> Result<Server, SelftestError> {
        Server::start(behaviour, self.server_cores()).map_err(SelftestError::Server)
    }

    /// Sends to a new server, and watches the machine meanwhile.
    pub fn run(&self, behaviour: Behaviour, sending: &Sending<'_>) -> Result<Tried, SelftestError> {
        let server = self.serve(behaviour)?;
        let target = self.target(&[server.address()], sending)?;
        let (tell, waited) = ThreadWatch::channel();
        let tell = std::sync::Mutex::new(Some(tell));
        let feed = |_| {
            let tell = tell.lock().expect("nothing panics under this lock").take();
            let watch = tell.map(ThreadWatch::begin);
            // Dropped on the generator's thread when it has sent everything.
            Feed::open(sending.requests().inspect(move |_| {
                let _ = &watch;
            }))
        };
        let mut watch = None;
        let cores: Vec<u32> = self.server_cores().iter().take(1).chain(&target.cores).copied().collect();
        let begun = |_| watch = Some(RunWatch::begin(server.task(), &cores));
        let driven = load::drive(&target, feed, begun, &AtomicBool::new(false))?;
        let waited = waited.try_recv().unwrap_or_default();
        let mut held = watch.map(|watch| watch.end(waited)).unwrap_or_default();
        let witness = server.end();
        // What kept it from a core also made it stand still.
        held.server = held.server.max(witness.paused);
        held.longest = witness.longest_pause;
        Ok(Tried { driven, witness, held })
    }

    /// Servers at these addresses, one good, one bad and one watched token, and a window from the beginning.
    pub fn target(&self, addresses: &[SocketAddr], sending: &Sending<'_>) -> Result<Target, SelftestError> {
        let server = |address: &SocketAddr| {
            let connector = Connector::new(Endpoint::Tcp(*address), &Wire::default(), None, "localhost")?;
            let (authority, path) = ("localhost".to_owned(), "/".to_owned());
            Ok(load::TargetServer { connector, authority, path, is_secure: false })
        };
        let mut tokens = TokenPool::filling([BadKind::Garbage]);
        for (class, token) in
            [(TokenClass::Valid, "good"), (TokenClass::Bad(0), "bad"), (TokenClass::Watched, "watched")]
        {
            tokens.add(class, token);
        }
        let tokens = tokens.full();
        let cores = self.placement.generators.clone();
        Ok(Target {
            servers: addresses.iter().map(server).collect::<Result<_, ConnectorError>>()?,
            engine: sending.engine,
            connections: NonZeroU32::new(sending.connections).unwrap_or(NonZeroU32::MIN),
            streams: NonZeroU32::MIN,
            requests_per_connection: None,
            tokens: Arc::new(tokens),
            renewals: Renewals::default(),
            proofs: None,
            window: Offset::default()..Offset::from(sending.lasts),
            timeout: PATIENCE,
            precision: if cores.is_empty() { Precision::Hybrid } else { Precision::Busy },
            cores,
            neighbours: Neighbours::default(),
        })
    }
}

impl Sending<'_> {
    /// The instants at which its requests are due.
    pub fn instants(&self) -> impl Iterator<Item = Offset> + Send + use<> {
        let rate = Rate::try_from(self.rate).expect("a selftest sends something");
        let end = Offset::from(self.lasts);
        self.arrivals.instants(rate, self.seed).take_while(move |due| *due < end)
    }

    /// Its requests.
    pub fn requests(&self) -> impl Iterator<Item = Request> + Send + use<> {
        self.instants().map(|due| Request { due, place: 0, token: Token::Live(0) })
    }
}
