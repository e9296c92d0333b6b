//! The clients of a trial, as far as they have short-lived tokens refreshed while the load runs: a thread beside the generator's cores.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::convert::Infallible;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context as _;
use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

use crate::design::Refreshing;
use crate::load::{Renewals, Token, TokenPool, keep_off};
use crate::plan::Trial;
use crate::testbed::{Refreshable, Refresher, SuppliedToken, SupplyError, Testbed};
use crate::units::Stamp;

/// Clients that have their tokens refreshed. Dropped, they stop.
pub(super) struct Clients {
    stop: Option<oneshot::Sender<Infallible>>,
    up_to_date: Option<oneshot::Receiver<()>>,
    thread: Option<JoinHandle<Vec<(Token, Stamp)>>>,
    /// Where they leave their tokens.
    pub(super) renewals: Renewals,
}

/// So long it may take until no token is due any more that became due while others were issued.
const CATCHING_UP: Duration = Duration::from_secs(20);
/// Refreshes under way at once.
const AT_ONCE: usize = 16;
/// New tokens wait for others so long, since to replace the pool costs a copy of it: less than the half second before a token ends in which
/// its successor is there.
const TOGETHER: Duration = Duration::from_millis(50);
/// The pool is copied for at most this part of the time.
const COPYING: u32 = 10;
/// Whoever has replaced the pool waits so long before it is replaced again.
pub(super) fn pause_after(took: Duration) -> Duration {
    TOGETHER.max(COPYING * took)
}

/// An authorization server that does not answer is asked again after this.
const RETRY: Duration = Duration::from_millis(250);

impl Clients {
    /// Begins to have tokens of `pool` refreshed. `None` where no client does that.
    pub(super) fn start(
        trial: &Trial,
        testbed: &Testbed,
        pool: &Arc<TokenPool>,
        refreshable: Vec<(Token, Refreshable)>,
        generators: &[u32],
    ) -> anyhow::Result<Option<Self>> {
        let Some(refreshing) = trial.subject.architecture.design().refreshing else { return Ok(None) };
        let renewals = Renewals::of(Arc::clone(pool));
        let mut random = ChaCha8Rng::seed_from_u64(trial.seed);
        // A stream of its own: other choices from the same seed are independent of it.
        random.set_stream(2);
        let mut clients = Client::all(refreshable, refreshing, &mut random);
        let (refresher, left, mut pool) = (testbed.refresher(), renewals.clone(), Arc::clone(pool));
        let generators = generators.to_vec();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let (tell, up_to_date) = oneshot::channel();
        let thread = std::thread::Builder::new().name("clients".to_owned()).spawn(move || {
            // Where it may not move, it stays: the generator tells if it was disturbed.
            let _ = keep_off(&generators);
            let mut work =
                Work { refresher: &refresher, refreshing, random, renewals: &left, tell: Some(tell) };
            runtime.block_on(async {
                tokio::select! {
                    never = work.go_on(&mut clients, &mut pool) => match never {},
                    _ = stopped => {}
                }
            });
            clients.into_iter().map(|client| (client.token, client.expires)).collect()
        })?;
        Ok(Some(Self { stop: Some(stop), up_to_date: Some(up_to_date), thread: Some(thread), renewals }))
    }

    /// Waits until no token is due to be refreshed.
    pub(super) async fn up_to_date(&mut self) -> anyhow::Result<()> {
        let Some(told) = self.up_to_date.take() else { return Ok(()) };
        match timeout(CATCHING_UP, told).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => anyhow::bail!("the clients that have tokens refreshed have ended"),
            Err(_) => anyhow::bail!(
                "after {} s some tokens were still not refreshed that were due: the authorization server is slower than they expire; \
                 lower tokens.live, or raise the `life` of the architecture",
                CATCHING_UP.as_secs()
            ),
        }
    }

    /// Stops, and tells when the tokens expire that clients hold now, those under revocation test in order.
    pub(super) fn end(mut self) -> anyhow::Result<Vec<Stamp>> {
        let expiries =
            self.stop().context("the clients that have tokens refreshed ended before the load did")?;
        Ok(expiries
            .into_iter()
            .filter(|(token, _)| matches!(token, Token::Watched(_)))
            .map(|(_, at)| at)
            .collect())
    }

    /// `None` if they have stopped before, or by a panic, which was told when it happened.
    fn stop(&mut self) -> Option<Vec<(Token, Stamp)>> {
        drop(self.stop.take());
        self.thread.take()?.join().ok()
    }
}

impl Drop for Clients {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A client of one token.
struct Client {
    token: Token,
    refresh_token: String,
    /// When it wants the next token; never, once it was refused.
    due: Option<Stamp>,
    expires: Stamp,
}

impl Client {
    /// They are as far apart as those of an estate that has run for long: each is somewhere between two of its refreshes.
    fn all(
        refreshable: Vec<(Token, Refreshable)>,
        refreshing: Refreshing,
        random: &mut ChaCha8Rng,
    ) -> Vec<Self> {
        let client = |(token, Refreshable { refresh_token, issued })| Self {
            token,
            refresh_token,
            due: Some(issued.aged(some(refreshing, random))),
            expires: issued.expires(refreshing.life()),
        };
        refreshable.into_iter().map(client).collect()
    }
}

fn some(refreshing: Refreshing, random: &mut ChaCha8Rng) -> Duration {
    Duration::from_secs_f64(refreshing.period() * random.random::<f64>())
}

/// What came of one client's question.
type Answer = (usize, Result<SuppliedToken, SupplyError>);

struct Work<'a> {
    refresher: &'a Refresher,
    refreshing: Refreshing,
    random: ChaCha8Rng,
    renewals: &'a Renewals,
    /// Is told once that no token is due.
    tell: Option<oneshot::Sender<()>>,
}

impl<'a> Work<'a> {
    async fn go_on(&mut self, clients: &mut [Client], pool: &mut Arc<TokenPool>) -> Infallible {
        let dues = clients.iter().zip(0..).filter_map(|(client, index)| Some(Reverse((client.due?, index))));
        let mut queue: BinaryHeap<Reverse<(Stamp, usize)>> = dues.collect();
        let mut under_way: FuturesUnordered<BoxFuture<'a, Answer>> = FuturesUnordered::new();
        let mut fresh = BTreeMap::new();
        let mut replaced = Stamp::now();
        let mut pause = TOGETHER;
        loop {
            let now = Stamp::now();
            while under_way.len() < AT_ONCE && queue.peek().is_some_and(|Reverse((due, _))| *due <= now) {
                let Some(Reverse((_, index))) = queue.pop() else { break };
                under_way.push(self.ask(index, clients[index].refresh_token.clone()));
            }
            let is_idle = under_way.is_empty() && queue.peek().is_none_or(|Reverse((due, _))| *due > now);
            if !fresh.is_empty() && (now >= replaced + pause || (is_idle && self.tell.is_some())) {
                *pool = Arc::new(pool.with(&fresh));
                self.renewals.replace(Arc::clone(pool));
                fresh.clear();
                replaced = Stamp::now();
                pause = pause_after(now.elapsed());
            }
            if is_idle && let Some(tell) = self.tell.take() {
                // Nobody listens any more if the trial was given up.
                let _ = tell.send(());
            }
            let hands_over = (!fresh.is_empty()).then(|| replaced + pause);
            let asks = queue.peek().map(|Reverse((due, _))| *due).filter(|_| under_way.len() < AT_ONCE);
            let next = [hands_over, asks].into_iter().flatten().min();
            tokio::select! {
                Some((index, answer)) = under_way.next(), if !under_way.is_empty() => {
                    let client = &mut clients[index];
                    self.answered(client, answer, &mut fresh);
                    queue.extend(client.due.map(|due| Reverse((due, index))));
                }
                () = until(next) => {}
            }
        }
    }

    fn ask(&self, index: usize, refresh_token: String) -> BoxFuture<'a, Answer> {
        let refresher = self.refresher;
        Box::pin(async move { (index, refresher.refresh(&refresh_token).await) })
    }

    fn answered(
        &mut self,
        client: &mut Client,
        answer: Result<SuppliedToken, SupplyError>,
        fresh: &mut BTreeMap<Token, (String, Option<Stamp>)>,
    ) {
        match answer {
            Ok(SuppliedToken { text, refreshable: Some(Refreshable { refresh_token, issued }) }) => {
                client.expires = issued.expires(self.refreshing.life());
                client.refresh_token = refresh_token;
                client.due = Some(issued.aged(self.age_at_refresh()));
                fresh.insert(client.token, (text, Some(client.expires)));
            }
            // The grant is over: the token that it has is its last.
            Ok(SuppliedToken { refreshable: None, .. }) => client.due = None,
            Err(error) if error.is_refusal() => client.due = None,
            Err(_) => client.due = Some(Stamp::now() + RETRY),
        }
    }

    /// How old a token becomes. Those that were due together since others were issued meanwhile are not so again.
    fn age_at_refresh(&mut self) -> Duration {
        if self.tell.is_some() {
            return some(self.refreshing, &mut self.random);
        }
        Duration::from_secs_f64(self.refreshing.age_at_refresh(self.random.random()))
    }
}

async fn until(instant: Option<Stamp>) {
    match instant {
        Some(instant) => {
            sleep(Duration::from_nanos(instant.nanos().saturating_sub(Stamp::now().nanos()))).await;
        }
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Clients whose thread does that.
    fn clients(work: impl FnOnce() -> Vec<(Token, Stamp)> + Send + 'static) -> Clients {
        let (stop, _) = oneshot::channel();
        let (tell, up_to_date) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let _tell = tell;
            work()
        });
        Clients {
            stop: Some(stop),
            up_to_date: Some(up_to_date),
            thread: Some(thread),
            renewals: Renewals::default(),
        }
    }

    #[tokio::test]
    async fn clients_that_ended_by_a_panic_end_the_trial_with_what_is_to_blame_and_are_no_endless_wait() {
        let panicking = || clients(|| panic!("a defect of the clients"));
        let error = panicking().up_to_date().await.unwrap_err();
        assert_eq!(error.to_string(), "the clients that have tokens refreshed have ended");
        let error = panicking().end().unwrap_err();
        assert_eq!(error.to_string(), "the clients that have tokens refreshed ended before the load did");
        // To let go of them is no second panic.
        drop(panicking());
    }

    #[test]
    fn clients_tell_at_their_end_when_the_tokens_under_revocation_test_expire() {
        let at = Stamp::from_nanos;
        let ended = clients(move || {
            vec![(Token::Live(0), at(1)), (Token::Watched(0), at(2)), (Token::Watched(1), at(3))]
        });
        assert_eq!(ended.end().unwrap(), [at(2), at(3)]);
    }

    #[test]
    fn a_pool_that_takes_long_to_copy_is_replaced_rarely_and_a_small_one_as_often_as_tokens_need_it() {
        for (took, pause) in [(0, 50), (5, 50), (6, 60), (40, 400)] {
            assert_eq!(pause_after(Duration::from_millis(took)), Duration::from_millis(pause), "{took} ms");
        }
    }
}
