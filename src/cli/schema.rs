//! `bearerbench schema`: the JSON Schema of scenario files, for editors, and of recordings, for other programs.

use clap::{Args, ValueEnum};
use schemars::schema_for;

use crate::cli::{Exit, output};
use crate::observation::Recording;
use crate::scenario::Scenario;

/// Print the JSON Schema of scenario files or of recordings
#[derive(Debug, Args)]
pub(super) struct Schema {
    /// What the schema describes
    #[arg(value_enum, value_name = "FORMAT", default_value = "scenario")]
    of: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// A scenario file, TOML read as JSON
    Scenario,
    /// A line of recording.jsonl: the facts of a trial, in the newest version
    Recording,
}

impl Schema {
    pub(super) fn execute(self) -> anyhow::Result<Exit> {
        let schema = match self.of {
            Format::Scenario => schema_for!(Scenario),
            Format::Recording => schema_for!(Recording),
        };
        output::print(&serde_json::to_string_pretty(&schema)?)?;
        Ok(Exit::Success)
    }
}
