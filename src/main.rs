//! The command `bearerbench`.

use std::process::ExitCode;

fn main() -> ExitCode {
    bearerbench::cli::main()
}
