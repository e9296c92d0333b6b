//! `bearerbench compare`: two recordings side by side.

use std::path::PathBuf;

use clap::Args;

use crate::analysis::analyse;
use crate::cli::{Exit, output};
use crate::{observation, report};

/// Show two recordings side by side, as information: single runs are no gate
#[derive(Debug, Args)]
pub(super) struct Compare {
    /// Folder of the run to compare with
    before: PathBuf,
    /// Folder of the run to compare
    after: PathBuf,
}

impl Compare {
    pub(super) fn execute(self) -> anyhow::Result<Exit> {
        let before = analyse(&observation::read(&self.before)?);
        let after = analyse(&observation::read(&self.after)?);
        output::print(&report::compare(&before, &after))?;
        Ok(Exit::Success)
    }
}
