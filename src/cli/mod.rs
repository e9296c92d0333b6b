//! The command line: one file per subcommand. Data goes to standard output, everything else to standard error.

mod bound;
mod check;
mod compare;
mod doctor;
mod examples;
mod exit;
mod explain;
mod known_server;
mod list;
mod load;
mod output;
mod part;
mod plan;
mod progress;
mod report;
mod run;
mod scenario;
mod schema;
mod selftest;
mod serve;
mod time_signature;
mod token;
mod watch_cores;

use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use exit::Exit;

/// Measures what opaque tokens and JWTs cost an API: latency, throughput and revocation propagation.
#[derive(Debug, Parser)]
#[command(name = "bearerbench", version, arg_required_else_help = true)]
#[command(
    after_help = "Exit codes: 0 fine, 1 something failed, 2 wrong arguments or a file that cannot be used (scenario, recording, key), 12 nothing that was asked could \
    be measured here, 99 a threshold was crossed, 130 interrupted; where several fit, the first of 130, 1, 12, 99"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::RunCommand),
    Check(check::CheckCommand),
    Plan(plan::PlanCommand),
    List(list::List),
    Report(report::Report),
    Compare(compare::Compare),
    Explain(explain::Explain),
    Schema(schema::Schema),
    Doctor(doctor::Doctor),
    Selftest(selftest::Selftest),
    Load(Box<load::LoadCommand>),
    Serve(Box<serve::Serve>),
    Token(Box<token::TokenCommand>),
    #[command(hide = true)]
    TimeSignature(time_signature::TimeSignature),
    #[command(hide = true)]
    WatchCores(watch_cores::WatchCores),
    #[command(hide = true)]
    KnownServer(known_server::KnownServerCommand),
}

/// Runs the command that was typed.
pub fn main() -> ExitCode {
    let matches = examples::with_examples(Cli::command()).try_get_matches();
    let command = match matches.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(Cli { command }) => command,
        Err(error) => return refused(&error),
    };
    let ended = match command {
        Command::Run(command) => command.execute(),
        Command::Check(command) => command.execute(),
        Command::Plan(command) => command.execute(),
        Command::List(command) => command.execute(),
        Command::Report(command) => command.execute(),
        Command::Compare(command) => command.execute(),
        Command::Explain(command) => command.execute(),
        Command::Schema(command) => command.execute(),
        Command::Doctor(command) => command.execute(),
        Command::Selftest(command) => command.execute(),
        Command::Load(command) => command.execute(),
        Command::Serve(command) => command.execute(),
        Command::Token(command) => command.execute(),
        Command::TimeSignature(command) => command.execute(),
        Command::WatchCores(command) => command.execute(),
        Command::KnownServer(command) => command.execute(),
    };
    match ended {
        Ok(exit) => exit.into(),
        Err(error) => exit::explain(&error).into(),
    }
}

/// Help that was asked for is data; everything else that ends the reading of arguments is an error.
fn refused(error: &clap::Error) -> ExitCode {
    let typed: Vec<String> = std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
    let text = examples::explained(error, &typed);
    if error.use_stderr() {
        output::tell(text.trim_end());
        return Exit::Usage.into();
    }
    match output::print(&text) {
        Ok(()) => Exit::Success.into(),
        Err(error) => exit::explain(&error).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_an_example_that_is_understood() {
        fn check(command: &clap::Command, path: &str) {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            let example = help.lines().find_map(|line| line.strip_prefix("Example: "));
            let example = example.unwrap_or_else(|| panic!("no example of {path:?}"));
            let example = example.split(" < ").next().expect("a split has a first part").replace('"', "");
            assert!(example.starts_with(&format!("bearerbench{path}")), "{example}");
            let parsed = Cli::try_parse_from(example.split(' '));
            assert!(parsed.is_ok(), "{example}: {}", parsed.unwrap_err());
            for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
                let is_spec = below.get_name() == "spec" || below.get_name() == "help";
                if !is_spec {
                    check(below, &format!("{path} {}", below.get_name()));
                }
            }
        }
        check(&examples::with_examples(Cli::command()), "");
    }

    #[test]
    fn every_command_of_the_readme_is_understood() {
        let readme = include_str!("../../README.md");
        let blocks = readme.split("```").skip(1).step_by(2);
        let commands: Vec<&str> = blocks
            .flat_map(str::lines)
            // Each command of a pipeline, without the files that the shell opens.
            .flat_map(|line| line.split(" | "))
            .map(|line| {
                line.split_once(" > ").or(line.split_once(" < ")).map_or(line, |(command, _)| command)
            })
            .filter_map(|line| {
                line.strip_prefix("cargo run --release -- ").or(line.strip_prefix("bearerbench "))
            })
            .collect();
        assert!(commands.len() >= 8, "{commands:?}");
        for command in commands {
            let command = command.split(" #").next().expect("a split has a first part").trim();
            let words = command.split('"').enumerate().flat_map(|(number, part)| {
                // Every second part stood in quotes and is one word.
                let words: Vec<&str> =
                    if number % 2 == 1 { vec![part] } else { part.split_whitespace().collect() };
                words
            });
            let parsed = Cli::try_parse_from(["bearerbench"].into_iter().chain(words));
            assert!(parsed.is_ok(), "{command}: {}", parsed.unwrap_err());
        }
    }

    #[test]
    fn the_command_line_is_well_formed() {
        examples::with_examples(Cli::command()).debug_assert();
    }
}
