//! An example of every command that works as it stands: in its help, and after arguments that do not.

use clap::error::ErrorKind;
use clap::{Command, Error};

/// The words that name a command, and a command line of it.
const EXAMPLES: [(&[&str], &str); 21] = [
    (&[], "bearerbench run scenarios/quickstart.toml"),
    (&["run"], "bearerbench run scenarios/quickstart.toml --set load.rate=500"),
    (&["check"], "bearerbench check scenarios/quickstart.toml"),
    (&["plan"], "bearerbench plan scenarios/quickstart.toml --instants 20"),
    (&["list"], "bearerbench list"),
    (&["report"], "bearerbench report reports/quickstart/A"),
    (&["compare"], "bearerbench compare reports/quickstart/A reports/quickstart/B"),
    (&["explain"], "bearerbench explain latency.p99"),
    (&["schema"], "bearerbench schema recording"),
    (&["doctor"], "bearerbench doctor"),
    (&["selftest"], "bearerbench selftest generator --quick"),
    (&["selftest", "generator"], "bearerbench selftest generator --quick"),
    (
        &["load"],
        "bearerbench load --target http://127.0.0.1:8080/resource --tokens tokens.txt --rate 100 --threshold \"p(99)<5ms\"",
    ),
    (&["serve"], "bearerbench serve authorization-server --signature ES256"),
    (&["serve", "authorization-server"], "bearerbench serve authorization-server --signature ES256"),
    (&["serve", "resource-server"], "bearerbench serve resource-server --architecture jwt"),
    (&["token"], "bearerbench token keygen --alg ES256 --out key.json"),
    (&["token", "keygen"], "bearerbench token keygen --alg ES256 --out key.json"),
    (
        &["token", "issue"],
        "bearerbench token issue --key key.json --iss https://as.example --aud https://api.example",
    ),
    (&["token", "verify"], "bearerbench token verify --key key.json < token.txt"),
    (&["token", "inspect"], "bearerbench token inspect < token.txt"),
];

/// The command line with its examples.
pub(super) fn with_examples(command: Command) -> Command {
    with(command, &[])
}

fn with(command: Command, path: &[&str]) -> Command {
    let names: Vec<String> = command.get_subcommands().map(|below| below.get_name().to_owned()).collect();
    let command = names.iter().fold(command, |command, name| {
        command.mut_subcommand(name, |below| with(below, &[path, &[name.as_str()]].concat()))
    });
    let Some(example) = example(path) else { return command };
    let more = command.get_after_help().map(|help| format!("\n\n{help}")).unwrap_or_default();
    command.after_help(format!("Example: {example}{more}"))
}

fn example(path: &[&str]) -> Option<&'static str> {
    EXAMPLES.iter().find(|(words, _)| *words == path).map(|(_, example)| *example)
}

/// What is said of arguments that cannot be read: the error, and an example of the command that was meant.
pub(super) fn explained(error: &Error, typed: &[String]) -> String {
    let text = error.render().to_string();
    if matches!(
        error.kind(),
        ErrorKind::DisplayHelp
            | ErrorKind::DisplayVersion
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    ) {
        return text;
    }
    let words: Vec<&str> = typed.iter().skip(1).map(String::as_str).take(2).collect();
    let meant = (0..=words.len()).rev().find_map(|length| example(&words[..length]));
    let example = meant.unwrap_or(EXAMPLES[0].1);
    let text = text.trim_end();
    // The hint at the help stands last.
    match text.rsplit_once("\nFor more information") {
        Some((before, hint)) => format!("{before}\nExample: {example}\n\nFor more information{hint}\n"),
        None => format!("{text}\n\nExample: {example}\n"),
    }
}
