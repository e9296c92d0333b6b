//! Which proofs were used already.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws_lc_rs::digest::{Context, SHA256};
use moka::notification::RemovalCause;
use moka::policy::EvictionPolicy;
use moka::sync::Cache;

/// Remembers the newest proofs, up to a number, for as long as they would count. What has to go sooner is counted: it could be used again.
#[derive(Debug)]
pub(super) struct Replays {
    seen: Cache<ProofName, ()>,
    forgotten: Arc<AtomicU64>,
}

/// The first half of the SHA-256 of key and `jti`, however long that is (RFC 9449 section 11.1).
type ProofName = [u8; 16];

impl Replays {
    pub(super) fn new(most: u64, for_as_long_as: Duration) -> Self {
        let forgotten = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&forgotten);
        let count = move |_: Arc<ProofName>, (): (), cause| {
            if cause == RemovalCause::Size {
                counted.fetch_add(1, Ordering::Relaxed);
            }
        };
        let seen = Cache::builder()
            .max_capacity(most)
            .time_to_live(for_as_long_as)
            // The oldest goes first. By default moka would rather not take up what comes but once.
            .eviction_policy(EvictionPolicy::lru())
            .eviction_listener(count)
            .build();
        Self { seen, forgotten }
    }

    /// Whether nobody has used this proof; from now on somebody has. Of those who ask at once one is told so.
    pub(super) fn take(&self, thumbprint: &str, jti: &str) -> bool {
        let mut hash = Context::new(&SHA256);
        hash.update(thumbprint.as_bytes());
        hash.update(b".");
        hash.update(jti.as_bytes());
        let name: ProofName = *hash.finish().as_ref().first_chunk().expect("SHA-256 is 32 bytes long");
        self.seen.entry(name).or_insert(()).is_fresh()
    }

    /// How many had to go while they still counted.
    pub(super) fn forgotten(&self) -> u64 {
        self.forgotten.load(Ordering::Relaxed)
    }
}
