//! A load on a server that is not of the test bed: no tokens issued, nothing revoked, no process watched but the generator.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use anyhow::Context as _;

use crate::load::{self, Feed, Share, Target, Users};
use crate::observation::{Conditions, Cores, Recording, SCHEMA, Scenario, Staleness, Subject, Workload};
use crate::plan::Pace;
use crate::run::{Interrupt, facts};
use crate::testbed::machine::{self, Watch};
use crate::units::{Offset, Period, Rate, Span};

/// What is sent where, everything decided.
pub struct External {
    /// What the report calls the server.
    pub name: String,
    /// What is asked.
    pub question: String,
    /// What must hold, in k6's grammar.
    pub thresholds: Vec<String>,
    /// Where requests go, and how; the wire in words.
    pub target: Target,
    /// How they travel, in words.
    pub wire: String,
    /// When they are sent.
    pub pace: Pace,
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
    /// Sends everything and records what came back. What fails is recorded with what was seen until then.
    pub async fn measure(&self, interrupt: &Interrupt) -> Recording {
        let mut recording = self.blank();
        recording.failure = match self.attempt(&mut recording, interrupt).await {
            Err(error) => Some(format!("{error:#}")),
            Ok(()) if interrupt.happened() => Some("interrupted".to_owned()),
            Ok(()) => None,
        };
        recording
    }

    async fn attempt(&self, recording: &mut Recording, interrupt: &Interrupt) -> anyhow::Result<()> {
        let stop = Arc::new(AtomicBool::new(false));
        let watch = Watch::begin();
        let (target, pace, requests, seed) =
            (self.target.clone(), self.pace.clone(), self.requests, self.seed);
        let stopped = Arc::clone(&stop);
        let mut driving = tokio::task::spawn_blocking(move || {
            let tokens = target.tokens.live_count();
            load::drive(&target, |share| feed(&pace, tokens, requests, seed, share), |_| {}, &stopped)
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
        if self.pace.rate().is_none() {
            recording.workload.rate = facts::sent_rate(&driven.load);
        }
        recording.load = Some(driven.load);
        driven.failure.map_or(Ok(()), |error| Err(error.into()))
    }

    fn blank(&self) -> Recording {
        let all = machine::available_cores();
        let generator = if self.target.cores.is_empty() { all.clone() } else { self.target.cores.clone() };
        Recording {
            schema: SCHEMA,
            scenario: Scenario {
                name: "load".to_owned(),
                question: self.question.clone(),
                thresholds: self.thresholds.clone(),
            },
            subject: Subject {
                name: self.name.clone(),
                position: 0,
                architecture: format!("not of the test bed; {}", self.wire),
                signature: None,
                scheme: None,
                store: "not known".to_owned(),
                thresholds: Vec::new(),
                staleness: Staleness::External,
                token_characters: Some(self.target.tokens.characters()),
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
            revocations: Vec::new(),
            usage: Vec::new(),
            failure: None,
        }
    }

    fn workload(&self) -> Workload {
        Workload {
            rate: self.pace.rate().map_or(0.0, Rate::per_second),
            arrivals: self.pace.to_string(),
            think_seconds: self.pace.think().map(|think| think.as_secs_f64()),
            warmup_seconds: self.warmup.duration().as_secs_f64(),
            window_seconds: self.window.duration().as_secs_f64(),
            resource_servers: 1,
            connections: self.target.connections.get() * self.target.streams.get(),
            live_tokens: u64::from(self.target.tokens.live_count()),
            zipf_exponent: 0.0,
            bad_fraction: 0.0,
            bad_tokens_per_kind: 0,
            bad_kinds: Vec::new(),
            token_lifetime_seconds: 0.0,
            probe_rate: 0.0,
        }
    }
}

/// One thread's part: tokens are taken in turn, so that none is sent again before all were.
fn feed(pace: &Pace, tokens: u32, requests: Option<u64>, seed: u64, share: Share) -> Feed {
    let token = move |number: u64| {
        let index = (number * share.of as u64 + share.index as u64) % u64::from(tokens);
        load::Token::Live(u32::try_from(index).expect("below a u32"))
    };
    let most = requests.map_or(u64::MAX, |requests| share.part_of_requests(requests));
    let feed = match pace {
        Pace::Open { rate, arrivals } => {
            let dues = arrivals.instants(*rate, seed).skip(share.index).step_by(share.of);
            let dues = dues.zip(0..most);
            Feed::open(dues.map(move |(due, number)| load::Request {
                due,
                resource_server: 0,
                token: token(number),
            }))
        }
        Pace::Closed { think } => {
            let mut number = 0;
            let pick = move |_: Offset| {
                number += 1;
                token(number - 1)
            };
            Feed::closed(Users { think: think.duration(), pick: Box::new(pick), left: most })
        }
    };
    Feed { ends_with_last: requests.is_some(), ..feed }
}

/// How long connecting and an answer may take.
pub const PATIENCE: Duration = Duration::from_secs(10);
