//! `bearerbench time-signature`: how long the operations of a signature scheme take, for the run that asks.

use anyhow::Context as _;
use clap::Args;

use crate::cli::{Exit, output};
use crate::testbed::machine;
use crate::testbed::process::{end_with_parent, told};
use crate::testbed::signature::{Task, times};

/// Times the scheme that standard input names: for `bearerbench run`
#[derive(Debug, Args)]
pub(super) struct TimeSignature {}

impl TimeSignature {
    #[expect(clippy::unused_self, reason = "every command is executed alike")]
    pub(super) fn execute(self) -> anyhow::Result<Exit> {
        let line = told().context("cannot read what to time from standard input")?;
        let task: Task = serde_json::from_slice(&line)
            .context("standard input does not say what to time; this command is for `bearerbench run`")?;
        drop(line);
        end_with_parent();
        machine::pin_thread(&task.cores)?;
        let times = times(&task)?;
        output::print(&serde_json::to_string(&times)?)?;
        Ok(Exit::Success)
    }
}
