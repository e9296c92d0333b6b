//! One trial: start the servers, issue the tokens, drive the load while its timeline is walked, stop.

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
use crate::run::events::{self, Known};
use crate::run::generator::Generator;
use crate::run::issuing::IssuedPool;
use crate::run::refreshing::Clients;
use crate::run::sampling::sample;
use crate::run::{Interrupt, PATIENCE, Preparation, churn, facts, issuing, popularity, watching};
use crate::testbed::core_watch::CoreWatch;
use crate::testbed::machine::{self, Watch};
use crate::testbed::signature::TrialKey;
use crate::testbed::{Decision, Happened, Testbed, TestbedError, readable_claims};
use crate::units::Stamp;

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
    let revocable = issued.revocable();
    let IssuedPool { tokens, supply, refreshable } = issued;
    recording.subject.token_characters = tokens.characters();
    for (bad, unreadable) in recording.workload.bad_tokens.iter_mut().zip(&supply.unreadable) {
        bad.unreadable = *unreadable;
    }
    recording.subject.readable_claims = tokens.median().map(readable_claims);
    recording.subject.proof_characters =
        tokens.valid().next().and_then(|token| testbed.owner().proof_characters(token));
    recording.subject.handshake_bytes = testbed.handshake_bytes(&trial.subject.wire).await?;

    let tokens = Arc::new(tokens);
    let mut clients = Clients::start(trial, &testbed, &tokens, refreshable, &plan.placement.generators)?;
    let neighbours = Neighbours::default();
    let seen = neighbours.clone();
    // Until the end of the trial.
    let watch =
        testbed.watch_cores(program, &plan.placement, move |heard| watching::tell(&seen, heard)).await;
    let mut seen =
        Beside { nodes: testbed.unseen_nodes(), happened: Vec::new(), core_watch: watch, failure: None };
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
    let replacing = churn::replace(&testbed, trial, start, Arc::clone(&tokens), &renewals, &mut replaced);
    let beside = Accompanied { testbed: &testbed, plan, trial, revocable: &revocable, start };
    let driven = beside.accompany(&mut seen, replacing, &mut generator).await;
    replaced.due = churn::due(trial, Stamp::now().offset(start));
    let expiries = clients.map_or_else(
        || Ok(vec![supply.watched_issued.expires(plan.lifetime); revocable.len()]),
        Clients::end,
    );
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
        events::facts(&Known {
            workload: &trial.workload,
            start,
            expiries: &expiries,
            nodes: &recording.nodes,
            happened: &seen.happened,
            sent: &driven.probes,
            decisions,
        })
    };
    // A server that has died cannot be asked what it decided; that it was told something remains.
    recording.events = events(&[]);
    if let Some(failure) = events::failure(&seen.happened, trial.workload.window_start()) {
        anyhow::bail!(failure);
    }
    testbed.ensure_alive(&testbed.down_by_plan(&seen.happened)).await?;
    recording.events = events(&testbed.decisions().await?);
    let revoked: Vec<&str> = revocable.iter().map(String::as_str).collect();
    recording.learned = events::learned(start, &testbed.told_of(&revoked).await?, &recording.events);
    if popularity::is_told_of(trial) {
        let misses = testbed.misses(tokens.valid(), start + trial.workload.warmup.duration()).await?;
        recording.popularity = misses.map(|misses| popularity::groups(trial, &misses));
    }
    testbed.stop().await;
    match driven.failure {
        Some(error) => Err(error.into()),
        None => seen.failure.map_or(Ok(()), |error| Err(error.into())),
    }
}

/// What is seen beside the load while it runs.
struct Beside {
    nodes: Vec<Node>,
    happened: Vec<Happened>,
    core_watch: Option<CoreWatch>,
    failure: Option<TestbedError>,
}

/// A trial whose load runs.
struct Accompanied<'a> {
    testbed: &'a Testbed,
    plan: &'a Plan,
    trial: &'a Trial,
    /// What is revoked, token by token.
    revocable: &'a [String],
    start: Stamp,
}

impl Accompanied<'_> {
    /// Walks the timeline, replaces and samples until the load ends.
    async fn accompany(
        &self,
        seen: &mut Beside,
        replacing: impl Future<Output = Infallible>,
        generator: &mut Generator,
    ) -> anyhow::Result<Driven> {
        let Beside { nodes, happened, core_watch, failure } = seen;
        let (testbed, start) = (self.testbed, self.start);
        let (ended, restarted) = (Notify::new(), Notify::new());
        let beside = async {
            let walking = async {
                let timeline = &self.trial.workload.timeline;
                testbed.walk(start, timeline, self.revocable, &restarted, happened).await;
                Ok(())
            };
            let watched =
                async { tokio::try_join!(sample(testbed, self.trial, start, &ended, nodes), walking) };
            tokio::select! {
                ended = watched => ended.err(),
                never = replacing => match never {},
                never = self.keep_told(&restarted, core_watch.as_mut()) => match never {},
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
                let driven = generator.ended().await;
                // Nobody is to wait for those that hang by the plan.
                testbed.resume_all().await;
                driven
            }
            driven = generator.ended() => {
                let whole = driven.as_ref().is_ok_and(|driven| !driven.load.cut_short);
                // What was asked of servers that hang is answered, and they tell what they know.
                testbed.resume_all().await;
                if whole {
                    // The last sample is due at the end of the load: that of the window, unless it ended by count.
                    ended.notify_one();
                    *failure = beside.await;
                }
                driven
            }
        }
    }

    /// Tells who watches the cores of the servers which processes have a right to them, after some were started again.
    async fn keep_told(&self, restarted: &Notify, mut core_watch: Option<&mut CoreWatch>) -> Infallible {
        loop {
            restarted.notified().await;
            if let Some(watch) = &mut core_watch {
                // One that has ended tells so by itself.
                let _ = self.testbed.tell_watch(watch, &self.plan.placement).await;
            }
        }
    }
}
