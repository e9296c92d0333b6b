//! What an authorization server publishes, kept fresh by one policy, and used for a while when it cannot be fetched.

use std::sync::{Arc, RwLock};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

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
pub(super) type Prepare<T> = dyn Fn(&[u8]) -> Result<T, Unreachable> + Send + Sync;

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

struct AbortOnDrop(JoinHandle<()>);

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
        let value = Arc::new(prepare(&document.bytes)?);
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

    /// What was fetched last, however old it is.
    pub(super) fn latest(&self) -> Arc<T> {
        self.source.read().value
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
        let prepared = answer.and_then(|document| {
            let Some(document) = document else { return Ok(None) };
            let value = (self.prepare)(&document.bytes).inspect_err(|why| self.issuer.unreadable(why))?;
            Ok(Some((Arc::new(value), document.entity_tag.clone())))
        });
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
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::auth::future::BoxFuture;
    use crate::auth::issuer::{Document, ExchangeKind, Introspection};

    /// Publishes a number that is sometimes none.
    #[derive(Default)]
    struct Numbers {
        fetches: AtomicUsize,
        told: AtomicUsize,
    }

    impl Issuer for Numbers {
        fn introspect<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Introspection, Unreachable>> {
            unreachable!("nobody asks")
        }

        fn exchange<'a>(
            &'a self,
            _: &'a str,
            _: ExchangeKind<'a>,
        ) -> BoxFuture<'a, Result<Option<String>, Unreachable>> {
            unreachable!("nobody asks")
        }

        fn fetch<'a>(
            &'a self,
            _: &'a str,
            _: Option<&'a str>,
            _: usize,
        ) -> BoxFuture<'a, Result<Option<Arc<Document>>, Unreachable>> {
            let text = ["1", "2", "many", "4"][self.fetches.fetch_add(1, Ordering::Relaxed)];
            Box::pin(async move { Ok(Some(Arc::new(Document { bytes: text.into(), entity_tag: None }))) })
        }

        fn unreadable(&self, _: &Unreachable) {
            self.told.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn number(text: &[u8]) -> Result<u32, Unreachable> {
        serde_json::from_slice(text).map_err(|error| Unreachable(error.to_string()))
    }

    fn only_one(text: &[u8]) -> Result<u32, Unreachable> {
        assert_eq!(text, b"1", "the defect under test");
        number(text)
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_counts_once_the_task_that_polls_has_panicked() {
        let second = Duration::from_secs(1);
        let policy = RefreshPolicy {
            when: Refresh::Background,
            interval: second,
            cooldown: second,
            stale_on_error: Duration::MAX,
            most_bytes: 100,
            phase: 1.0,
        };
        let issuer = Arc::new(Numbers::default());
        let number = Refreshed::fetch(issuer, "/number", policy, Box::new(only_one)).await.unwrap();
        assert_eq!(number.current().await.as_deref(), Some(&1));
        sleep(second + second / 2).await;
        assert_eq!(number.current().await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn polls_keep_the_distance_of_the_interval_from_a_first_one_that_comes_sooner() {
        let second = Duration::from_secs(1);
        let policy = RefreshPolicy::polling(10 * second, 0.3, None, 100);
        let issuer = Arc::new(Numbers::default());
        let number = Refreshed::fetch(issuer, "/number", policy, Box::new(|_| Ok(Instant::now())));
        let number = number.await.unwrap();
        let began = Instant::now();
        let mut fetched = Vec::new();
        for _ in 0..25 {
            sleep(second).await;
            fetched.push(number.current().await.unwrap().duration_since(began).as_secs());
        }
        fetched.dedup();
        assert_eq!(fetched, [0, 3, 13, 23]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_cannot_be_read_is_told_and_counts_like_a_fetch_that_failed() {
        for when in [Refresh::OnDemand, Refresh::Background] {
            let numbers = Arc::new(Numbers::default());
            let second = Duration::from_secs(1);
            let policy = RefreshPolicy {
                when,
                interval: 10 * second,
                cooldown: 3 * second,
                stale_on_error: 12 * second,
                most_bytes: 100,
                phase: 1.0,
            };
            let issuer = Arc::clone(&numbers) as Arc<dyn Issuer>;
            let number = Refreshed::fetch(issuer, "/number", policy, Box::new(number)).await.unwrap();
            // Fetched at 0, 10, 20 (in vain) and 23 s; looked at just after each second.
            sleep(Duration::from_millis(500)).await;
            for at in 0..25 {
                let expected = match at {
                    0..10 => Some(1),
                    10..22 => Some(2),
                    22 => None,
                    _ => Some(4),
                };
                let now = number.current().await;
                assert_eq!(now.as_deref(), expected.as_ref(), "{when:?} at {at} s");
                sleep(second).await;
            }
            assert_eq!(numbers.told.load(Ordering::Relaxed), 1, "{when:?}");
        }
    }
}
