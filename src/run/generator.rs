//! The load generator on a thread of its own, for one trial.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::Context as _;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::load::{self, Driven, LoadError, Pacing, Target, TokenPool};
use crate::plan::{Plan, Trial};
use crate::run::Interrupt;
use crate::testbed::Testbed;
use crate::units::Stamp;

/// How long a connection and an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

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
    ) -> Self {
        let (workload, addresses) = (Arc::clone(&trial.workload), testbed.addresses());
        let (core, seed) = (plan.placement.generator, trial.seed);
        let stopped = Arc::new(AtomicBool::new(false));
        let (tell_started, started) = oneshot::channel();
        let (tell_ended, ended) = oneshot::channel();
        let stop = Arc::clone(&stopped);
        thread::spawn(move || {
            let target = Target {
                addresses: &addresses,
                connections: workload.connections,
                tokens,
                window: workload.window_start()..workload.end(),
                timeout: PATIENCE,
                // A generator that polls on a core it shares would take it from the servers it measures.
                pacing: if core.is_some() { Pacing::Busy } else { Pacing::Hybrid },
                core: core.map(|core| core as usize),
            };
            let requests = load::schedule(&workload, seed);
            // Nobody listens any more if the trial was given up.
            let begun = |start| {
                let _ = tell_started.send(start);
            };
            let _ = tell_ended.send(load::drive(&target, requests, begun, &stop));
        });
        let (interrupt, stop) = (interrupt.clone(), Arc::clone(&stopped));
        let heeding = tokio::spawn(async move {
            interrupt.wait().await;
            stop.store(true, Ordering::Relaxed);
        });
        Self { started: Some(started), ended, stopped, heeding }
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

impl Drop for Generator {
    fn drop(&mut self) {
        self.stop();
        self.heeding.abort();
    }
}
