//! `bearerbench watch-cores`: when something else takes the cores of the servers, for the run that asks.

use anyhow::Context as _;
use clap::Args;

use crate::cli::Exit;
use crate::testbed::core_watch::{Task, watch};
use crate::testbed::process::told;

/// Watches the cores that standard input names: for `bearerbench run`
#[derive(Debug, Args)]
pub(super) struct WatchCores {}

impl WatchCores {
    #[expect(clippy::unused_self, reason = "every command is executed alike")]
    pub(super) fn execute(self) -> anyhow::Result<Exit> {
        let line = told().context("cannot read what to watch from standard input")?;
        let task: Task = serde_json::from_slice(&line)
            .context("standard input does not say what to watch; this command is for `bearerbench run`")?;
        watch(&task)?;
        Ok(Exit::Success)
    }
}
