//! The tokens of a trial: how long issuing them may take, and who hears how far it is.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::{Instant, interval_at, timeout};

use crate::design::TokenFormat;
use crate::load::{Filling, Token, TokenPool};
use crate::observation::SignatureTimes;
use crate::plan::{Plan, TokenClass, Trial};
use crate::run::Preparation;
use crate::testbed::{self, Count, Issued, Refreshable, Sink, SuppliedToken, Testbed, TokenSupply};
use crate::units::Stamp;

/// How often it is told how far the issuing is, if it takes that long.
const TELLING: Duration = Duration::from_secs(3);

/// The tokens of a trial.
pub(super) struct IssuedPool {
    pub(super) tokens: TokenPool,
    pub(super) supply: TokenSupply,
    /// Those that clients have refreshed, with what that needs: the good ones, then those that will be revoked.
    pub(super) refreshable: Vec<(Token, Refreshable)>,
}

/// Has the tokens of `trial` issued into a pool, for as long as the first of them would outlive the load.
pub(super) async fn issue(
    testbed: &Testbed,
    plan: &Plan,
    trial: &Trial,
    told: impl FnMut(Preparation),
) -> anyhow::Result<IssuedPool> {
    let mut tokens = filling(trial);
    let mut refreshable = Vec::new();
    let (mut live, mut watched) = (0, 0);
    let refreshing = trial.subject.architecture.design().refreshing;
    let mut sink = |class, SuppliedToken { text, refreshable: held }: SuppliedToken| {
        let place = match class {
            TokenClass::Valid => {
                let expires =
                    refreshing.zip(held.as_ref()).map(|(how, held)| held.issued.expires(how.life()));
                tokens.add_valid(&text, expires);
                Token::Live(next(&mut live))
            }
            TokenClass::Watched => {
                tokens.add(class, &text);
                Token::Watched(next(&mut watched))
            }
            TokenClass::Bad(_) => return tokens.add(class, &text),
        };
        refreshable.extend(held.map(|held| (place, held)));
    };
    let supply = supply(testbed, plan, trial, &mut sink, told).await?;
    Ok(IssuedPool { tokens: tokens.full(), supply, refreshable })
}

impl IssuedPool {
    /// What is revoked in a revocation test, in order: tokens, or the grants by which clients have theirs refreshed.
    pub(super) fn revocable(&self) -> Vec<String> {
        let watched = self.refreshable.iter().filter(|(token, _)| matches!(token, Token::Watched(_)));
        let grants: Vec<String> = watched.map(|(_, held)| held.refresh_token.clone()).collect();
        if grants.is_empty() { self.tokens.watched().map(str::to_owned).collect() } else { grants }
    }
}

fn next(count: &mut u32) -> u32 {
    *count += 1;
    *count - 1
}

async fn supply(
    testbed: &Testbed,
    plan: &Plan,
    trial: &Trial,
    sink: &mut Sink<'_>,
    mut told: impl FnMut(Preparation),
) -> anyhow::Result<TokenSupply> {
    let (issued, limit, of) = (Count::default(), limit(plan, trial), needed(trial));
    told(Preparation::Tokens { issued: 0, of });
    let supplying = timeout(limit, testbed.supply(trial, &issued, sink));
    tokio::pin!(supplying);
    let mut telling = interval_at(Instant::now() + TELLING, TELLING);
    loop {
        tokio::select! {
            supplied = &mut supplying => {
                let issued = issued.load(Ordering::Relaxed);
                let Ok(supplied) = supplied else {
                    anyhow::bail!(
                        "only {issued} of {of} tokens were issued within {limit:.0?}, after which the first ones would \
                         expire before the load ends; {REMEDY}"
                    );
                };
                return Ok(supplied?);
            }
            _ = telling.tick() => {
                told(Preparation::Tokens { issued: issued.load(Ordering::Relaxed), of });
            }
        }
    }
}

fn filling(trial: &Trial) -> Filling {
    let pool = &trial.workload.pool;
    let mut filling = TokenPool::filling(pool.mix.iter().map(|(kind, _)| *kind));
    let bad = pool.mix.len() * pool.bad_per_kind as usize;
    filling.reserve(pool.live as usize + bad + trial.workload.timeline.revocation_count());
    filling
}

const REMEDY: &str = "lower tokens.live or tokens.bad_per_kind, or raise tokens.lifetime";

/// Fails if signing the tokens of `trial` alone would take too long, by what was measured just now.
pub(super) fn ensure_possible(plan: &Plan, trial: &Trial, times: &SignatureTimes) -> anyhow::Result<()> {
    if trial.subject.token_format() == TokenFormat::Opaque {
        // What is signed is signed under the load.
        return Ok(());
    }
    let batches: u64 = times.rounds.iter().map(|round| round.sign.count()).sum();
    let nanos: f64 =
        times.rounds.iter().filter_map(|round| Some(round.sign.mean()? * round.sign.count() as f64)).sum();
    let each = nanos / (batches.max(1) * u64::from(times.batches.sign)) as f64 / 1e9;
    let (count, limit) = (needed(trial), limit(plan, trial).as_secs_f64());
    let taken = each * count as f64 / plan.placement.servers.len() as f64;
    anyhow::ensure!(
        taken < limit,
        "signing {count} tokens takes {taken:.0} s here ({each:.3} s each), but after {limit:.0} s the first ones would \
         expire before the load ends; {REMEDY}"
    );
    Ok(())
}

fn needed(trial: &Trial) -> u64 {
    testbed::needed(&trial.workload.pool, trial.workload.timeline.revocation_count())
}

fn limit(plan: &Plan, trial: &Trial) -> Duration {
    plan.lifetime.saturating_sub(Duration::from_nanos(trial.workload.end().nanos()))
}

/// Good tokens that expire under way would be refused rightly, and counted as wrong answers.
pub(super) fn ensure_last(plan: &Plan, trial: &Trial, issued: Issued, start: Stamp) -> anyhow::Result<()> {
    let (expiry, end) = (issued.expiry(plan.lifetime, start), trial.workload.end().seconds());
    anyhow::ensure!(
        expiry > end,
        "issuing the tokens took so long that the first ones expire {:.1} s before the load ends; \
         raise tokens.lifetime, or issue fewer tokens",
        end - expiry
    );
    Ok(())
}
