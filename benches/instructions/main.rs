//! How many instructions it takes to sign and verify, bare and as a whole token: counted by callgrind, so that a
//! machine with other work to do gives the same numbers, and held to a stored baseline.
//!
//! ```sh
//! cargo bench --bench instructions              # gungraun's own view: against the run before
//! cargo bench --bench instructions -- gate      # fails where a count rose above baseline.toml
//! cargo bench --bench instructions -- update    # writes baseline.toml, and fixtures.json for new schemes
//! ```
//!
//! Needs valgrind, and `gungraun-runner` of gungraun's version in `PATH`.

mod baseline;
mod cases;
mod counted;
mod counts;
mod environment;
mod fixtures;
mod gate;

use std::env;
use std::io;
use std::process::ExitCode;

fn main() -> ExitCode {
    let done = match env::args().nth(1).as_deref() {
        Some("gate") => gate::check(&mut io::stdout()),
        Some("update") => gate::update(&mut io::stdout()),
        Some(environment::FEATURES) => environment::write_features(&mut io::stdout()),
        // What remains is gungraun's, which also starts this program once for every case.
        _ => {
            counted::run();
            return ExitCode::SUCCESS;
        }
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
