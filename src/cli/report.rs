//! `bearerbench report`: the report once more from a recording, without running anything.

use std::path::PathBuf;

use clap::Args;

use crate::analysis::analyse;
use crate::cli::{Exit, output, run};
use crate::{observation, report};

/// Write the report of a recorded run again
#[derive(Debug, Args)]
pub(super) struct Report {
    /// Folder of the run
    folder: PathBuf,
    /// Print the summary as JSON
    #[arg(long)]
    json: bool,
}

impl Report {
    pub(super) fn execute(self) -> anyhow::Result<Exit> {
        let recordings = observation::read(&self.folder)?;
        let analysis = analyse(&recordings);
        if let Err(error) = report::write(&self.folder, &analysis, &recordings) {
            output::tell(&format!("bearerbench: {:#}", anyhow::Error::from(error)));
            return Ok(Exit::Usage);
        }
        output::print(&if self.json { report::to_json(&analysis) } else { report::table(&analysis) })?;
        output::tell(&format!("report: {}", self.folder.join("report.html").display()));
        let exit = run::exit(&analysis, &recordings, false);
        run::tell_why(exit, &analysis);
        Ok(exit)
    }
}
