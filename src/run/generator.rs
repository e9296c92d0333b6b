//! The load generator on a thread of its own, for one trial.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::Context as _;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::load::{
    self, Driven, Engine, Feed, LoadError, Neighbours, Precision, Proofs, Renewals, Share, Target,
    TargetServer, TokenPool, Users, server_at,
};
use crate::plan::{Plan, Trial, Workload};
use crate::run::{Interrupt, PATIENCE};
use crate::testbed::{ClientKey, Testbed};
use crate::units::Stamp;

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
        renewals: Renewals,
        neighbours: Neighbours,
        interrupt: &Interrupt,
    ) -> anyhow::Result<Self> {
        let (workload, seed) = (Arc::clone(&trial.workload), trial.seed);
        let target = target(plan, trial, testbed, tokens, renewals, neighbours)?;
        let stopped = Arc::new(AtomicBool::new(false));
        let (tell_started, started) = oneshot::channel();
        let (tell_ended, ended) = oneshot::channel();
        let stop = Arc::clone(&stopped);
        thread::spawn(move || {
            let feed = |share| feed(&workload, seed, share);
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

/// One thread's part of what a trial sends.
fn feed(workload: &Workload, seed: u64, share: Share) -> Feed {
    let scheduled = load::schedule(workload, seed).skip(share.index).step_by(share.of);
    let users = workload.pace.think().map(|think| Users {
        think,
        pick: Box::new(load::picks(workload, seed, share)),
        left: workload.requests.map_or(u64::MAX, |requests| share.part_of_requests(requests)),
    });
    Feed { users, ends_with_last: workload.requests.is_some(), ..Feed::open(scheduled) }
}

fn target(
    plan: &Plan,
    trial: &Trial,
    testbed: &Testbed,
    tokens: Arc<TokenPool>,
    renewals: Renewals,
    neighbours: Neighbours,
) -> anyhow::Result<Target> {
    let (workload, wire) = (&trial.workload, &trial.subject.wire);
    let servers = testbed.endpoints().into_iter().map(|endpoint| {
        let connector = testbed.connector(wire, endpoint)?;
        let authority = "localhost".to_owned();
        Ok(TargetServer { connector, authority, path: "/resource".to_owned(), is_secure: wire.tls.is_some() })
    });
    // A generator that polls on a core it shares would take it from the servers it measures, and a closed loop has no
    // instants to be late for.
    let polls = !plan.placement.generators.is_empty() && workload.pace.rate().is_some();
    Ok(Target {
        servers: servers.collect::<anyhow::Result<_>>()?,
        engine: Engine::of(wire.http),
        connections: workload.connections,
        streams: workload.streams,
        requests_per_connection: workload.requests_per_connection,
        tokens,
        renewals,
        proofs: testbed.owner().key().map(|key| proofs(key, trial.subject.resource_servers)),
        window: workload.window_start()..workload.end(),
        timeout: PATIENCE,
        precision: if polls { Precision::Busy } else { Precision::Hybrid },
        cores: plan.placement.generators.clone(),
        neighbours,
    })
}

/// The proofs that this key signs for requests to so many resource servers.
fn proofs(key: &Arc<ClientKey>, servers: u32) -> Proofs {
    let (key, ahead) = (Arc::clone(key), key.ahead());
    let sign = move |token: &str, place| key.resource_proof(token, server_at(place, servers as usize));
    Proofs { sign: Arc::new(sign), ahead }
}

impl Drop for Generator {
    fn drop(&mut self) {
        self.stop();
        self.heeding.abort();
    }
}
