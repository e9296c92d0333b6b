//! A load on a server that is not of the test bed: no tokens issued, nothing revoked, no process watched but the generator.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

use crate::design::Design;
use crate::load::{self, Feed, Request, Share, Target, Token, Users};
use crate::observation::{
    Conditions, Cores, RecordedScenario, Recording, SCHEMA, Subject, TrialFailure, Workload,
};
use crate::plan::Pace;
use crate::registry::Part;
use crate::reuse::{Picker, ReuseLaw, Slice};
use crate::run::{Interrupt, facts, watching};
use crate::testbed::core_watch::{CoreWatch, Task};
use crate::testbed::machine::{self, Watch};
use crate::testbed::readable_claims;
use crate::units::{Offset, Period, Rate, Span};
use crate::wire::Http;

/// What is sent where, everything decided.
pub struct External {
    /// What the report calls the server.
    pub name: String,
    /// What is asked.
    pub question: String,
    /// What must hold, in k6's grammar.
    pub thresholds: Vec<String>,
    /// Where requests go, and how.
    pub target: Target,
    /// By which version of HTTP they travel.
    pub http: Http,
    /// How they travel, in words, unless by plain HTTP/1.1 over TCP.
    pub wire: Option<String>,
    /// The cores of the server to watch, and its processes, if they are known.
    pub watched: Option<Task>,
    /// When they are sent.
    pub pace: Pace,
    /// By which law tokens are used again.
    pub reuse: Part<dyn ReuseLaw>,
    /// The tokens in the order of a round, in which one may come several times; the law chooses among its places. Without it a round
    /// is every token once.
    pub round: Option<Arc<[u32]>>,
    /// How long the load runs before it is measured.
    pub warmup: Span,
    /// How long it is measured, at the most.
    pub window: Period,
    /// How many requests are sent in all, if the load ends by count.
    pub requests: Option<u64>,
    /// Decides when requests are sent, and with which tokens.
    pub seed: u64,
}

impl External {
    /// Sends everything and records what came back. What fails is recorded with what was seen until then; an interrupt
    /// is no failure, but a load that is shorter than planned.
    pub async fn measure(&self, interrupt: &Interrupt) -> Recording {
        let mut recording = self.blank();
        let attempt = self.attempt(&mut recording, interrupt).await;
        recording.failure = attempt.err().map(|error| TrialFailure::error(format!("{error:#}")));
        recording
    }

    async fn attempt(&self, recording: &mut Recording, interrupt: &Interrupt) -> anyhow::Result<()> {
        let stop = Arc::new(AtomicBool::new(false));
        let _watch = self.watch().await?;
        let watch = Watch::begin();
        let (target, pace, reuse) = (self.target.clone(), self.pace.clone(), self.reuse.clone());
        let (requests, seed, round) = (self.requests, self.seed, self.round.clone());
        let stopped = Arc::clone(&stop);
        let mut driving = tokio::task::spawn_blocking(move || {
            let live = target.tokens.live_count();
            let draw = |share| Draw::new(&*reuse, live, round.clone(), seed, share);
            let part = |share| feed(&pace, draw(share), requests, seed, share);
            load::drive(&target, part, |_| {}, &stopped)
        });
        let driven = tokio::select! {
            driven = &mut driving => driven,
            () = interrupt.wait() => {
                stop.store(true, Ordering::Relaxed);
                driving.await
            }
        };
        let driven = driven.context("the load generator broke down")??;
        recording.conditions = watch.end();
        // An interrupt ends the window, and so does the last request of a load that ends by count.
        recording.workload.window_seconds = driven.load.measured_seconds;
        if self.pace.rate().is_none() {
            recording.workload.rate = facts::sent_rate(&driven.load);
        }
        recording.load = Some(driven.load);
        driven.failure.map_or(Ok(()), |error| Err(error.into()))
    }

    /// Watches the cores of the server, where its processes are known, until this is dropped.
    async fn watch(&self) -> anyhow::Result<Option<CoreWatch>> {
        let Some(task) = &self.watched else { return Ok(None) };
        let program =
            std::env::current_exe().context("cannot find the program itself, which watches cores")?;
        let neighbours = self.target.neighbours.clone();
        let heard = move |seen| watching::tell(&neighbours, seen);
        Ok(Some(CoreWatch::start(&program, task, heard).await?))
    }

    fn blank(&self) -> Recording {
        let all = machine::available_cores();
        let generator = if self.target.cores.is_empty() { all.clone() } else { self.target.cores.clone() };
        Recording {
            schema: SCHEMA,
            scenario: RecordedScenario {
                name: "load".to_owned(),
                question: self.question.clone(),
                thresholds: self.thresholds.clone(),
            },
            subject: Subject {
                name: self.name.clone(),
                position: 0,
                parts: BTreeMap::new(),
                architecture: "not of the test bed".to_owned(),
                token_format: None,
                signature: None,
                scheme: None,
                store: "not known".to_owned(),
                extra_claims_bytes: 0,
                thresholds: Vec::new(),
                design: Design::UNKNOWN,
                token_characters: self.target.tokens.characters(),
                readable_claims: self.target.tokens.median().map(readable_claims),
                proof_characters: None,
                handshake_bytes: None,
                http: self.http,
                wire: self.wire.clone(),
            },
            workload: self.workload(),
            repetition: 0,
            step: None,
            seed: self.seed,
            started: humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
            environment: machine::environment(Cores { generator, servers: all }),
            conditions: Conditions::default(),
            signature_times: None,
            signature_conditions: None,
            load: None,
            events: Vec::new(),
            churn: None,
            learned: Vec::new(),
            nodes: Vec::new(),
            popularity: None,
            failure: None,
        }
    }

    fn workload(&self) -> Workload {
        Workload {
            rate: self.pace.rate().map_or(0.0, Rate::per_second),
            arrivals: self.pace.to_string(),
            arrival_process: self.pace.arrivals().map(|arrivals| arrivals.choice().clone()),
            think_seconds: self.pace.think().map(|think| think.as_secs_f64()),
            warmup_seconds: self.warmup.duration().as_secs_f64(),
            window_seconds: self.window.duration().as_secs_f64(),
            resource_servers: 1,
            connections: self.target.connections.get() * self.target.streams.get(),
            live_tokens: u64::from(self.target.tokens.live_count()),
            churn_per_second: 0.0,
            reuse: self.reuse.facts(),
            bad_fraction: 0.0,
            bad_tokens_per_kind: 0,
            bad_tokens: Vec::new(),
            token_lifetime_seconds: 0.0,
            probe_rate: 0.0,
        }
    }
}

/// One thread's part.
fn feed(pace: &Pace, mut tokens: Draw, requests: Option<u64>, seed: u64, share: Share) -> Feed {
    let most = requests.map_or(u64::MAX, |requests| share.part_of_requests(requests));
    let feed = match pace {
        Pace::Open { rate, arrivals } => {
            let dues = arrivals.instants(*rate, seed).skip(share.index).step_by(share.of);
            let dues = dues.zip(0..most);
            Feed::open(dues.map(move |(due, _)| Request { due, place: 0, token: tokens.next(due) }))
        }
        Pace::Closed { think } => {
            let pick = move |due| tokens.next(due);
            Feed::closed(Users { think: think.duration(), pick: Box::new(pick), left: most })
        }
    };
    Feed { ends_with_last: requests.is_some(), ..feed }
}

/// Which token is next, for one thread.
struct Draw {
    picker: Box<dyn Picker>,
    round: Option<Arc<[u32]>>,
    random: ChaCha8Rng,
}

impl Draw {
    fn new(law: &dyn ReuseLaw, live: u32, round: Option<Arc<[u32]>>, seed: u64, share: Share) -> Self {
        let part = |number: usize| u32::try_from(number).expect("fewer threads and places than 2^32");
        let slice = Slice { index: part(share.index), of: part(share.of) };
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        // A stream of its own for every thread: instants come from the seed itself.
        random.set_stream(1 + u64::from(slice.index));
        let places = round.as_ref().map_or(live, |round| part(round.len()));
        Self { picker: law.picker(places, slice), round, random }
    }

    fn next(&mut self, due: Offset) -> Token {
        let place = self.picker.pick(due, &mut self.random);
        Token::Live(self.round.as_ref().map_or(place, |round| round[place as usize]))
    }
}

/// How long connecting and an answer may take.
pub const PATIENCE: Duration = Duration::from_secs(10);
