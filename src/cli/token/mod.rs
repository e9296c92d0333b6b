//! `bearerbench token`: keys and tokens by hand, in the forms that other tools read and write.

mod decoded;
mod input;
mod inspect;
mod issue;
mod jwk;
mod key;
mod keyfile;
mod keygen;
mod shown;
mod verify;

use clap::{Args, Subcommand};

use crate::cli::Exit;

pub(super) use input::{Unusable, of_file};
pub(super) use issue::signing_key;
pub(super) use jwk::from_json;

/// Make keys, issue, verify and inspect tokens by hand
#[derive(Debug, Args)]
pub(super) struct TokenCommand {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Keygen(keygen::Keygen),
    Issue(issue::Issue),
    Verify(verify::Verify),
    Inspect(inspect::Inspect),
}

impl TokenCommand {
    pub(super) fn execute(self) -> anyhow::Result<Exit> {
        match self.command {
            Command::Keygen(command) => command.execute(),
            Command::Issue(command) => command.execute(),
            Command::Verify(command) => command.execute(),
            Command::Inspect(command) => command.execute(),
        }
    }
}
