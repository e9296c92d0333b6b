//! The keys of the authorization server, fetched when they are needed and used when it cannot be reached.

use std::sync::{Arc, RwLock};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::auth::issuer::{Issuer, Unreachable};
use crate::auth::token::jwt::KeyRing;

/// A key set that is refreshed after a while, and at once for an unknown key unless it was fetched just now.
pub(super) struct KeySet {
    issuer: Arc<dyn Issuer>,
    refresh: Duration,
    cooldown: Duration,
    /// Held for a pointer copy: every request reads it.
    fetched: RwLock<Fetched>,
    /// Held while fetching, so that one request fetches and the others go on with what is there.
    fetching: Mutex<()>,
}

#[derive(Clone)]
struct Fetched {
    keys: Arc<KeyRing>,
    /// When a fetch was last tried, with or without success: an authorization server in trouble is not pressed.
    tried: Instant,
}

impl KeySet {
    /// Fetches the keys for the first time.
    pub(super) async fn fetch(
        issuer: Arc<dyn Issuer>,
        refresh: Duration,
        cooldown: Duration,
    ) -> Result<Self, Unreachable> {
        let tried = Instant::now();
        let keys = Arc::new(KeyRing::from_set(&issuer.key_set().await?));
        let fetched = RwLock::new(Fetched { keys, tried });
        Ok(Self { issuer, refresh, cooldown, fetched, fetching: Mutex::new(()) })
    }

    /// The keys, fetched again if they are due. While one request fetches, the others use what is there.
    pub(super) async fn current(&self) -> Arc<KeyRing> {
        let fetched = self.read();
        if fetched.tried.elapsed() >= self.refresh
            && let Ok(_alone) = self.fetching.try_lock()
        {
            return self.fetch_again().await;
        }
        fetched.keys
    }

    /// Keys newer than `known`, in which a key was not found; none within the cool-down of the last fetch.
    /// A request that comes while another one fetches waits for what that brings.
    pub(super) async fn newer(&self, known: &Arc<KeyRing>) -> Option<Arc<KeyRing>> {
        let _alone = self.fetching.lock().await;
        let fetched = self.read();
        if !Arc::ptr_eq(&fetched.keys, known) {
            return Some(fetched.keys);
        }
        if fetched.tried.elapsed() < self.cooldown {
            return None;
        }
        Some(self.fetch_again().await)
    }

    /// Fetches, and keeps the old keys if that fails.
    async fn fetch_again(&self) -> Arc<KeyRing> {
        let tried = Instant::now();
        let answer = self.issuer.key_set().await;
        let mut fetched = self.fetched.write().expect("no holder of this lock panics");
        fetched.tried = tried;
        if let Ok(set) = answer {
            fetched.keys = Arc::new(KeyRing::from_set(&set));
        }
        Arc::clone(&fetched.keys)
    }

    fn read(&self) -> Fetched {
        self.fetched.read().expect("no holder of this lock panics").clone()
    }
}
