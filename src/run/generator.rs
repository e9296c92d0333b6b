//! The load generator on a thread of its own, for one trial.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::Context as _;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::load::{self, Driven, Engine, Feed, LoadError, Precision, Server, Share, Target, TokenPool};
use crate::plan::{Plan, Trial};
use crate::run::{Interrupt, PATIENCE};
use crate::testbed::Testbed;
use crate::units::Stamp;
use crate::wire::Connector;

/// A running load generator; it stops soon after this is dropped.
pub(super) struct Generator {
    started: Option<oneshot::Receiver<Stamp>>,
    ended: oneshot::Receiver<Result<Driven, LoadError>>,
    stopped: Arc<AtomicBool>,
    /// Stops it when the run is interrupted.
    heeding: JoinHandle<()>,
}

impl Generator {
    /// Starts to connect to the servers of `testbed`, and then to send.
    pub(super) fn start(
        plan: &Plan,
        trial: &Trial,
        testbed: &Testbed,
        tokens: Arc<TokenPool>,
        interrupt: &Interrupt,
    ) -> anyhow::Result<Self> {
        let (workload, seed) = (Arc::clone(&trial.workload), trial.seed);
        let target = target(plan, trial, testbed, tokens)?;
        let stopped = Arc::new(AtomicBool::new(false));
        let (tell_started, started) = oneshot::channel();
        let (tell_ended, ended) = oneshot::channel();
        let stop = Arc::clone(&stopped);
        thread::spawn(move || {
            let feed = |share: Share| {
                Feed::open(load::schedule(&workload, seed).skip(share.index).step_by(share.of))
            };
            // Nobody listens any more if the trial was given up.
            let begun = |start| {
                let _ = tell_started.send(start);
            };
            let _ = tell_ended.send(load::drive(&target, feed, begun, &stop));
        });
        let (interrupt, stop) = (interrupt.clone(), Arc::clone(&stopped));
        let heeding = tokio::spawn(async move {
            interrupt.wait().await;
            stop.store(true, Ordering::Relaxed);
        });
        Ok(Self { started: Some(started), ended, stopped, heeding })
    }

    /// When the load began.
    pub(super) async fn started(&mut self) -> anyhow::Result<Stamp> {
        let started = self.started.take().expect("asked once");
        match started.await {
            Ok(start) => Ok(start),
            Err(_) => match self.ended().await {
                Err(error) => Err(error),
                Ok(_) => anyhow::bail!("the load generator ended before it began"),
            },
        }
    }

    /// Cuts the load short.
    pub(super) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// What was seen, once the load has ended.
    pub(super) async fn ended(&mut self) -> anyhow::Result<Driven> {
        Ok((&mut self.ended).await.context("the load generator broke down")??)
    }
}

fn target(plan: &Plan, trial: &Trial, testbed: &Testbed, tokens: Arc<TokenPool>) -> anyhow::Result<Target> {
    let (workload, wire) = (&trial.workload, &trial.subject.wire);
    let servers = testbed.endpoints().into_iter().map(|endpoint| {
        let authority = "localhost".to_owned();
        let connector = Connector::new(endpoint, wire, testbed.trust(), &authority)?;
        Ok(Server { connector, authority, path: "/resource".to_owned(), is_secure: wire.tls.is_some() })
    });
    Ok(Target {
        servers: servers.collect::<anyhow::Result<_>>()?,
        engine: Engine::of(wire.http),
        connections: workload.connections,
        streams: NonZeroU32::MIN,
        requests_per_connection: None,
        tokens,
        window: workload.window_start()..workload.end(),
        timeout: PATIENCE,
        // A generator that polls on a core it shares would take it from the servers it measures.
        precision: if plan.placement.generators.is_empty() { Precision::Hybrid } else { Precision::Busy },
        cores: plan.placement.generators.clone(),
    })
}

impl Drop for Generator {
    fn drop(&mut self) {
        self.stop();
        self.heeding.abort();
    }
}
