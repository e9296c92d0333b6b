//! The threads of the generator: each has its runtime, its connections and its histograms; they share nothing while they run.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use rustix::io::Errno;
use rustix::process::{Resource, getrlimit};
use tokio::runtime::{Builder, LocalOptions};

use crate::load::cores::own;
use crate::load::driver::{self, Course, Cut};
use crate::load::engine::Engine;
use crate::load::feed::{Feed, Share};
use crate::load::gaps::Sieve;
use crate::load::http1::Http1;
use crate::load::http2::Http2;
use crate::load::hyper::Hyper;
use crate::load::pacing::{Calibrated, HostPacer};
use crate::load::recorder::Recorder;
use crate::load::sealer::Sealer;
use crate::load::transport::Transport;
use crate::load::{Driven, LoadError, SentProbe, Target};
use crate::observation::{CoreGaps, Generator, Load, Side};
use crate::units::Stamp;

/// How many requests may wait for a connection, over all threads: a server so far behind will not catch up.
const BACKLOG_LIMIT: usize = 1_000_000;

/// Sends what `feed` gives each thread and waits for the answers in flight. Blocks the calling thread.
///
/// `started` is told the stamp from which all offsets count, once every connection is open and before
/// anything is sent. Setting `interrupted` ends the run soon; what was seen until then is returned.
///
/// # Panics
/// If a request names a token that is not in the pool, or a server that is not in the target.
pub fn drive(
    target: &Target,
    feed: impl Fn(Share) -> Feed + Sync,
    started: impl FnOnce(Stamp),
    interrupted: &AtomicBool,
) -> Result<Driven, LoadError> {
    let of = target.cores.len().max(1);
    let (ready, connected) = channel();
    let parts: Vec<Result<Option<Part>, LoadError>> = thread::scope(|scope| {
        let mut gates = Vec::new();
        let threads: Vec<_> = (0..of)
            .map(|index| {
                let (gate, start) = channel();
                gates.push(gate);
                let worker = Worker { target, share: Share { index, of }, start, interrupted };
                let (feed, ready) = (&feed, ready.clone());
                scope.spawn(move || worker.run(feed, ready))
            })
            .collect();
        drop(ready);
        // A thread that cannot begin drops its end instead, and the others find their gates closed.
        if connected.iter().take(of).count() == of {
            let start = Stamp::now();
            started(start);
            // A thread that is gone tells why when it is joined.
            for gate in &gates {
                let _ = gate.send(start);
            }
        }
        drop(gates);
        threads.into_iter().map(|thread| thread.join().expect("a generator thread does not panic")).collect()
    });
    let parts: Vec<Option<Part>> = parts.into_iter().collect::<Result<_, _>>()?;
    let whole = parts.into_iter().flatten().reduce(Part::join);
    let Part { load, mut probes, cut } = whole.expect("without an error every thread passed its gate");
    probes.sort_by_key(|probe| (probe.sent, probe.id));
    let failure = (cut == Some(Cut::BacklogFull)).then_some(LoadError::BacklogFull { limit: BACKLOG_LIMIT });
    Ok(Driven { load, probes, failure })
}

/// What one thread saw.
struct Part {
    load: Load,
    probes: Vec<SentProbe>,
    cut: Option<Cut>,
}

impl Part {
    fn join(mut self, other: Self) -> Self {
        self.load.add(other.load);
        self.probes.extend(other.probes);
        Self { cut: self.cut.or(other.cut), ..self }
    }
}

/// One thread before it runs.
struct Worker<'a> {
    target: &'a Target,
    share: Share,
    /// Tells when the load begins; closed if it never does.
    start: Receiver<Stamp>,
    interrupted: &'a AtomicBool,
}

impl Worker<'_> {
    fn run(self, feed: impl Fn(Share) -> Feed, ready: Sender<()>) -> Result<Option<Part>, LoadError> {
        let sealer = Sealer::start(&self.target.cores, self.target.tokens.classes());
        if let Some(core) = self.target.cores.get(self.share.index) {
            own(*core)?;
        }
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build_local(LocalOptions::default())
            .map_err(LoadError::Start)?;
        let servers = &self.target.servers;
        runtime.block_on(async {
            match self.target.engine {
                Engine::Http1 => self.send(Http1::new(servers), sealer, feed, ready).await,
                Engine::Http2 => {
                    let streams = self.target.streams.get() as usize;
                    let http2 = Http2::new(servers, streams, self.target.requests_per_connection);
                    self.send(http2, sealer, feed, ready).await
                }
                Engine::Hyper => self.send(Hyper::new(servers), sealer, feed, ready).await,
            }
        })
    }

    async fn send<T: Transport>(
        &self,
        transport: T,
        sealer: Sealer,
        feed: impl Fn(Share) -> Feed,
        ready: Sender<()>,
    ) -> Result<Option<Part>, LoadError> {
        let calibrated = Calibrated::new(self.target.precision).await.map_err(LoadError::Start)?;
        let mut course = self.course();
        let opened = driver::open(&transport, &course).await;
        let opened = opened.map_err(|(server, error)| refused(self.target, server, error))?;
        // Not before: proofs that wait for connections to open grow old.
        course.proofs = self.target.proofs.as_ref().map(|proofs| {
            let queue = proofs.begin(&course.tokens, feed(self.share).scheduled, &self.target.cores);
            queue.wait_until_ready();
            queue
        });
        let mut recorder = Recorder::new(course.window.clone(), self.share, &course.tokens, sealer);
        let feed = feed(self.share);
        let heard = self.target.neighbours.listen();
        // Nobody listens any more if another thread cannot begin.
        let _ = ready.send(());
        drop(ready);
        let Ok(start) = self.start.recv() else { return Ok(None) };
        let core = self.target.cores.get(self.share.index).copied();
        let looks = self.target.precision.looks_all_the_time();
        let own = looks.then(|| CoreGaps::of(Side::Generator, core));
        let window = [course.window.start, course.window.end];
        course.proofs.iter().for_each(|proofs| proofs.begin(start));
        recorder.begin(start, Sieve::new(start, window, own, heard));
        let mut generator = self.generator(&calibrated);
        let pacer = HostPacer::new(start, calibrated);
        let (recorder, cut) = driver::run(course, transport, opened, pacer, recorder, feed).await;
        let (mut load, probes) = recorder.finish();
        for used in &load.generators {
            (generator.cpu_nanos, generator.delayed_nanos) = (used.cpu_nanos, used.delayed_nanos);
        }
        load.generators = vec![generator];
        Ok(Some(Part { load, probes, cut }))
    }

    fn course(&self) -> Course<'_> {
        let target = self.target;
        let connections = self.share.part(target.connections.get() as usize).max(1);
        Course {
            servers: target.servers.len(),
            places: connections * target.streams.get() as usize,
            requests_per_connection: target.requests_per_connection.map(|most| most.get().into()),
            tokens: Arc::clone(&target.tokens),
            renewals: target.renewals.clone(),
            proofs: None,
            window: target.window.clone(),
            timeout: target.timeout,
            backlog_limit: BACKLOG_LIMIT / self.share.of,
            interrupted: self.interrupted,
        }
    }

    fn generator(&self, calibrated: &Calibrated) -> Generator {
        let late = |q| calibrated.late.quantile(q).unwrap_or(0);
        Generator {
            core: self.target.cores.get(self.share.index).copied(),
            precision: calibrated.precision.to_string(),
            polls: calibrated.precision.looks_all_the_time(),
            spin_nanos: u64::try_from(calibrated.ahead.as_nanos()).expect("a fraction of a second"),
            timer_late_nanos: [late(0.5), late(0.99)],
            ..Generator::default()
        }
    }
}

fn refused(target: &Target, server: usize, source: io::Error) -> LoadError {
    let connections = target.servers.len() * target.connections.get() as usize;
    let server = target.servers[server].authority.clone();
    match source.raw_os_error().map(Errno::from_raw_os_error) {
        Some(Errno::MFILE) => {
            let limit = getrlimit(Resource::Nofile).current;
            let limit = limit.map_or_else(|| "unlimited".to_owned(), |files| files.to_string());
            LoadError::Files { connections, limit }
        }
        Some(Errno::ADDRNOTAVAIL) => LoadError::Ports { server, connections },
        _ => LoadError::Connect { server, source },
    }
}
