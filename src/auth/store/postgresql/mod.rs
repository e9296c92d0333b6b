//! Tokens in PostgreSQL: a row for each in a schema of its own, and one row with the number of those that were counted.

mod link;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use schemars::JsonSchema;
use serde::Deserialize;
use tokio::task;
use tokio_postgres::error::SqlState;

use crate::auth::future::BoxFuture;
use crate::auth::store::connections::{Connections, Lent};
use crate::auth::store::record::{decode, encode, is_revoked};
use crate::auth::store::{
    Record, RecordChange, RevokedToken, Store, StoreError, StoreService, TokenStore, namespace, unplaced,
};
use crate::auth::token::{TokenId, WallClock};
use crate::units::Period;
use link::{Database, Link};

/// In a PostgreSQL.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Postgresql {
    /// Whether a change is on the disk before it is acknowledged; else a crash loses those of the last half second or so.
    synchronous_commit: bool,
    /// Connections between which questions take turns: each has a process of PostgreSQL.
    connections: Links,
    /// How long an answer of PostgreSQL may take: then the request fails.
    timeout: Period,
    #[schemars(skip)]
    url: Option<String>,
    #[schemars(skip)]
    namespace: String,
}

/// From 1 to 100.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(try_from = "u32")]
struct Links(#[schemars(range(min = 1, max = 100))] u32);

impl TryFrom<u32> for Links {
    type Error = String;

    fn try_from(written: u32) -> Result<Self, String> {
        // PostgreSQL takes a hundred by default.
        if (1..=100).contains(&written) {
            return Ok(Self(written));
        }
        Err(format!("expected from 1 to 100 connections, not {written}"))
    }
}

impl Default for Postgresql {
    fn default() -> Self {
        Self {
            // What PostgreSQL does if nobody says anything.
            synchronous_commit: true,
            connections: Links(4),
            timeout: Period::from_secs(1),
            url: None,
            namespace: namespace::default(),
        }
    }
}

impl Store for Postgresql {
    fn open(&self) -> BoxFuture<'_, Result<Arc<dyn TokenStore>, StoreError>> {
        Box::pin(async {
            let url = self.url.as_deref();
            let url =
                url.ok_or_else(|| unplaced("postgresql", "postgresql://user:password@127.0.0.1/database"))?;
            let schema = namespace::checked(&self.namespace)?;
            let database = Database::at(url, schema, self.synchronous_commit)?;
            database.prepare(TIMES * self.timeout.duration()).await?;
            let number = self.connections.0 as usize;
            let connections = Connections::open(database, number, self.timeout.duration()).await?;
            let rows = Rows { connections, schema: schema.to_owned(), clock: WallClock::system() };
            Ok(Arc::new(Table { rows: Arc::new(rows), changes: AtomicU64::new(0) }) as Arc<_>)
        })
    }

    fn service(&self) -> Option<StoreService> {
        let synchronous_commit = if self.synchronous_commit { "on" } else { "off" }.to_owned();
        Some(StoreService {
            name: "postgresql",
            settings: vec![("synchronous_commit", synchronous_commit)],
            private_settings: &[],
        })
    }
}

/// Rows that go over in one `COPY`.
const PIECE: usize = 5_000;

/// How many times as long as an answer a piece may take, and whatever is of all rows.
const TIMES: u32 = 10;

/// After so many new rows those that have ended are looked for, and twice as many taken away at most: more than come.
const SWEEP_EVERY: u64 = 1_000;

/// The table of an authorization server.
struct Table {
    rows: Arc<Rows>,
    changes: AtomicU64,
}

struct Rows {
    connections: Connections<Database>,
    schema: String,
    clock: WallClock,
}

/// A record as a row has it.
struct Row {
    token: TokenId,
    expires: i64,
    is_revoked: bool,
    record: Vec<u8>,
}

impl Row {
    fn of(token: TokenId, record: &Record) -> Self {
        Self {
            token,
            expires: seconds(record.expiry().secs()),
            is_revoked: is_revoked(record),
            record: encode(record),
        }
    }
}

/// A date beyond what a column takes is as good as the last that it does.
fn seconds(secs: u64) -> i64 {
    i64::try_from(secs).unwrap_or(i64::MAX)
}

impl Rows {
    fn judged<T>(
        &self,
        lent: Lent<'_, Link>,
        answer: Result<T, tokio_postgres::Error>,
    ) -> Result<T, StoreError> {
        let has_answered = answer.as_ref().err().is_none_or(|error| error.as_db_error().is_some());
        if has_answered && !lent.is_closed() {
            lent.was_fine();
        }
        answer.map_err(|error| self.connections.connector().failed(&error))
    }

    async fn put(&self, row: &Row) -> Result<(), StoreError> {
        let lent = self.connections.lend().await?;
        let Row { token, expires, is_revoked, record } = row;
        let answer =
            lent.client.execute(&lent.put, &[&&token.bytes()[..], expires, is_revoked, record]).await;
        self.judged(lent, answer).map(|_| ())
    }

    async fn find(&self, token: TokenId) -> Result<Option<Vec<u8>>, StoreError> {
        let lent = self.connections.lend().await?;
        let answer = lent.client.query_opt(&lent.find, &[&&token.bytes()[..]]).await;
        Ok(self.judged(lent, answer)?.map(|row| row.get(0)))
    }

    async fn change(&self, token: TokenId, change: &RecordChange<'_>) -> Result<Option<Record>, StoreError> {
        loop {
            let known = self.find(token).await?;
            let record = known.as_deref().map(decode).transpose()?;
            let Some(changed) = change(record.as_ref()) else { return Ok(record) };
            let Row { token, expires, is_revoked, record: bytes } = Row::of(token, &changed);
            let lent = self.connections.lend().await?;
            let name = &&token.bytes()[..];
            let answer = match &known {
                Some(known) => {
                    lent.client.execute(&lent.replace, &[name, &expires, &is_revoked, &bytes, known]).await
                }
                None => lent.client.execute(&lent.insert, &[name, &expires, &is_revoked, &bytes]).await,
            };
            if self.judged(lent, answer)? == 1 {
                return Ok(record);
            }
            // Somebody else was quicker: what it says now is another question.
        }
    }

    /// All of them as one: an error that a name is known leaves none of them.
    async fn copy(&self, rows: &[Row]) -> Result<Copied, StoreError> {
        let lent = self.connections.lend().await?;
        match lent.copy(rows).await {
            Err(error) if error.code() == Some(&SqlState::UNIQUE_VIOLATION) => {
                lent.was_fine();
                Ok(Copied::NoneAsOneIsKnown)
            }
            answer => self.judged(lent, answer).map(|_| Copied::All),
        }
    }

    async fn sweep(&self) -> Result<(), StoreError> {
        self.connections
            .in_times(TIMES, async {
                let lent = self.connections.lend().await?;
                let (now, most) = (seconds(self.clock.now().secs()), seconds(2 * SWEEP_EVERY));
                let answer = lent.client.execute(&lent.sweep, &[&now, &most]).await;
                self.judged(lent, answer).map(|_| ())
            })
            .await
    }
}

/// What became of rows that were copied.
enum Copied {
    All,
    NoneAsOneIsKnown,
}

impl Table {
    /// Some rows more: now and then those that have ended are taken away, beside what is asked.
    fn grew_by(&self, number: u64) {
        let before = self.changes.fetch_add(number, Ordering::Relaxed);
        for _ in before / SWEEP_EVERY..(before + number) / SWEEP_EVERY {
            let rows = Arc::clone(&self.rows);
            // Whoever fails to be forgotten now is looked for again.
            task::spawn(async move { rows.sweep().await });
        }
    }
}

impl TokenStore for Table {
    fn put(&self, token: TokenId, record: Record) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let row = Row::of(token, &record);
            self.rows.connections.in_time(self.rows.put(&row)).await?;
            self.grew_by(1);
            Ok(())
        })
    }

    fn put_many(&self, records: Vec<(TokenId, Record)>) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            for piece in records.chunks(PIECE) {
                let rows: Vec<Row> = piece.iter().map(|(token, record)| Row::of(*token, record)).collect();
                let copied = self.rows.connections.in_times(TIMES, self.rows.copy(&rows)).await?;
                if matches!(copied, Copied::NoneAsOneIsKnown) {
                    for row in &rows {
                        self.rows.connections.in_time(self.rows.put(row)).await?;
                    }
                }
                self.grew_by(piece.len() as u64);
            }
            Ok(())
        })
    }

    fn update<'a>(
        &'a self,
        token: TokenId,
        change: &'a RecordChange<'a>,
    ) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
        Box::pin(self.rows.connections.in_time(self.rows.change(token, change)))
    }

    fn find(&self, token: TokenId) -> BoxFuture<'_, Result<Option<Record>, StoreError>> {
        Box::pin(
            self.rows
                .connections
                .in_time(async move { self.rows.find(token).await?.as_deref().map(decode).transpose() }),
        )
    }

    fn revoked(&self) -> BoxFuture<'_, Result<Vec<RevokedToken>, StoreError>> {
        Box::pin(self.rows.connections.in_times(TIMES, async move {
            let lent = self.rows.connections.lend().await?;
            let now = seconds(self.rows.clock.now().secs());
            let answer = lent.client.query(&lent.revoked, &[&now]).await;
            let mut revoked = Vec::new();
            for row in self.rows.judged(lent, answer)? {
                if let Record::Revoked(token) = decode(row.get(0))? {
                    revoked.push(token);
                }
            }
            Ok(revoked)
        }))
    }

    fn take_numbers(&self, number: u64) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(self.rows.connections.in_time(async move {
            let lent = self.rows.connections.lend().await?;
            let answer = lent.client.query_one(&lent.take, &[&seconds(number)]).await;
            let first: i64 = self.rows.judged(lent, answer)?.get(0);
            Ok(u64::try_from(first).unwrap_or_default())
        }))
    }

    fn remove(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(self.rows.connections.in_times(TIMES, async move {
            let lent = self.rows.connections.lend().await?;
            let schema = &self.rows.schema;
            let answer = lent.client.batch_execute(&link::removed(schema)).await;
            self.rows.judged(lent, answer)
        }))
    }
}
