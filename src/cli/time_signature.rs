//! `bearerbench time-signature`: how long the operations of a signature scheme take, for the run that asks.

use std::io::{self, Read as _};
use std::thread;

use anyhow::Context as _;
use clap::Args;

use crate::cli::{Exit, output};
use crate::testbed::machine;
use crate::testbed::process::told;
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

/// The parent holds the other end of standard input and loses it in whatever way it ends.
fn end_with_parent() {
    thread::spawn(|| {
        let _ = io::stdin().lock().read_to_end(&mut Vec::new());
        std::process::exit(1);
    });
}
