//! Tokens that take the place of others while the load runs. The generator looks for them where it looks for an interrupt: it
//! reads one number.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::load::TokenPool;

/// Where whoever renews tokens leaves them. Clones share one place.
#[derive(Clone, Debug, Default)]
pub struct Renewals(Option<Arc<Place>>);

#[derive(Debug)]
struct Place {
    /// How often the pool was replaced.
    times: AtomicU64,
    renewed: Mutex<Renewed>,
}

#[derive(Debug)]
struct Renewed {
    pool: Arc<TokenPool>,
    /// Kept until the generator has let go of them: to free a large pool takes milliseconds, which are not to be its own.
    former: Vec<Arc<TokenPool>>,
}

impl Renewals {
    /// A place for what will replace `pool`.
    pub fn of(pool: Arc<TokenPool>) -> Self {
        let renewed = Mutex::new(Renewed { pool, former: Vec::new() });
        Self(Some(Arc::new(Place { times: AtomicU64::new(0), renewed })))
    }

    /// Replaces the pool by one in which every token stands in the place of its predecessor.
    pub fn replace(&self, pool: Arc<TokenPool>) {
        let Some(place) = &self.0 else { return };
        let freed: Vec<_> = {
            let mut renewed = place.renewed.lock().unwrap_or_else(PoisonError::into_inner);
            let former = std::mem::replace(&mut renewed.pool, pool);
            place.times.fetch_add(1, Ordering::Relaxed);
            renewed.former.push(former);
            renewed.former.extract_if(.., |pool| Arc::strong_count(pool) == 1).collect()
        };
        // Without the lock, which a generator may want.
        drop(freed);
    }

    /// The newest pool, if it was replaced more often than `seen` says, which then says how often.
    #[inline]
    pub(super) fn newer(&self, seen: &mut u64) -> Option<Arc<TokenPool>> {
        let place = self.0.as_ref()?;
        if place.times.load(Ordering::Relaxed) == *seen { None } else { place.take(seen) }
    }
}

impl Place {
    fn take(&self, seen: &mut u64) -> Option<Arc<TokenPool>> {
        // Held by whoever renews: it is there the next time too.
        let renewed = self.renewed.try_lock().ok()?;
        *seen = self.times.load(Ordering::Relaxed);
        Some(Arc::clone(&renewed.pool))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_pool_is_seen_once_and_the_former_one_is_freed_by_whoever_renews() {
        let pools: Vec<_> = ["a", "b", "c"].map(|token| Arc::new(TokenPool::of_valid([token]))).into();
        let mut seen = 0;
        assert!(Renewals::default().newer(&mut seen).is_none());
        let renewals = Renewals::of(Arc::clone(&pools[0]));
        assert!(renewals.newer(&mut seen).is_none());
        renewals.replace(Arc::clone(&pools[1]));
        let newer = renewals.newer(&mut seen).unwrap();
        assert!(Arc::ptr_eq(&newer, &pools[1]) && renewals.newer(&mut seen).is_none());
        drop(newer);
        let former = Arc::downgrade(&pools[1]);
        drop(pools);
        renewals.replace(Arc::new(TokenPool::of_valid(["d"])));
        assert!(former.upgrade().is_none());
    }
}
