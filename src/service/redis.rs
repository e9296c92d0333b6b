//! Redis: everything in memory, written to a file beside as far as its settings say.

use std::ffi::OsString;
use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::service::{PrivatePlace, Service};

/// A `redis-server`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RedisServer {}

const CONFIGURATION: &str = "redis.conf";

impl Service for RedisServer {
    fn programs(&self) -> &'static [&'static str] {
        &["redis-server"]
    }

    fn package(&self) -> &'static str {
        "redis-server"
    }

    fn schemes(&self) -> &'static [&'static str] {
        &["redis"]
    }

    fn example(&self) -> &'static str {
        "redis://:password@127.0.0.1:6379"
    }

    fn files(&self, private: &PrivatePlace<'_>) -> Vec<(&'static str, String)> {
        let PrivatePlace { folder, address, password, settings } = private;
        // No snapshots: they would be written in the middle of a trial, by a second process.
        let mut text = format!(
            "bind {}\nport {}\ndir \"{}\"\nrequirepass {password}\nsave \"\"\ndaemonize no\n",
            address.ip(),
            address.port(),
            folder.display()
        );
        for (name, value) in *settings {
            writeln!(text, "{name} {value}").expect("a string takes every text");
        }
        vec![(CONFIGURATION, text)]
    }

    fn command(&self, private: &PrivatePlace<'_>) -> Vec<OsString> {
        vec![private.folder.join(CONFIGURATION).into()]
    }

    fn ready(&self) -> &'static str {
        "Ready to accept connections"
    }

    fn url(&self, private: &PrivatePlace<'_>) -> String {
        format!("redis://:{}@{}", private.password, private.address)
    }
}
