//! `bearerbench compare`: two recordings side by side.

use std::path::PathBuf;

use clap::Args;

use crate::analysis::analyse;
use crate::cli::{Exit, output};
use crate::{observation, report};

/// Show what changed between two recordings, as information: single runs are no gate
#[derive(Debug, Args)]
pub(super) struct Compare {
    /// Folder of the run to compare with
    first: PathBuf,
    /// Folder of the run to compare
    second: PathBuf,
    /// Show the metrics that did not change, too
    #[arg(long)]
    all: bool,
    /// Print JSON, with every metric
    #[arg(long)]
    json: bool,
}

impl Compare {
    pub(super) fn execute(self) -> anyhow::Result<Exit> {
        let first = analyse(&observation::read(&self.first)?);
        let second = analyse(&observation::read(&self.second)?);
        output::print(&if self.json {
            report::compare_json(&first, &second)
        } else {
            report::compare(&first, &second, self.all)
        })?;
        Ok(Exit::Success)
    }
}
