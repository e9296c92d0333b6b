//! What an authorization server publishes, kept fresh by one policy, and used for a while when it cannot be fetched.

use std::future::ready;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use crate::auth::future::BoxFuture;
use crate::auth::issuer::{Issuer, PATIENCE, Unreachable};

/// When a document is fetched, and how long it counts.
#[derive(Clone, Copy, Debug)]
pub(super) struct RefreshPolicy {
    /// Who fetches it again.
    pub(super) when: Refresh,
    /// How long what was fetched is used before it is fetched again.
    pub(super) interval: Duration,
    /// How long after a fetch something that is not in the document, or the failure of that fetch, does not cause another one.
    pub(super) cooldown: Duration,
    /// How old it may become while it cannot be fetched again; at least it is used until that is due, and until a poll that is due
    /// then should have ended.
    pub(super) stale_on_error: Duration,
    /// The largest document that is taken, in bytes.
    pub(super) most_bytes: usize,
    /// Which part of `interval` passes before the first poll, from 0 to 1.
    pub(super) phase: f64,
}

impl RefreshPolicy {
    /// Fetched by a task, and used without limit while it cannot be, unless there is one.
    pub(super) fn polling(
        interval: Duration,
        phase: f64,
        stale_on_error: Option<Duration>,
        most_bytes: usize,
    ) -> Self {
        let stale_on_error = stale_on_error.unwrap_or(Duration::MAX);
        Self { when: Refresh::Background, interval, cooldown: interval, stale_on_error, most_bytes, phase }
    }
}

/// Who fetches a document again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refresh {
    /// The request that finds it too old; the others go on with what is there.
    OnDemand,
    /// A task that polls, whether there are requests or not, until the document is dropped. No request waits for it.
    Background,
}

/// A published document in the form that verifiers use.
pub(super) struct Refreshed<T> {
    source: Arc<Source<T>>,
    /// The task of [`Refresh::Background`].
    polling: Option<AbortOnDrop>,
}

/// Makes what was fetched ready for use.
pub(super) type Prepare<T> = dyn Fn(&[u8]) -> BoxFuture<'_, Result<T, Unreachable>> + Send + Sync;

/// The same of what can be read without anything else.
pub(super) fn at_once<T: Send + 'static>(
    read: impl Fn(&[u8]) -> Result<T, Unreachable> + Send + Sync + 'static,
) -> Box<Prepare<T>> {
    Box::new(move |bytes| Box::pin(ready(read(bytes))))
}

struct Source<T> {
    issuer: Arc<dyn Issuer>,
    path: &'static str,
    policy: RefreshPolicy,
    prepare: Box<Prepare<T>>,
    /// Held for a pointer copy: every request reads it.
    fetched: RwLock<Fetched<T>>,
    /// Held while fetching, so that one fetches and the others go on with what is there: the entity tag of that.
    fetching: Mutex<Option<String>>,
}

struct Fetched<T> {
    value: Arc<T>,
    /// When the fetch began that brought it, or that found it unchanged.
    succeeded: Instant,
    /// When a fetch was last tried, with or without success: an authorization server in trouble is not pressed.
    tried: Instant,
}

pub(super) struct AbortOnDrop(pub(super) JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl<T: Send + Sync + 'static> Refreshed<T> {
    /// Fetches what is published at `path` for the first time.
    pub(super) async fn fetch(
        issuer: Arc<dyn Issuer>,
        path: &'static str,
        policy: RefreshPolicy,
        prepare: Box<Prepare<T>>,
    ) -> Result<Self, Unreachable> {
        let now = Instant::now();
        let document = issuer.fetch(path, None, policy.most_bytes).await?;
        let document =
            document.ok_or_else(|| Unreachable(format!("{path} is unchanged, but was never fetched")))?;
        let value = Arc::new(prepare(&document.bytes).await?);
        let fetched = RwLock::new(Fetched { value, succeeded: now, tried: now });
        let fetching = Mutex::new(document.entity_tag.clone());
        let source = Arc::new(Source { issuer, path, policy, prepare, fetched, fetching });
        let polling = match policy.when {
            Refresh::OnDemand => None,
            Refresh::Background => Some(AbortOnDrop(tokio::spawn(Arc::clone(&source).poll()))),
        };
        Ok(Self { source, polling })
    }
}

impl<T> Refreshed<T> {
    /// What is published, fetched again if that is due and left to requests; none if it is too old, or if nobody polls any more. While
    /// one request fetches, the others use what is there, or wait if that may not be used any more.
    pub(super) async fn current(&self) -> Option<Arc<T>> {
        // It polls without end: only a panic ends it.
        if self.polling.as_ref().is_some_and(|task| task.0.is_finished()) {
            return None;
        }
        let source = &*self.source;
        let mut fetched = source.read();
        if source.policy.when == Refresh::OnDemand && source.is_due(&fetched) {
            let alone = if source.may_be_used(&fetched) {
                source.fetching.try_lock().ok()
            } else {
                Some(source.fetching.lock().await)
            };
            // Another request may have fetched meanwhile.
            if let Some(mut tag) = alone
                && source.is_due(&source.read())
            {
                source.fetch_again(&mut tag).await;
            }
            fetched = source.read();
        }
        source.may_be_used(&fetched).then_some(fetched.value)
    }

    /// How long ago the fetch began that brought it, or that found it unchanged.
    pub(super) fn age(&self) -> Duration {
        self.source.read().succeeded.elapsed()
    }

    /// Something newer than `known`, in which something was not found; none within the cool-down of the last fetch.
    /// A request that comes while another one fetches waits for what that brings.
    pub(super) async fn newer(&self, known: &Arc<T>) -> Option<Arc<T>> {
        let source = &*self.source;
        let mut tag = source.fetching.lock().await;
        let fetched = source.read();
        if Arc::ptr_eq(&fetched.value, known) && fetched.tried.elapsed() >= source.policy.cooldown {
            source.fetch_again(&mut tag).await;
        }
        let fetched = source.read();
        (!Arc::ptr_eq(&fetched.value, known)).then_some(fetched.value)
    }
}

impl<T> Source<T> {
    /// Fetches without end, whenever it is due.
    async fn poll(self: Arc<Self>) {
        if self.policy.phase < 1.0 {
            sleep(self.policy.interval.mul_f64(self.policy.phase)).await;
            let mut tag = self.fetching.lock().await;
            self.fetch_again(&mut tag).await;
        }
        loop {
            let fetched = self.read();
            sleep(self.interval(&fetched).saturating_sub(fetched.tried.elapsed())).await;
            let mut tag = self.fetching.lock().await;
            if self.is_due(&self.read()) {
                self.fetch_again(&mut tag).await;
            }
        }
    }

    fn is_due(&self, fetched: &Fetched<T>) -> bool {
        fetched.tried.elapsed() >= self.interval(fetched)
    }

    /// How long after the last fetch the next one is due.
    fn interval(&self, fetched: &Fetched<T>) -> Duration {
        let RefreshPolicy { interval, cooldown, .. } = self.policy;
        if fetched.has_failed() { interval.min(cooldown) } else { interval }
    }

    fn may_be_used(&self, fetched: &Fetched<T>) -> bool {
        let RefreshPolicy { when, interval, stale_on_error, .. } = self.policy;
        // No request waits for a poll that is under way: for as long as that may take, what is there counts.
        let is_awaited = when == Refresh::Background && !fetched.has_failed();
        let fetch = if is_awaited { PATIENCE } else { Duration::ZERO };
        fetched.succeeded.elapsed() < stale_on_error.max(interval.saturating_add(fetch))
    }

    /// Fetches, and keeps what is there if that fails.
    async fn fetch_again(&self, tag: &mut Option<String>) {
        let tried = Instant::now();
        let answer = self.issuer.fetch(self.path, tag.as_deref(), self.policy.most_bytes).await;
        let prepared = match answer {
            Ok(Some(document)) => {
                let value =
                    (self.prepare)(&document.bytes).await.inspect_err(|why| self.issuer.unreadable(why));
                value.map(|value| Some((Arc::new(value), document.entity_tag.clone())))
            }
            Ok(None) => Ok(None),
            Err(why) => Err(why),
        };
        let mut fetched = self.fetched.write().expect("no holder of this lock panics");
        fetched.tried = tried;
        let Ok(prepared) = prepared else { return };
        fetched.succeeded = tried;
        if let Some((value, entity_tag)) = prepared {
            fetched.value = value;
            *tag = entity_tag;
        }
    }

    fn read(&self) -> Fetched<T> {
        let fetched = self.fetched.read().expect("no holder of this lock panics");
        Fetched { value: Arc::clone(&fetched.value), succeeded: fetched.succeeded, tried: fetched.tried }
    }
}

impl<T> Fetched<T> {
    fn has_failed(&self) -> bool {
        self.tried != self.succeeded
    }
}

#[cfg(test)]
mod tests;
