//! Has tokens issued in the place of others while the load runs: clients that come and go.

use std::convert::Infallible;
use std::future::pending;
use std::sync::Arc;

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use tokio::time::{Instant, sleep, sleep_until};

use crate::load::{Renewals, TokenPool};
use crate::observation::TokenChurn;
use crate::plan::Trial;
use crate::run::refreshing::pause_after;
use crate::testbed::Testbed;
use crate::units::{Offset, Stamp};

/// As many may be under way at once: those of an authorization server that is slow come late, and as they are asked for.
const AT_ONCE: usize = 64;

/// How many tokens the plan of `trial` wants replaced until then.
pub(super) fn due(trial: &Trial, until: Offset) -> u64 {
    trial.workload.replacements(trial.seed).take_while(|(due, _)| *due < until).count() as u64
}

/// Replaces tokens of `pool` when the plan of `trial` says so, and leaves them in `renewals`. Never ends: the load does.
pub(super) async fn replace(
    testbed: &Testbed,
    trial: &Trial,
    start: Stamp,
    mut pool: Arc<TokenPool>,
    renewals: &Renewals,
    seen: &mut TokenChurn,
) -> Infallible {
    let mut replacements = trial.workload.replacements(trial.seed).peekable();
    if replacements.peek().is_none() {
        return pending().await;
    }
    let client = testbed.token_client();
    let mut under_way = FuturesUnordered::new();
    let mut fresh: Vec<(u32, Arc<str>)> = Vec::new();
    // The generator is given all that came meanwhile at once.
    let mut hands_over = Instant::now();
    loop {
        let next = replacements.peek().map(|(due, _)| due.since(Stamp::now().offset(start)));
        tokio::select! {
            () = sleep(next.unwrap_or_default()), if next.is_some() && under_way.len() < AT_ONCE => {
                let (_, token) = replacements.next().expect("it was looked at");
                let client = &client;
                under_way.push(async move {
                    let asked = Stamp::now();
                    let issued = client.issue().await;
                    (token, issued, asked.elapsed())
                });
            }
            Some((token, issued, took)) = under_way.next(), if !under_way.is_empty() => match issued {
                Ok(text) => {
                    seen.issuing.record(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
                    seen.replaced += 1;
                    fresh.push((token, text.into()));
                }
                Err(error) => {
                    seen.failed += 1;
                    seen.failure.get_or_insert_with(|| format!("{:#}", anyhow::Error::from(error)));
                }
            },
            // Also when nothing came: a `select!` needs a branch that is not disabled.
            () = sleep_until(hands_over) => {
                let began = Instant::now();
                if !fresh.is_empty() {
                    pool = Arc::new(pool.replacing(fresh.drain(..)));
                    renewals.replace(Arc::clone(&pool));
                }
                hands_over = Instant::now() + pause_after(began.elapsed());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Plan;
    use crate::scenario::ScenarioFile;

    #[test]
    fn what_is_due_is_what_the_plan_wants_until_the_load_ends_however_slowly_tokens_are_issued() {
        let text = include_str!("../../scenarios/churn.toml");
        let file = ScenarioFile::parse("churn.toml".to_owned(), text, &[]).unwrap();
        let trial = &Plan::decide(&file, &[], &[0, 1]).unwrap().trials[0];
        let all: Vec<Offset> = trial.workload.replacements(trial.seed).map(|(due, _)| due).collect();
        assert_eq!(due(trial, all[7]), 7);
        assert_eq!(
            due(trial, Offset::from_nanos(u64::MAX)),
            all.len() as u64,
            "none after the end of the plan"
        );
    }
}
