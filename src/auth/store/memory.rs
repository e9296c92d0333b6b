//! Tokens in the memory of the authorization server.

mod compact;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, RwLock};

use schemars::JsonSchema;
use serde::Deserialize;

use crate::auth::future::BoxFuture;
use crate::auth::store::{Record, RecordChange, RevokedToken, Store, StoreError, TokenStore};
use crate::auth::token::{TokenId, UnixTime, WallClock};
use compact::{CompactRecord, SharedClaims};

/// A table in memory.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Memory {}

impl Store for Memory {
    fn open(&self) -> BoxFuture<'_, Result<Arc<dyn TokenStore>, StoreError>> {
        Box::pin(async {
            let (numbers, clock) = (AtomicU64::new(0), WallClock::system());
            Ok(Arc::new(Shared { table: RwLock::new(Table::empty()), numbers, clock }) as Arc<_>)
        })
    }
}

/// Expired records are swept out whenever the table has doubled, from this size on.
const FIRST_SWEEP: usize = 100_000;

struct Shared {
    /// Held for one look-up: many introspections read while few issues and revocations write.
    table: RwLock<Table>,
    /// How many numbers were taken.
    numbers: AtomicU64,
    clock: WallClock,
}

struct Table {
    records: HashMap<TokenId, CompactRecord>,
    shared: SharedClaims,
    sweep_at: usize,
}

impl Table {
    fn empty() -> Self {
        Self { records: HashMap::new(), shared: SharedClaims::default(), sweep_at: FIRST_SWEEP }
    }

    fn put(&mut self, token: TokenId, record: Record, now: UnixTime) {
        let record = self.shared.compact(record);
        self.records.insert(token, record);
        if self.records.len() >= self.sweep_at {
            self.records.retain(|_, record| record.expiry() > now);
            self.shared.sweep();
            self.sweep_at = (2 * self.records.len()).max(FIRST_SWEEP);
        }
    }
}

impl TokenStore for Shared {
    fn put(&self, token: TokenId, record: Record) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let mut table = self.table.write().expect("no holder of this lock panics");
            table.put(token, record, self.clock.now());
            Ok(())
        })
    }

    fn update<'a>(
        &'a self,
        token: TokenId,
        change: &'a RecordChange<'a>,
    ) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
        Box::pin(async move {
            let mut table = self.table.write().expect("no holder of this lock panics");
            let known = table.records.get(&token).map(CompactRecord::record);
            if let Some(record) = change(known.as_ref()) {
                table.put(token, record, self.clock.now());
            }
            Ok(known)
        })
    }

    fn find(&self, token: TokenId) -> BoxFuture<'_, Result<Option<Record>, StoreError>> {
        Box::pin(async move {
            let found = {
                let table = self.table.read().expect("no holder of this lock panics");
                table.records.get(&token).cloned()
            };
            Ok(found.as_ref().map(CompactRecord::record))
        })
    }

    fn revoked(&self) -> BoxFuture<'_, Result<Vec<RevokedToken>, StoreError>> {
        Box::pin(async move {
            let table = self.table.read().expect("no holder of this lock panics");
            Ok(table.records.values().filter_map(CompactRecord::revoked).cloned().collect())
        })
    }

    fn take_numbers(&self, number: u64) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(async move { Ok(self.numbers.fetch_add(number, Ordering::Relaxed)) })
    }

    fn remove(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            *self.table.write().expect("no holder of this lock panics") = Table::empty();
            self.numbers.store(0, Ordering::Relaxed);
            Ok(())
        })
    }
}
