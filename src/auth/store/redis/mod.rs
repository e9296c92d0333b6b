//! Tokens in Redis: a key for each, which ends with its record, and one sorted set of the revoked ones.

mod server;

use std::sync::{Arc, LazyLock};

use redis::aio::MultiplexedConnection;
use redis::{FromRedisValue, RedisError, Script};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::auth::future::BoxFuture;
use crate::auth::store::connections::{Connections, Lent};
use crate::auth::store::record::{decode, encode, is_revoked};
use crate::auth::store::{
    Record, RecordChange, RevokedToken, Store, StoreError, StoreService, TokenStore, namespace, unplaced,
};
use crate::auth::token::{TokenId, WallClock};
use crate::units::Period;
use server::{RedisEndpoint, first_answer};

/// In a Redis.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Redis {
    /// Whether a private Redis writes every change to a file, from which it has them again after a crash.
    appendonly: bool,
    /// When that file is on the disk: with every change, before it is acknowledged; every second; or when the kernel likes.
    appendfsync: Appendfsync,
    /// How long an answer of Redis may take: then the request fails.
    timeout: Period,
    #[schemars(skip)]
    url: Option<String>,
    #[schemars(skip)]
    namespace: String,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Appendfsync {
    Always,
    Everysec,
    No,
}

impl Default for Redis {
    fn default() -> Self {
        Self {
            appendonly: true,
            // What Redis does if nobody says anything.
            appendfsync: Appendfsync::Everysec,
            timeout: Period::from_secs(1),
            url: None,
            namespace: namespace::default(),
        }
    }
}

impl Store for Redis {
    fn open(&self) -> BoxFuture<'_, Result<Arc<dyn TokenStore>, StoreError>> {
        Box::pin(async {
            let url = self.url.as_deref().ok_or_else(|| unplaced("redis", "redis://127.0.0.1:6379"))?;
            let prefix = format!("{}:", namespace::checked(&self.namespace)?).into_bytes();
            let server = RedisEndpoint::at(url)?;
            let connections = Connections::open(server, CONNECTIONS, self.timeout.duration()).await?;
            Ok(Arc::new(Keys { connections, prefix, clock: WallClock::system() }) as Arc<_>)
        })
    }

    fn service(&self) -> Option<StoreService> {
        let appendfsync = match self.appendfsync {
            Appendfsync::Always => "always",
            Appendfsync::Everysec => "everysec",
            Appendfsync::No => "no",
        };
        Some(StoreService {
            name: "redis",
            settings: vec![
                ("appendonly", if self.appendonly { "yes" } else { "no" }.to_owned()),
                ("appendfsync", appendfsync.to_owned()),
            ],
            private_settings: &["appendonly", "appendfsync"],
        })
    }
}

/// Redis answers one question after the other, and a connection carries as many as there are.
const CONNECTIONS: usize = 1;

/// Keys that go over in one piece, or are asked for in one.
const PIECE: usize = 1_000;

/// How many times as long as an answer a piece may take.
const TIMES: u32 = 10;

/// Changes the record KEYS[1] from ARGV[1] to ARGV[2], which ends at ARGV[3], unless it is another one by now: then it says 0. An empty
/// text stands for none. KEYS[2] is the set of the revoked ones; ARGV[4] is the name of one, or empty; what ended before ARGV[5] leaves it.
static CHANGE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end \
         redis.call('SET', KEYS[1], ARGV[2], 'EXAT', ARGV[3]) \
         if ARGV[4] ~= '' then \
           redis.call('ZADD', KEYS[2], ARGV[3], ARGV[4]) \
           redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', '(' .. ARGV[5]) \
         end \
         return 1",
    )
});

struct Keys {
    connections: Connections<RedisEndpoint>,
    /// What all of its keys begin with.
    prefix: Vec<u8>,
    clock: WallClock,
}

impl Keys {
    fn key(&self, token: TokenId) -> Vec<u8> {
        [&self.prefix[..], token.bytes()].concat()
    }

    fn named(&self, name: &str) -> Vec<u8> {
        [&self.prefix[..], name.as_bytes()].concat()
    }

    /// The names of the revoked tokens, by when they end.
    fn revoked_key(&self) -> Vec<u8> {
        self.named("revoked")
    }

    fn numbers_key(&self) -> Vec<u8> {
        self.named("numbers")
    }

    /// What Redis says to one question.
    async fn ask<T: FromRedisValue>(&self, command: &redis::Cmd) -> Result<T, StoreError> {
        let lent = self.connections.lend().await?;
        let answer = command.query_async(&mut lent.clone()).await;
        self.judged(lent, answer)
    }

    /// What it says to several, which it takes as one if they are `atomic`.
    async fn ask_all<T: FromRedisValue>(&self, commands: &redis::Pipeline) -> Result<T, StoreError> {
        let lent = self.connections.lend().await?;
        let answer = commands.query_async(&mut lent.clone()).await;
        self.judged(lent, answer)
    }

    fn judged<T>(
        &self,
        lent: Lent<'_, MultiplexedConnection>,
        answer: Result<T, RedisError>,
    ) -> Result<T, StoreError> {
        if answer.as_ref().err().is_none_or(|error| first_answer(error).is_some()) {
            lent.was_fine();
        }
        answer.map_err(|error| self.connections.connector().failed(&error))
    }

    fn set(&self, token: TokenId, record: &Record) -> redis::Cmd {
        let mut set = redis::cmd("SET");
        set.arg(self.key(token)).arg(encode(record)).arg("EXAT").arg(record.expiry().secs());
        set
    }

    fn set_among(&self, commands: &mut redis::Pipeline, token: TokenId, record: &Record) {
        commands.add_command(self.set(token, record)).ignore();
        if is_revoked(record) {
            let (set, now) = (self.revoked_key(), self.clock.now().secs());
            commands.cmd("ZADD").arg(&set).arg(record.expiry().secs()).arg(&token.bytes()[..]).ignore();
            commands.cmd("ZREMRANGEBYSCORE").arg(&set).arg("-inf").arg(format!("({now}")).ignore();
        }
    }

    async fn change(&self, token: TokenId, change: &RecordChange<'_>) -> Result<Option<Record>, StoreError> {
        loop {
            let known: Option<Vec<u8>> = self.ask(redis::cmd("GET").arg(self.key(token))).await?;
            let record = known.as_deref().map(decode).transpose()?;
            let Some(changed) = change(record.as_ref()) else { return Ok(record) };
            let name: &[u8] = if is_revoked(&changed) { token.bytes() } else { b"" };
            let mut invocation = CHANGE.key(self.key(token));
            invocation
                .key(self.revoked_key())
                .arg(known.unwrap_or_default())
                .arg(encode(&changed))
                .arg(changed.expiry().secs())
                .arg(name)
                .arg(self.clock.now().secs());
            let lent = self.connections.lend().await?;
            let answer = invocation.invoke_async(&mut lent.clone()).await;
            if self.judged(lent, answer)? {
                return Ok(record);
            }
            // Somebody else was quicker: what it says now is another question.
        }
    }
}

impl TokenStore for Keys {
    fn put(&self, token: TokenId, record: Record) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(self.connections.in_time(async move {
            if !is_revoked(&record) {
                return self.ask(&self.set(token, &record)).await;
            }
            let mut commands = redis::pipe();
            self.set_among(commands.atomic(), token, &record);
            self.ask_all(&commands).await
        }))
    }

    fn put_many(&self, records: Vec<(TokenId, Record)>) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            for piece in records.chunks(PIECE) {
                let mut commands = redis::pipe();
                for (token, record) in piece {
                    self.set_among(&mut commands, *token, record);
                }
                self.connections.in_times(TIMES, self.ask_all::<()>(&commands)).await?;
            }
            Ok(())
        })
    }

    fn update<'a>(
        &'a self,
        token: TokenId,
        change: &'a RecordChange<'a>,
    ) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
        Box::pin(self.connections.in_time(self.change(token, change)))
    }

    fn find(&self, token: TokenId) -> BoxFuture<'_, Result<Option<Record>, StoreError>> {
        Box::pin(self.connections.in_time(async move {
            let known: Option<Vec<u8>> = self.ask(redis::cmd("GET").arg(self.key(token))).await?;
            known.as_deref().map(decode).transpose()
        }))
    }

    fn revoked(&self) -> BoxFuture<'_, Result<Vec<RevokedToken>, StoreError>> {
        Box::pin(async move {
            let mut range = redis::cmd("ZRANGEBYSCORE");
            range.arg(self.revoked_key()).arg(self.clock.now().secs()).arg("+inf");
            let names: Vec<Vec<u8>> = self.connections.in_times(TIMES, self.ask(&range)).await?;
            let mut revoked = Vec::with_capacity(names.len());
            for piece in names.chunks(PIECE) {
                let mut get = redis::cmd("MGET");
                for name in piece {
                    get.arg([&self.prefix[..], name].concat());
                }
                let records: Vec<Option<Vec<u8>>> = self.connections.in_times(TIMES, self.ask(&get)).await?;
                for record in records.into_iter().flatten() {
                    // The set only tells where to look: a record that was put in the place of a revocation counts.
                    if let Record::Revoked(token) = decode(&record)? {
                        revoked.push(token);
                    }
                }
            }
            Ok(revoked)
        })
    }

    fn take_numbers(&self, number: u64) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(self.connections.in_time(async move {
            let taken: u64 = self.ask(redis::cmd("INCRBY").arg(self.numbers_key()).arg(number)).await?;
            Ok(taken - number)
        }))
    }

    fn remove(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let pattern = self.named("*");
            let mut cursor = 0_u64;
            loop {
                let mut scan = redis::cmd("SCAN");
                scan.arg(cursor).arg("MATCH").arg(&pattern).arg("COUNT").arg(PIECE);
                let (next, keys): (u64, Vec<Vec<u8>>) =
                    self.connections.in_times(TIMES, self.ask(&scan)).await?;
                if !keys.is_empty() {
                    let mut unlink = redis::cmd("UNLINK");
                    unlink.arg(keys);
                    self.connections.in_times(TIMES, self.ask::<()>(&unlink)).await?;
                }
                cursor = next;
                if cursor == 0 {
                    return Ok(());
                }
            }
        })
    }
}
