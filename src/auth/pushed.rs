//! What an authorization server pushes, heard by a task that connects again whenever the channel breaks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws_lc_rs::rand;
use futures_util::StreamExt as _;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::auth::future::BoxFuture;
use crate::auth::issuer::{Issuer, PATIENCE, RevocationStream, Unreachable};
use crate::auth::refreshed::AbortOnDrop;
use crate::auth::revocation_event::{EventId, Pushed, RevocationEvent};

/// Whoever must hear of every revocation.
pub(super) trait RevocationListener: Send + Sync + 'static {
    /// Is told that revocations up to now may have been missed, and makes up for it. Those from now on are pushed.
    fn catch_up(&self) -> BoxFuture<'_, Result<(), Unreachable>>;

    /// Is told that a token was revoked: again, maybe, of one that it knows of.
    fn revoked(&self, event: &RevocationEvent);
}

/// A channel that is held open for a listener, until this is dropped.
pub(super) struct PushChannel<L> {
    hearing: Arc<Hearing<L>>,
    task: AbortOnDrop,
}

struct Hearing<L> {
    issuer: Arc<dyn Issuer>,
    listener: L,
    /// A channel counts as broken if it did not say for so long that everything was said.
    silence: Duration,
    began: Instant,
    /// When it last said so: nanoseconds after `began`.
    heard: AtomicU64,
    events: AtomicU64,
    connections: AtomicU64,
    catch_ups: AtomicU64,
}

/// So many heartbeats fit into the silence that counts as a broken channel: one that is late, or lost time on a busy machine, breaks none.
const HEARTBEATS: u32 = 3;

/// Room for the heartbeats that the authorization server gives at the most, every 10 ms, whatever it is asked for.
const LEAST_SILENCE: Duration = Duration::from_millis(30);

/// A `silence` in which no authorization server says often enough that everything was said.
#[derive(Debug, thiserror::Error)]
#[error(
    "`silence` {0:?} is shorter than {LEAST_SILENCE:?}: the authorization server says no more often than every 10ms that everything was said, so \
     that a whole channel would count as broken; choose {LEAST_SILENCE:?} or more"
)]
pub(super) struct TooShortSilence(Duration);

/// This `silence`, if a channel can be held to it.
pub(super) fn ensure_heartbeats_fit(silence: Duration) -> Result<Duration, TooShortSilence> {
    if silence < LEAST_SILENCE { Err(TooShortSilence(silence)) } else { Ok(silence) }
}

/// How long before a broken channel is opened again for the first time, at the most; twice as long whenever it breaks again soon.
const FIRST_WAIT: Duration = Duration::from_millis(50);
/// And in the end.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(2);

impl<L: RevocationListener> PushChannel<L> {
    /// A channel on which the listener has heard of every revocation up to now.
    pub(super) async fn connected(
        issuer: Arc<dyn Issuer>,
        silence: Duration,
        listener: L,
    ) -> Result<Self, Unreachable> {
        let hearing = Arc::new(Hearing::new(issuer, silence, listener));
        let mut last = None;
        let stream = hearing.connect(&mut last).await?;
        Ok(Self::held_open(hearing, last, Some(stream)))
    }

    /// A channel that is opened in the background.
    pub(super) fn connecting(issuer: Arc<dyn Issuer>, silence: Duration, listener: L) -> Self {
        Self::held_open(Arc::new(Hearing::new(issuer, silence, listener)), None, None)
    }

    fn held_open(hearing: Arc<Hearing<L>>, last: Option<EventId>, stream: Option<RevocationStream>) -> Self {
        let task = AbortOnDrop(tokio::spawn(Arc::clone(&hearing).hold_open(last, stream)));
        Self { hearing, task }
    }

    pub(super) fn listener(&self) -> &L {
        &self.hearing.listener
    }

    /// Whether somebody goes on hearing: only a panic ends that.
    pub(super) fn is_held_open(&self) -> bool {
        !self.task.0.is_finished()
    }

    /// How long ago the listener knew of every revocation, as far as that is under way for no time.
    pub(super) fn unheard_for(&self) -> Duration {
        let heard = Duration::from_nanos(self.hearing.heard.load(Ordering::Acquire));
        self.hearing.began.elapsed().saturating_sub(heard)
    }

    /// Events that were heard, channels that were opened again, and how often something may have been missed before.
    pub(super) fn counts(&self) -> [u64; 3] {
        let Hearing { events, connections, catch_ups, .. } = &*self.hearing;
        let [events, connections, catch_ups] =
            [events, connections, catch_ups].map(|counter| counter.load(Ordering::Relaxed));
        [events, connections.saturating_sub(1), catch_ups]
    }
}

impl<L: RevocationListener> Hearing<L> {
    fn new(issuer: Arc<dyn Issuer>, silence: Duration, listener: L) -> Self {
        let [heard, events, connections, catch_ups] = [0; 4].map(AtomicU64::new);
        Self { issuer, listener, silence, began: Instant::now(), heard, events, connections, catch_ups }
    }

    /// Hears without end.
    async fn hold_open(self: Arc<Self>, mut last: Option<EventId>, mut opened: Option<RevocationStream>) {
        let mut breaks = 0;
        loop {
            let stream = match opened.take() {
                Some(stream) => Ok(stream),
                None => self.connect(&mut last).await,
            };
            let begun = Instant::now();
            let why = match stream {
                Ok(stream) => self.hear(stream, &mut last).await,
                Err(why) => why,
            };
            self.issuer.channel_broke(&why);
            if begun.elapsed() >= LONGEST_WAIT {
                breaks = 0;
            }
            sleep(wait(breaks)).await;
            breaks += 1;
        }
    }

    /// Opens the channel, and hears until the listener knows of every revocation up to now.
    async fn connect(&self, last: &mut Option<EventId>) -> Result<RevocationStream, Unreachable> {
        let subscribing = self.issuer.subscribe(*last, self.silence / HEARTBEATS);
        let subscribed = timeout(PATIENCE, subscribing).await;
        let mut stream = subscribed.map_err(|_| late(PATIENCE))??;
        let deadline = Instant::now() + self.silence;
        let Pushed::Begun { behind, is_resumed } = self.next(&mut stream, deadline).await? else {
            return Err(Unreachable("expected where the stream of revocations begins".to_owned()));
        };
        if !is_resumed {
            self.listener.catch_up().await?;
            self.catch_ups.fetch_add(1, Ordering::Relaxed);
            *last = Some(behind);
        }
        self.hear_everything(&mut stream, last).await?;
        self.connections.fetch_add(1, Ordering::Relaxed);
        Ok(stream)
    }

    /// Hears until the channel breaks, and tells why it did.
    async fn hear(&self, mut stream: RevocationStream, last: &mut Option<EventId>) -> Unreachable {
        loop {
            if let Err(why) = self.hear_everything(&mut stream, last).await {
                return why;
            }
        }
    }

    /// Hears until everything was said that had happened.
    async fn hear_everything(
        &self,
        stream: &mut RevocationStream,
        last: &mut Option<EventId>,
    ) -> Result<(), Unreachable> {
        let deadline = Instant::now() + self.silence;
        loop {
            match self.next(stream, deadline).await? {
                Pushed::Begun { .. } => {
                    return Err(Unreachable("a stream of revocations began twice".to_owned()));
                }
                Pushed::Revoked(id, event) => {
                    self.listener.revoked(&event);
                    self.events.fetch_add(1, Ordering::Relaxed);
                    *last = Some(id);
                }
                Pushed::UpToDate => {
                    self.all_was_heard();
                    return Ok(());
                }
            }
        }
    }

    async fn next(&self, stream: &mut RevocationStream, deadline: Instant) -> Result<Pushed, Unreachable> {
        let next = timeout_at(deadline, stream.next()).await.map_err(|_| late(self.silence))?;
        next.unwrap_or_else(|| Err(Unreachable("the stream of revocations ended".to_owned())))
    }

    fn all_was_heard(&self) {
        let heard = u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.heard.store(heard, Ordering::Release);
    }
}

fn late(length: Duration) -> Unreachable {
    Unreachable(format!("the stream of revocations did not come up to date for {length:?}"))
}

/// From half of that time to all of it: resource servers whose authorization server was started again do not all come at once.
fn wait(breaks: u32) -> Duration {
    let longest = FIRST_WAIT.saturating_mul(2_u32.saturating_pow(breaks)).min(LONGEST_WAIT);
    let mut byte = [0];
    rand::fill(&mut byte).expect("the system gives randomness");
    longest.mul_f64(0.5 + f64::from(byte[0]) / 512.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_differ() {
        for (breaks, longest) in [(0, 50), (1, 100), (5, 1_600), (6, 2_000), (1_000, 2_000)] {
            let longest = Duration::from_millis(longest);
            let waits: Vec<Duration> = (0..1_000).map(|_| wait(breaks)).collect();
            assert!(waits.iter().all(|wait| (longest / 2..longest).contains(wait)), "{breaks}");
            let [least, most] = [waits.iter().min(), waits.iter().max()].map(|wait| *wait.unwrap());
            assert!(most.saturating_sub(least) > longest / 4, "{breaks}: {least:?} to {most:?}");
        }
    }
}
