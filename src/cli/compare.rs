//! `bearerbench compare`: two recordings side by side.

use std::path::PathBuf;

use clap::Args;

use crate::analysis::analyse;
use crate::cli::{Exit, output};
use crate::{observation, report};

/// Show what changed between two recordings; two single runs are information, not a pass or fail
#[derive(Debug, Args)]
pub(super) struct Compare {
    /// Folder of the baseline run
    first: PathBuf,
    /// Folder of the run to compare
    second: PathBuf,
    /// Also show the metrics that did not change
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
