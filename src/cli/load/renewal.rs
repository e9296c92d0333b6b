//! Renews the tokens of a load while it runs, on a thread of its own beside the generator's cores.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::sleep;

use crate::cli::load::issuing::usable;
use crate::cli::load::token_file::Clock;
use crate::identity_provider::TokenSource;
use crate::load::{Renewals, Token, TokenPool, keep_off};
use crate::units::Stamp;

/// A renewal under way. Dropped, it ends.
pub(super) struct Renewal {
    stop: Option<oneshot::Sender<Infallible>>,
    thread: Option<JoinHandle<()>>,
    tally: Arc<Mutex<Tally>>,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
struct Tally {
    renewed: u64,
    failures: u64,
    last_failure: Option<String>,
}

impl Tally {
    fn failed(&mut self, why: String) {
        self.failures += 1;
        self.last_failure = Some(why);
    }
}

/// A provider that refuses is asked again after this.
const RETRY: Duration = Duration::from_millis(250);

impl Renewal {
    /// Begins to renew the tokens of `pool`, which live for `lifetime`, and leaves them in `renewals`.
    pub(super) fn start(
        source: Arc<TokenSource>,
        pool: Arc<TokenPool>,
        lifetime: Duration,
        renewals: Renewals,
        generators: Vec<u32>,
    ) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let tally = Arc::new(Mutex::new(Tally::default()));
        let counted = Arc::clone(&tally);
        let thread = std::thread::Builder::new().name("renewal".to_owned()).spawn(move || {
            // Where it may not move, it stays: the generator tells if it was disturbed.
            let _ = keep_off(&generators);
            runtime.block_on(async {
                tokio::select! {
                    never = renew(&source, pool, lifetime, &renewals, &counted) => match never {},
                    _ = stopped => {}
                }
            });
        })?;
        Ok(Self { stop: Some(stop), thread: Some(thread), tally })
    }

    /// Ends it, and says what came of it.
    pub(super) fn finish(mut self) -> String {
        self.end();
        let Tally { renewed, failures, last_failure } = lock(&self.tally).clone();
        let failed = last_failure.map_or_else(String::new, |why| {
            format!("; {failures} renewals failed, the last one because {why}")
        });
        format!("{renewed} tokens were renewed during the load{failed}")
    }

    fn end(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic in it was told when it happened, and took nothing from the load.
            let _ = thread.join();
        }
    }
}

impl Drop for Renewal {
    fn drop(&mut self) {
        self.end();
    }
}

fn lock(tally: &Mutex<Tally>) -> std::sync::MutexGuard<'_, Tally> {
    tally.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Renews each token when a third of its life is left, with those whose turn comes within the next tenth of it.
async fn renew(
    source: &Arc<TokenSource>,
    mut pool: Arc<TokenPool>,
    lifetime: Duration,
    renewals: &Renewals,
    tally: &Mutex<Tally>,
) -> Infallible {
    let clock = Clock::read();
    loop {
        let Some((_, first)) = pool.first_expiry() else {
            std::future::pending::<()>().await;
            continue;
        };
        let early = lifetime / 3;
        let due =
            Duration::from_nanos(first.nanos().saturating_sub(Stamp::now().nanos())).saturating_sub(early);
        sleep(due).await;
        let batch = pool.expiring_before(Stamp::now() + early + lifetime / 10);
        let mut places = batch.iter().copied();
        let mut fresh = BTreeMap::new();
        let mut problem = None;
        let count = u32::try_from(batch.len()).expect("a pool has fewer than 2^32 tokens");
        let issued = source.issue(count, |asked, token| match usable(&clock, asked, &token) {
            Ok(expires) => {
                fresh.extend(places.next().map(|place| (Token::Live(place), (token.text, expires))));
            }
            Err(found) => problem = Some(found),
        });
        let failure = issued.await.err().map(|error| format!("{:#}", anyhow::Error::new(error)));
        // A provider that keeps tokens gives out the same ones until they expire: it is not asked without a pause.
        let soon = Stamp::now() + early;
        let is_old = fresh.values().any(|(_, expires)| expires.is_some_and(|expires| expires < soon));
        if !fresh.is_empty() {
            lock(tally).renewed += fresh.len() as u64;
            pool = Arc::new(pool.with(&fresh));
            renewals.replace(Arc::clone(&pool));
        }
        let problem = problem.or_else(|| is_old.then(|| "what was issued expires as soon".to_owned()));
        if let Some(why) = failure.or(problem) {
            lock(tally).failed(why);
            sleep(RETRY).await;
        }
    }
}
