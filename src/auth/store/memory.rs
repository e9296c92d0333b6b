//! Tokens in the memory of the authorization server.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, RwLock};

use schemars::JsonSchema;
use serde::Deserialize;

use crate::auth::future::BoxFuture;
use crate::auth::store::{Record, RevokedToken, Store, StoreError, TokenStore};
use crate::auth::token::{TokenId, WallClock};

/// A table in memory.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Memory {}

impl Store for Memory {
    fn open(&self) -> BoxFuture<'_, Result<Arc<dyn TokenStore>, StoreError>> {
        Box::pin(async {
            let table = Table { records: HashMap::new(), sweep_at: FIRST_SWEEP };
            let (numbers, clock) = (AtomicU64::new(0), WallClock::system());
            Ok(Arc::new(Shared { table: RwLock::new(table), numbers, clock }) as Arc<_>)
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
    records: HashMap<TokenId, Record>,
    sweep_at: usize,
}

impl TokenStore for Shared {
    fn put(&self, token: TokenId, record: Record) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let mut table = self.table.write().expect("no holder of this lock panics");
            table.records.insert(token, record);
            if table.records.len() >= table.sweep_at {
                let now = self.clock.now();
                table.records.retain(|_, record| record.expiry() > now);
                table.sweep_at = (2 * table.records.len()).max(FIRST_SWEEP);
            }
            Ok(())
        })
    }

    fn find(&self, token: TokenId) -> BoxFuture<'_, Result<Option<Record>, StoreError>> {
        Box::pin(async move {
            let table = self.table.read().expect("no holder of this lock panics");
            Ok(table.records.get(&token).cloned())
        })
    }

    fn revoked(&self) -> BoxFuture<'_, Result<Vec<RevokedToken>, StoreError>> {
        Box::pin(async move {
            let table = self.table.read().expect("no holder of this lock panics");
            let revoked = table.records.values().filter_map(|record| match record {
                Record::Revoked(token) => Some(token.clone()),
                Record::Issued(_) => None,
            });
            Ok(revoked.collect())
        })
    }

    fn take_numbers(&self, number: u64) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(async move { Ok(self.numbers.fetch_add(number, Ordering::Relaxed)) })
    }
}
