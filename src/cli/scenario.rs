//! The arguments that name a scenario and change it.

use std::path::PathBuf;

use clap::Args;

use crate::plan::Plan;
use crate::scenario::{InvalidScenario, Override, ScenarioFile};
use crate::testbed::machine;

/// Which scenario, with which changes.
#[derive(Debug, Args)]
pub(super) struct ScenarioArgs {
    /// The scenario file
    scenario: PathBuf,
    /// Change a value of the scenario, like load.rate=500 (may be given several times)
    #[arg(long = "set", value_name = "KEY=VALUE")]
    changes: Vec<Override>,
    /// Measure only the subject of this name (may be given several times)
    #[arg(long, value_name = "SUBJECT")]
    only: Vec<String>,
}

impl ScenarioArgs {
    /// Reads the scenario and decides every trial.
    pub(super) fn plan(&self) -> Result<Plan, InvalidScenario> {
        let file = ScenarioFile::read(&self.scenario, &self.changes)?;
        Plan::decide(&file, &self.only, &machine::available_cores())
    }
}
