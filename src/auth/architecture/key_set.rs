//! The keys of the authorization server, fetched when they are needed, and used for a while when it cannot be reached.

use std::sync::{Arc, RwLock};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::auth::issuer::{Issuer, Unreachable};
use crate::auth::token::jwks::JwkSet;

/// When keys are fetched, and how long they count.
#[derive(Clone, Copy, Debug)]
pub(super) struct KeySetPolicy {
    /// How long fetched keys are used before they are fetched again.
    pub(super) refresh: Duration,
    /// How long after a fetch an unknown key, or the failure of that fetch, does not cause another one.
    pub(super) cooldown: Duration,
    /// How old keys may become while they cannot be fetched again; at least they are used until they are due.
    pub(super) stale_on_error: Duration,
    /// The largest key set that is taken, in bytes.
    pub(super) most_bytes: usize,
}

/// A key set that is refreshed after a while, and at once for an unknown key unless it was fetched just now.
pub(super) struct KeySet<K> {
    issuer: Arc<dyn Issuer>,
    policy: KeySetPolicy,
    prepare: Box<Prepare<K>>,
    /// Held for a pointer copy: every request reads it.
    fetched: RwLock<Fetched<K>>,
    /// Held while fetching, so that one request fetches and the others go on with what is there.
    fetching: Mutex<()>,
}

/// Makes keys ready to verify.
type Prepare<K> = dyn Fn(&JwkSet) -> K + Send + Sync;

struct Fetched<K> {
    keys: Arc<K>,
    /// When the fetch began that brought them.
    succeeded: Instant,
    /// When a fetch was last tried, with or without success: an authorization server in trouble is not pressed.
    tried: Instant,
}

impl<K> KeySet<K> {
    /// Fetches the keys for the first time.
    pub(super) async fn fetch(
        issuer: Arc<dyn Issuer>,
        policy: KeySetPolicy,
        prepare: Box<Prepare<K>>,
    ) -> Result<Self, Unreachable> {
        let now = Instant::now();
        let keys = Arc::new(prepare(&issuer.key_set(policy.most_bytes).await?));
        let fetched = RwLock::new(Fetched { keys, succeeded: now, tried: now });
        Ok(Self { issuer, policy, prepare, fetched, fetching: Mutex::new(()) })
    }

    /// The keys, fetched again if they are due; none if that failed and they are too old. While one request fetches, the
    /// others use what is there, or wait if that may not be used any more.
    pub(super) async fn current(&self) -> Option<Arc<K>> {
        let fetched = self.read();
        if self.is_due(&fetched) {
            let alone = if self.may_be_used(&fetched) {
                self.fetching.try_lock().ok()
            } else {
                Some(self.fetching.lock().await)
            };
            // Another request may have fetched meanwhile.
            if alone.is_some() && self.is_due(&self.read()) {
                self.fetch_again().await;
            }
        }
        let fetched = self.read();
        self.may_be_used(&fetched).then_some(fetched.keys)
    }

    /// Keys newer than `known`, in which a key was not found; none within the cool-down of the last fetch.
    /// A request that comes while another one fetches waits for what that brings.
    pub(super) async fn newer(&self, known: &Arc<K>) -> Option<Arc<K>> {
        let _alone = self.fetching.lock().await;
        let fetched = self.read();
        if Arc::ptr_eq(&fetched.keys, known) && fetched.tried.elapsed() >= self.policy.cooldown {
            self.fetch_again().await;
        }
        let fetched = self.read();
        (!Arc::ptr_eq(&fetched.keys, known)).then_some(fetched.keys)
    }

    fn is_due(&self, fetched: &Fetched<K>) -> bool {
        let failed = fetched.tried != fetched.succeeded;
        let KeySetPolicy { refresh, cooldown, .. } = self.policy;
        fetched.tried.elapsed() >= if failed { refresh.min(cooldown) } else { refresh }
    }

    fn may_be_used(&self, fetched: &Fetched<K>) -> bool {
        fetched.succeeded.elapsed() < self.policy.stale_on_error.max(self.policy.refresh)
    }

    /// Fetches, and keeps the old keys if that fails.
    async fn fetch_again(&self) {
        let tried = Instant::now();
        let answer = self.issuer.key_set(self.policy.most_bytes).await;
        let keys = answer.ok().map(|set| Arc::new((self.prepare)(&set)));
        let mut fetched = self.fetched.write().expect("no holder of this lock panics");
        fetched.tried = tried;
        if let Some(keys) = keys {
            fetched.keys = keys;
            fetched.succeeded = tried;
        }
    }

    fn read(&self) -> Fetched<K> {
        let fetched = self.fetched.read().expect("no holder of this lock panics");
        Fetched { keys: Arc::clone(&fetched.keys), succeeded: fetched.succeeded, tried: fetched.tried }
    }
}
