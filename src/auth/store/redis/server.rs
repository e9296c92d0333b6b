//! A Redis: how it is reached, and what its errors mean.

use redis::aio::MultiplexedConnection;
use redis::io::tcp::TcpSettings;
use redis::{AsyncConnectionConfig, ErrorKind, IntoConnectionInfo as _, RedisError, ServerError};

use crate::auth::store::StoreError;
use crate::auth::store::connections::StoreConnector;

/// The first version whose `SET` takes an instant (`EXAT`).
const OLDEST: [u64; 2] = [6, 2];

/// A Redis.
pub(super) struct RedisEndpoint {
    client: redis::Client,
    name: String,
}

impl RedisEndpoint {
    pub(super) fn at(url: &str) -> Result<Self, StoreError> {
        let unreadable = |error: RedisError| {
            StoreError(format!(
                "the URL of Redis cannot be read: {error}; write one like redis://:password@host:6379/0"
            ))
        };
        let place = url.into_connection_info().map_err(unreadable)?;
        let name = format!("Redis at {}", place.addr());
        // What is asked goes out at once, whatever is under way.
        let place = place.set_tcp_settings(TcpSettings::default().set_nodelay(true));
        Ok(Self { client: redis::Client::open(place).map_err(unreadable)?, name })
    }

    /// What Redis said, and what to do.
    pub(super) fn failed(&self, error: &RedisError) -> StoreError {
        if error.kind() == ErrorKind::AuthenticationFailed {
            return StoreError(format!(
                "{}: it refuses user and password; correct them in its URL",
                self.name
            ));
        }
        let first = first_answer(error);
        let remedy = match first.as_ref().map(ServerError::code) {
            Some("NOAUTH") => "; write user and password into its URL",
            Some("NOPERM") => "; allow that user GET, SET, MGET, INCRBY, ZADD, EVALSHA and SCRIPT",
            Some("OOM") => "; raise its maxmemory, or keep fewer tokens or for a shorter time",
            Some("MISCONF") => "; make room on its disk, or mend its permissions",
            Some("READONLY") => "; give the URL of the primary",
            Some("LOADING") => "; it reads its file, and is ready afterwards",
            None if error.is_connection_refusal() => "; start it, or correct its URL",
            Some(_) | None => "",
        };
        match first {
            Some(first) => StoreError(format!("{}: {first}{remedy}", self.name)),
            None => StoreError(format!("{}: {error}{remedy}", self.name)),
        }
    }
}

/// What Redis itself said, the first if it has refused several commands; nothing if the connection is at fault.
pub(super) fn first_answer(error: &RedisError) -> Option<ServerError> {
    error.clone().into_server_errors().and_then(|errors| errors.first().map(|(_, error)| error.clone()))
}

impl StoreConnector for RedisEndpoint {
    type Connection = MultiplexedConnection;

    async fn connect(&self) -> Result<MultiplexedConnection, StoreError> {
        // The time-out is that of the whole question.
        let config = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
        let connecting = self.client.get_multiplexed_async_connection_with_config(&config).await;
        let mut connection = connecting.map_err(|error| self.failed(&error))?;
        let info: Result<String, _> = redis::cmd("INFO").arg("server").query_async(&mut connection).await;
        ensure_new_enough(&self.name, &info.map_err(|error| self.failed(&error))?)?;
        Ok(connection)
    }

    fn name(&self) -> &str {
        &self.name
    }
}

fn ensure_new_enough(name: &str, info: &str) -> Result<(), StoreError> {
    let version =
        info.lines().find_map(|line| line.strip_prefix("redis_version:")).unwrap_or_default().trim();
    let numbers: Vec<u64> = version.split('.').map_while(|number| number.parse().ok()).collect();
    if numbers.as_slice() >= OLDEST.as_slice() {
        return Ok(());
    }
    let [major, minor] = OLDEST;
    Err(StoreError(format!("{name} is too old: version {version:?}, expected {major}.{minor} or later")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_that_lacks_what_is_needed_is_told() {
        let judged = |version: &str| {
            ensure_new_enough("Redis at x", &format!("# Server\r\nredis_version:{version}\r\n"))
        };
        for version in ["6.2.0", "6.10.1", "7.0.15", "8.0"] {
            judged(version).unwrap();
        }
        for version in ["6.0.16", "5.0.7", "2.8", ""] {
            let error = judged(version).unwrap_err().to_string();
            assert!(
                error
                    .ends_with(&format!("Redis at x is too old: version {version:?}, expected 6.2 or later")),
                "{error}"
            );
        }
    }

    #[test]
    fn a_url_that_is_none_is_told_without_what_is_in_it() {
        let Err(error) = RedisEndpoint::at("redis://:hush@ho st:x") else { panic!("it is none") };
        let error = error.to_string();
        assert!(error.contains("the URL of Redis cannot be read") && !error.contains("hush"), "{error}");
    }
}
