//! The program started as a command, to its end.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// The program, in a folder of its own, with nothing on its standard input.
pub(crate) fn bearerbench<A: AsRef<OsStr>>(folder: &Path, arguments: impl IntoIterator<Item = A>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bearerbench"));
    command.args(arguments);
    at_home(command, folder)
}

/// The program as a shell script starts it: `$0` is the program.
pub(crate) fn through_shell<A: AsRef<OsStr>>(
    folder: &Path,
    script: &str,
    arguments: impl IntoIterator<Item = A>,
) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script, env!("CARGO_BIN_EXE_bearerbench")]).args(arguments);
    at_home(command, folder)
}

fn at_home(mut command: Command, folder: &Path) -> Command {
    command.current_dir(folder).stdin(Stdio::null()).env_remove("BEARERBENCH_CLIENT_SECRET");
    command
}

/// The exit code that fits what the run in `folder` says of itself: 12 if it measured its own generator or the machine,
/// as happens where tests run beside each other, and otherwise this one.
#[track_caller]
pub(crate) fn judged(folder: &Path, otherwise: i32) -> i32 {
    let summary = fs::read_to_string(folder.join("summary.json")).expect("a run that ended has a summary");
    let summary: Value = serde_json::from_str(&summary).expect("it is JSON");
    let of_the_bench = |warning: &Value| {
        let (gravity, blame) = (&warning["gravity"], &warning["blame"]);
        gravity == "unfit" && (blame == "generator" || blame == "machine")
    };
    let is_unusable = summary["warnings"].as_array().expect("a list").iter().any(of_the_bench);
    assert!(!is_unusable || summary["verdict"] == "invalid", "{}", summary["verdict"]);
    if is_unusable { 12 } else { otherwise }
}

/// How a command ended and what it said.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("the program speaks UTF-8");
        Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

/// Runs the command to its end.
pub(crate) fn ended(mut command: Command) -> Ended {
    command.output().expect("the program can be started").into()
}

impl Ended {
    /// Fails unless the exit code is this one.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }

    /// Fails unless the exit code is the one that [`judged`] tells.
    #[track_caller]
    pub(crate) fn exits_as_judged(self, folder: &Path, otherwise: i32) -> Self {
        self.exits(judged(folder, otherwise))
    }

    /// Fails unless standard error has all these words.
    #[track_caller]
    pub(crate) fn says(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.stderr.contains(word), "no {word:?} in {self:#?}");
        }
        self
    }
}
