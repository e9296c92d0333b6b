//! `bearerbench schema`: the JSON Schema of scenario files, for editors.

use clap::Args;

use crate::cli::{Exit, output};
use crate::scenario::Scenario;

/// Print the JSON Schema of scenario files
#[derive(Debug, Args)]
pub(super) struct Schema {}

impl Schema {
    #[expect(clippy::unused_self, reason = "every command is executed alike")]
    pub(super) fn execute(self) -> anyhow::Result<Exit> {
        output::print(&serde_json::to_string_pretty(&schemars::schema_for!(Scenario))?)?;
        Ok(Exit::Success)
    }
}
