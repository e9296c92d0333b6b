//! Where an authorization server keeps what it must remember of tokens: one file per store.

mod connections;
mod memory;
mod namespace;
mod postgresql;
mod record;
mod redis;
#[cfg(test)]
mod tests;

use std::fmt::Debug;
use std::sync::Arc;

use crate::auth::future::BoxFuture;
use crate::auth::token::{Claims, TokenId, UnixTime};
use crate::registry::{Choice, Part, Registry, Role, UnknownPart, entry};

/// A kind of store, with its settings.
pub trait Store: Debug + Send + Sync {
    /// Opens it: empty if it is in memory, else with what it kept.
    fn open(&self) -> BoxFuture<'_, Result<Arc<dyn TokenStore>, StoreError>>;

    /// The program that keeps the tokens, if another one than the authorization server does.
    fn service(&self) -> Option<StoreService> {
        None
    }
}

/// What a store needs of the program that keeps its tokens.
#[derive(Clone, Debug)]
pub struct StoreService {
    /// Which one, by its name among the services.
    pub name: &'static str,
    /// What it is told if it is started for this store alone, by the names of its own configuration.
    pub settings: Vec<(&'static str, String)>,
    /// The settings of the store that count only then.
    pub private_settings: &'static [&'static str],
}

/// The settings that say where a store is: its URL, and what its names begin with there.
pub const PLACE_SETTINGS: [&str; 2] = ["url", "namespace"];

/// The same store at this place.
pub fn placed(store: &Part<dyn Store>, url: &str, namespace: &str) -> Result<Part<dyn Store>, UnknownPart> {
    let Choice { kind, mut settings } = store.choice().clone();
    for (setting, value) in PLACE_SETTINGS.into_iter().zip([url, namespace]) {
        settings.insert(setting.to_owned(), value.into());
    }
    STORES.resolve(Choice { kind, settings })
}

fn unplaced(kind: &str, example: &str) -> StoreError {
    StoreError(format!("a {kind} store needs its URL, as in {{ kind = \"{kind}\", url = \"{example}\" }}"))
}

/// An open store. What `put` has finished, every later `find` sees.
pub trait TokenStore: Send + Sync {
    /// Remembers a token in place of what was known of it.
    fn put(&self, token: TokenId, record: Record) -> BoxFuture<'_, Result<(), StoreError>>;

    /// The same for many, which may be quicker together. If it fails, some of them may be remembered.
    fn put_many(&self, records: Vec<(TokenId, Record)>) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            for (token, record) in records {
                self.put(token, record).await?;
            }
            Ok(())
        })
    }

    /// Changes what is known of a token, and tells what was known of it until then. No other change comes in between: `change` is given what
    /// is known and says what is to be known, if that is something else; it may be asked again.
    fn update<'a>(
        &'a self,
        token: TokenId,
        change: &'a RecordChange<'a>,
    ) -> BoxFuture<'a, Result<Option<Record>, StoreError>>;

    /// What is known of a token.
    fn find(&self, token: TokenId) -> BoxFuture<'_, Result<Option<Record>, StoreError>>;

    /// The revoked tokens that were not forgotten, in any order.
    fn revoked(&self) -> BoxFuture<'_, Result<Vec<RevokedToken>, StoreError>>;

    /// Takes so many of the numbers 0, 1, 2, .. that no other call was or will be given, in a row, and tells the first of them; taking
    /// none tells how many were taken.
    fn take_numbers(&self, number: u64) -> BoxFuture<'_, Result<u64, StoreError>>;

    /// Takes away everything that was kept, and the place where it was: the store is of no use afterwards.
    fn remove(&self) -> BoxFuture<'_, Result<(), StoreError>>;
}

/// What is to be known of a token of which this is known; `None` if nothing changes.
pub type RecordChange<'a> = dyn Fn(Option<&Record>) -> Option<Record> + Send + Sync + 'a;

/// What is known of a token.
#[derive(Clone, Debug)]
pub enum Record {
    /// It was issued with these claims.
    Issued(Arc<Claims>),
    /// It was revoked.
    Revoked(RevokedToken),
    /// It is a refresh token, the one of its grant that counts or one before that.
    Refresh(RefreshToken),
    /// It is the name of a grant, which nobody ever holds.
    Grant(Arc<Grant>),
}

/// A refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefreshToken {
    /// The name of its grant.
    pub grant: TokenId,
    /// Until when it is to be remembered, with its grant.
    pub kept_until: UnixTime,
}

/// What a client was allowed once: refresh tokens that follow one another, and the access tokens that were issued for them. They
/// are revoked together.
#[derive(Clone, Debug)]
pub struct Grant {
    /// Whose it is.
    pub client_id: String,
    /// What it allows, separated by spaces.
    pub scope: String,
    /// The refresh token that counts.
    pub current: TokenId,
    /// The access tokens that somebody may still accept, by their names in the store.
    pub access: Vec<(TokenId, Arc<Claims>)>,
    /// Whether nothing of it counts any more.
    pub is_revoked: bool,
    /// When its refresh tokens end.
    pub expiry: UnixTime,
    /// Until when it is to be remembered: access tokens that were issued at its end count for a while, and can be revoked with it.
    pub kept_until: UnixTime,
}

/// A revoked token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevokedToken {
    /// Its `jti`.
    pub jti: Arc<str>,
    /// Its place in the status list, if it has one.
    pub idx: Option<u64>,
    /// When it was revoked.
    pub revoked: UnixTime,
    /// When nobody accepts it any more, so that it may be forgotten.
    pub expiry: UnixTime,
}

impl Record {
    /// From when on the record says nothing that dates do not say.
    pub fn expiry(&self) -> UnixTime {
        match self {
            Self::Issued(claims) => claims.exp,
            Self::Revoked(token) => token.expiry,
            Self::Refresh(token) => token.kept_until,
            Self::Grant(grant) => grant.kept_until,
        }
    }
}

/// The store did not answer, or not with what it was asked for.
#[derive(Debug, thiserror::Error)]
#[error("the token store failed: {0}")]
pub struct StoreError(pub String);

/// Every store.
pub static STORES: Registry<dyn Store> = Registry {
    role: "token store",
    entries: &[
        entry!("memory", memory::Memory, "in the memory of the authorization server; lost when it ends"),
        entry!(
            "redis",
            redis::Redis,
            "in a Redis; what a crash of it loses depends on appendonly and appendfsync"
        ),
        entry!(
            "postgresql",
            postgresql::Postgresql,
            "in a PostgreSQL; what a crash of it loses depends on synchronous_commit"
        ),
    ],
};

impl Role for dyn Store {
    fn registry() -> &'static Registry<Self> {
        &STORES
    }
}
