//! A connection to PostgreSQL with its statements prepared, and what its errors mean.

use std::error::Error as _;
use std::pin::pin;
use std::time::Duration;

use tokio::task;
use tokio::time::timeout;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Config, Error, NoTls, Statement};

use crate::auth::store::StoreError;
use crate::auth::store::connections::StoreConnector;
use crate::auth::store::postgresql::Row;

/// A database, and how it is talked to.
pub(super) struct Database {
    config: Config,
    schema: String,
    synchronous_commit: bool,
    name: String,
}

/// A connection, which many use at once: what they ask is answered in its order.
pub(super) struct Link {
    pub(super) client: Client,
    pub(super) find: Statement,
    pub(super) put: Statement,
    pub(super) insert: Statement,
    pub(super) replace: Statement,
    pub(super) revoked: Statement,
    pub(super) take: Statement,
    pub(super) sweep: Statement,
}

/// The oldest version that this was made for: 12.
const OLDEST: u32 = 120_000;

const COPY: &str = "COPY tokens (id, expires, revoked, record) FROM STDIN BINARY";
const COLUMNS: [Type; 4] = [Type::BYTEA, Type::INT8, Type::BOOL, Type::BYTEA];

/// What begins the same thing in several connections at once: the numbers are arbitrary.
const LOCK: &str = "SELECT pg_advisory_xact_lock(1650553202, 1952804206)";

/// The schema with everything in it, if it is not there. An index on what has ended, and one on what was revoked.
fn created(schema: &str) -> String {
    format!(
        "BEGIN; {LOCK}; \
         CREATE SCHEMA IF NOT EXISTS {schema}; \
         CREATE TABLE IF NOT EXISTS {schema}.tokens \
           (id bytea PRIMARY KEY, expires bigint NOT NULL, revoked boolean NOT NULL, record bytea NOT NULL); \
         CREATE INDEX IF NOT EXISTS tokens_expires ON {schema}.tokens (expires); \
         CREATE INDEX IF NOT EXISTS tokens_revoked ON {schema}.tokens (expires) WHERE revoked; \
         CREATE TABLE IF NOT EXISTS {schema}.numbers (taken bigint NOT NULL); \
         INSERT INTO {schema}.numbers SELECT 0 WHERE NOT EXISTS (SELECT FROM {schema}.numbers); \
         COMMIT"
    )
}

/// What takes it away.
pub(super) fn removed(schema: &str) -> String {
    format!("DROP SCHEMA IF EXISTS {schema} CASCADE")
}

impl Database {
    pub(super) fn at(url: &str, schema: &str, synchronous_commit: bool) -> Result<Self, StoreError> {
        let unreadable = |error: Error| {
            StoreError(format!(
                "the URL of PostgreSQL cannot be read: {}; write one like postgresql://user:password@host:5432/database",
                chain(&error)
            ))
        };
        let config: Config = url.parse().map_err(unreadable)?;
        let hosts: Vec<String> = config
            .get_hosts()
            .iter()
            .map(|host| match host {
                tokio_postgres::config::Host::Tcp(name) => name.clone(),
                tokio_postgres::config::Host::Unix(path) => path.display().to_string(),
            })
            .collect();
        let ports: Vec<String> = config.get_ports().iter().map(|port| format!(":{port}")).collect();
        let name = format!("PostgreSQL at {}{}", hosts.join(", "), ports.join(", "));
        Ok(Self { config, schema: schema.to_owned(), synchronous_commit, name })
    }

    /// Makes the tables, if they are not there.
    pub(super) async fn prepare(&self, patience: Duration) -> Result<(), StoreError> {
        let preparing = async {
            let client = self.client().await?;
            client.batch_execute(&created(&self.schema)).await.map_err(|error| self.failed(&error))
        };
        let too_late =
            |_| StoreError(format!("{}: no answer within {} s", self.name, patience.as_secs_f64()));
        timeout(patience, preparing).await.map_err(too_late)?
    }

    async fn client(&self) -> Result<Client, StoreError> {
        let (client, connection) = self.config.connect(NoTls).await.map_err(|error| self.failed(&error))?;
        // It ends with the client, or with the other end: the next question tells.
        task::spawn(connection);
        let version = client.query_one("SELECT current_setting('server_version_num')::int4", &[]).await;
        let version: i32 = version.map_err(|error| self.failed(&error))?.get(0);
        ensure_new_enough(&self.name, version.unsigned_abs())?;
        Ok(client)
    }

    /// What PostgreSQL said, and what to do.
    pub(super) fn failed(&self, error: &Error) -> StoreError {
        let remedy = match error.code() {
            Some(code) => remedy(code),
            None if is_refused(error) => "; start it, or correct its URL",
            None => "",
        };
        StoreError(format!("{}: {}{remedy}", self.name, chain(error)))
    }
}

fn remedy(code: &SqlState) -> &'static str {
    const ROWS: [(SqlState, &str); 9] = [
        (SqlState::INVALID_PASSWORD, "; correct user and password in its URL"),
        (
            SqlState::INVALID_AUTHORIZATION_SPECIFICATION,
            "; correct the user in its URL, or allow it in pg_hba.conf",
        ),
        (SqlState::INVALID_CATALOG_NAME, "; create that database, or correct its URL"),
        (SqlState::INSUFFICIENT_PRIVILEGE, "; GRANT CREATE ON DATABASE to that user"),
        (SqlState::TOO_MANY_CONNECTIONS, "; raise its max_connections, or set fewer `connections`"),
        (SqlState::DISK_FULL, "; make room on its disk"),
        (SqlState::OUT_OF_MEMORY, "; give it more memory"),
        (SqlState::READ_ONLY_SQL_TRANSACTION, "; give the URL of the primary"),
        (
            SqlState::UNDEFINED_TABLE,
            "; somebody has dropped its tables: start the authorization server again",
        ),
    ];
    ROWS.iter().find(|(known, _)| known == code).map_or("", |(_, remedy)| remedy)
}

fn is_refused(error: &Error) -> bool {
    let cause = error.source().and_then(|cause| cause.downcast_ref::<std::io::Error>());
    cause.is_some_and(|error| error.kind() == std::io::ErrorKind::ConnectionRefused)
}

/// An error with its causes, in a line. What the server said is the cause.
fn chain(error: &Error) -> String {
    let causes = std::iter::successors(error.source(), |&cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

fn ensure_new_enough(name: &str, version: u32) -> Result<(), StoreError> {
    if version >= OLDEST {
        return Ok(());
    }
    let [found, oldest] = [version, OLDEST].map(|version| version / 10_000);
    Err(StoreError(format!("{name} is too old: version {found}, expected {oldest} or later")))
}

impl StoreConnector for Database {
    type Connection = Link;

    async fn connect(&self) -> Result<Link, StoreError> {
        let client = self.client().await?;
        let commit = if self.synchronous_commit { "on" } else { "off" };
        let session = format!("SET search_path TO {}; SET synchronous_commit TO {commit}", self.schema);
        let link = async {
            client.batch_execute(&session).await?;
            Link::of(client).await
        };
        link.await.map_err(|error| self.failed(&error))
    }

    fn name(&self) -> &str {
        &self.name
    }
}

impl Link {
    async fn of(client: Client) -> Result<Self, Error> {
        const PUT: &str =
            "INSERT INTO tokens (id, expires, revoked, record) VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO";
        Ok(Self {
            find: client.prepare("SELECT record FROM tokens WHERE id = $1").await?,
            put: client
                .prepare(&format!(
                    "{PUT} UPDATE SET expires = excluded.expires, revoked = excluded.revoked, record = excluded.record"
                ))
                .await?,
            insert: client.prepare(&format!("{PUT} NOTHING")).await?,
            replace: client
                .prepare("UPDATE tokens SET expires = $2, revoked = $3, record = $4 WHERE id = $1 AND record = $5")
                .await?,
            revoked: client.prepare("SELECT record FROM tokens WHERE revoked AND expires >= $1").await?,
            take: client.prepare("UPDATE numbers SET taken = taken + $1 RETURNING taken - $1").await?,
            sweep: client
                .prepare(
                    "DELETE FROM tokens WHERE id IN \
                     (SELECT id FROM tokens WHERE expires < $1 ORDER BY expires LIMIT $2 FOR UPDATE SKIP LOCKED)",
                )
                .await?,
            client,
        })
    }

    /// Whether nothing comes of it any more.
    pub(super) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Adds rows by `COPY` in its binary form.
    pub(super) async fn copy(&self, rows: &[Row]) -> Result<u64, Error> {
        let sink = self.client.copy_in(COPY).await?;
        let mut writer = pin!(BinaryCopyInWriter::new(sink, &COLUMNS));
        for Row { token, expires, is_revoked, record } in rows {
            writer.as_mut().write(&[&&token.bytes()[..], expires, is_revoked, record]).await?;
        }
        writer.finish().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_that_this_was_not_made_for_is_told() {
        ensure_new_enough("PostgreSQL at x", 120_000).unwrap();
        let error = ensure_new_enough("PostgreSQL at x", 90_624).unwrap_err().to_string();
        assert!(error.ends_with("PostgreSQL at x is too old: version 9, expected 12 or later"), "{error}");
    }

    #[test]
    fn a_url_that_is_none_is_told_without_what_is_in_it_and_a_good_one_names_its_host_alone() {
        let Err(error) = Database::at("postgresql://u:hush@h:x/d", "s", true) else { panic!("it is none") };
        let error = error.to_string();
        assert!(error.contains("the URL of PostgreSQL cannot be read") && !error.contains("hush"), "{error}");
        let database = Database::at("postgresql://u:hush@h:5433/d", "s", true);
        assert_eq!(database.unwrap_or_else(|error| panic!("{error}")).name, "PostgreSQL at h:5433");
    }
}
