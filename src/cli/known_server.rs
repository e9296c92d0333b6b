//! `bearerbench known-server`: a server of known truth, for the selftest that asks.

use std::io;

use anyhow::Context as _;
use clap::Args;

use crate::cli::{Exit, output};
use crate::selftest::KnownTimes;
use crate::testbed::process::told;

/// Serves by the law that standard input names: for `bearerbench selftest`
#[derive(Debug, Args)]
pub(super) struct KnownServerCommand {}

impl KnownServerCommand {
    #[expect(clippy::unused_self, reason = "every command is executed alike")]
    pub(super) fn execute(self) -> anyhow::Result<Exit> {
        let line = told().context("cannot read what to serve from standard input")?;
        let known: KnownTimes = serde_json::from_slice(&line).context(
            "standard input does not say what to serve; this command is for `bearerbench selftest`",
        )?;
        known.serve(io::stdin().lock(), |said| output::print(&said).map_err(io::Error::other))?;
        Ok(Exit::Success)
    }
}
