//! One trial: start the servers, issue the tokens, drive the load while tokens are revoked, stop.

use std::cell::Cell;
use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::sleep;

use crate::load::{Driven, Neighbours, Renewals};
use crate::observation::{Node, Recording, TokenChurn, TrialFailure};
use crate::plan::{Plan, Trial};
use crate::run::generator::Generator;
use crate::run::issuing::IssuedPool;
use crate::run::refreshing::Clients;
use crate::run::revocations::{self, Known};
use crate::run::sampling::sample;
use crate::run::{Interrupt, PATIENCE, Preparation, churn, facts, issuing, watching};
use crate::testbed::machine::{self, Watch};
use crate::testbed::signature::TrialKey;
use crate::testbed::{Decision, Revoked, Testbed, TestbedError, readable_claims};
use crate::units::{Offset, Stamp};

/// Measures one trial. What fails is recorded with what was seen until then. `told` hears of every preparation, and
/// of none when the load begins.
pub(super) async fn measure(
    plan: &Plan,
    trial: &Trial,
    program: &Path,
    interrupt: &Interrupt,
    mut told: impl FnMut(Option<Preparation>),
) -> Recording {
    let mut recording = facts::blank(plan, trial);
    let has_begun = Cell::new(false);
    let told = |stage: Option<Preparation>| {
        has_begun.set(stage.is_none());
        told(stage);
    };
    let ended = tokio::select! {
        ended = attempt(&mut recording, plan, trial, program, interrupt, told) => ended,
        // It is told below that it was interrupted.
        () = interrupted_and_overdue(interrupt, &has_begun) => Ok(()),
    };
    recording.failure = match ended {
        Err(error) => Some(TrialFailure::error(format!("{error:#}"))),
        Ok(()) if interrupt.happened() => Some(TrialFailure::Interrupted),
        Ok(()) => None,
    };
    recording
}

/// An interrupted trial ends by itself, with what it saw, unless it hangs before its load began. A load that has begun waits for the
/// answers in flight.
async fn interrupted_and_overdue(interrupt: &Interrupt, has_begun: &Cell<bool>) {
    interrupt.wait().await;
    sleep(GRACE).await;
    if has_begun.get() {
        sleep(PATIENCE).await;
    }
}

const GRACE: Duration = Duration::from_secs(3);

async fn attempt(
    recording: &mut Recording,
    plan: &Plan,
    trial: &Trial,
    program: &Path,
    interrupt: &Interrupt,
    mut told: impl FnMut(Option<Preparation>),
) -> anyhow::Result<()> {
    let key = TrialKey::generate(trial).await?;
    recording.subject.scheme = key.as_ref().map(TrialKey::facts);
    if let Some(key) = key.as_ref().filter(|_| plan.times_signature_of(trial)) {
        // Before any server runs: nothing competes for the core.
        told(Some(Preparation::Signature));
        let watch = Watch::begin();
        let times = key.time(program, &plan.placement).await?;
        recording.signature_conditions = Some(watch.end());
        issuing::ensure_possible(plan, trial, &times)?;
        recording.signature_times = Some(times);
    }
    told(Some(Preparation::Servers));
    let testbed = Testbed::start(program, trial, key, plan.lifetime, &plan.placement).await?;
    let issued = issuing::issue(&testbed, plan, trial, |stage| told(Some(stage))).await?;
    let due: Vec<(Offset, String)> =
        trial.workload.revocations.iter().copied().zip(issued.revocable()).collect();
    let IssuedPool { tokens, supply, refreshable } = issued;
    recording.subject.token_characters = tokens.characters();
    for (bad, unreadable) in recording.workload.bad_tokens.iter_mut().zip(&supply.unreadable) {
        bad.unreadable = *unreadable;
    }
    recording.subject.readable_claims = tokens.median().map(readable_claims);
    let bound = testbed.client_key().zip(tokens.valid().next());
    recording.subject.proof_characters = bound.map(|(key, token)| key.resource_proof(token, 0).len() as u64);

    let tokens = Arc::new(tokens);
    let mut clients = Clients::start(trial, &testbed, &tokens, refreshable, &plan.placement.generators)?;
    let neighbours = Neighbours::default();
    let seen = neighbours.clone();
    // Until the end of the trial.
    let _watch =
        testbed.watch_cores(program, &plan.placement, move |heard| watching::tell(&seen, heard)).await;
    let mut seen = Beside { nodes: testbed.unseen_nodes(), revoked: Vec::new(), failure: None };
    let mut renewals = Renewals::of(Arc::clone(&tokens));
    if let Some(clients) = &mut clients {
        clients.up_to_date().await?;
        renewals = clients.renewals.clone();
    }
    let pool = Arc::clone(&tokens);
    let mut generator =
        Generator::start(plan, trial, &testbed, pool, renewals.clone(), neighbours, interrupt)?;
    let start = generator.started().await?;
    issuing::ensure_last(plan, trial, supply.issued, start)?;
    told(None);
    // What goes on beside the load must not take the generator's core from it.
    let aside = machine::pin_thread(&plan.placement.servers);
    let watch = Watch::begin();
    let mut replaced = TokenChurn::default();
    let replacing = churn::replace(&testbed, trial, start, tokens, &renewals, &mut replaced);
    let driven = accompany(&testbed, trial, &due, start, &mut seen, replacing, &mut generator).await;
    replaced.due = churn::due(trial, Stamp::now().offset(start));
    let expiries = clients
        .map_or_else(|| Ok(vec![supply.watched_issued.expires(plan.lifetime); due.len()]), Clients::end);
    recording.conditions = watch.end();
    aside.and_then(|()| machine::pin_thread(&machine::available_cores()))?;
    recording.nodes = seen.nodes;
    recording.churn = trial.workload.pool.churn.map(|_| replaced);
    let driven = driven?;
    if trial.workload.pace.rate().is_none() {
        recording.workload.rate = facts::sent_rate(&driven.load);
    }
    recording.load = Some(driven.load);
    let expiries = expiries?;

    let events = |decisions: &[Vec<Decision>]| {
        revocations::facts(&Known {
            workload: &trial.workload,
            start,
            expiries: &expiries,
            nodes: &recording.nodes,
            revoked: &seen.revoked,
            sent: &driven.probes,
            decisions,
        })
    };
    // A server that has died cannot be asked what it decided; that it was told something remains.
    recording.events = events(&[]);
    testbed.ensure_alive(&[]).await?;
    recording.events = events(&testbed.decisions().await?);
    let revoked: Vec<&str> = due.iter().map(|(_, token)| token.as_str()).collect();
    recording.learned = revocations::learned(start, &testbed.told_of(&revoked).await?, &recording.events);
    testbed.stop().await;
    match driven.failure {
        Some(error) => Err(error.into()),
        None => seen.failure.map_or(Ok(()), |error| Err(error.into())),
    }
}

/// What is seen beside the load while it runs.
struct Beside {
    nodes: Vec<Node>,
    revoked: Vec<Revoked>,
    failure: Option<TestbedError>,
}

/// Revokes, replaces and samples until the load ends.
async fn accompany(
    testbed: &Testbed,
    trial: &Trial,
    due: &[(Offset, String)],
    start: Stamp,
    seen: &mut Beside,
    replacing: impl Future<Output = Infallible>,
    generator: &mut Generator,
) -> anyhow::Result<Driven> {
    let Beside { nodes, revoked, failure } = seen;
    let ended = Notify::new();
    let beside = async {
        let revoking = async {
            testbed.revoke_at(start, due, revoked).await;
            Ok(())
        };
        tokio::select! {
            ended = async { tokio::try_join!(sample(testbed, trial, start, &ended, nodes), revoking) } => ended.err(),
            never = replacing => match never {},
        }
    };
    tokio::pin!(beside);
    tokio::select! {
        failed = &mut beside => {
            if failed.is_some() {
                // A server does not answer: what it would be sent from here on measures nothing.
                generator.stop();
            }
            *failure = failed;
            generator.ended().await
        }
        driven = generator.ended() => {
            let whole = driven.as_ref().is_ok_and(|driven| !driven.load.cut_short);
            if whole {
                // The last sample is due at the end of the load: that of the window, unless it ended by count.
                ended.notify_one();
                *failure = beside.await;
            }
            driven
        }
    }
}
