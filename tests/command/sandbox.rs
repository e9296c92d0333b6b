//! A folder with a scenario in it, gone when the test ends.

use std::fs;
use std::io::{Write as _, stderr};
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::program::{Ended, bearerbench, ended};

/// Two subjects, a second each: small enough for any machine that runs tests.
pub(crate) const SMALL: &str = r#"question = "Does it work?"
thresholds = ["errors<=100%"]
repetitions = 1
[load]
rate = 100
warmup = "200ms"
duration = "1s"
resource_servers = 2
connections = 4

[tokens]
live = 100
bad_per_kind = 5

[revocation]
tokens = 2

[[subject]]
name = "control"
architecture = "none"

[[subject]]
name = "opaque"
architecture = "introspection"
"#;

/// The folder.
pub(crate) struct Sandbox {
    folder: PathBuf,
    _removed_on_drop: Option<TempDir>,
}

impl Sandbox {
    /// A folder with this text in `case.toml`.
    pub(crate) fn with(scenario: &str) -> Self {
        let folder = tempfile::tempdir().expect("temporary folders can be made");
        let sandbox = Self { folder: folder.path().to_owned(), _removed_on_drop: Some(folder) };
        sandbox.fill(scenario)
    }

    /// The same for a static, which is never dropped: a folder of that name, made anew by every run of the tests.
    pub(crate) fn lasting(name: &str, scenario: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        // There is none before the first run.
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("the build may write to its folder");
        Self { folder, _removed_on_drop: None }.fill(scenario)
    }

    fn fill(self, scenario: &str) -> Self {
        fs::write(self.folder.join("case.toml"), scenario).expect("the folder can be written");
        self
    }

    pub(crate) fn path(&self) -> &Path {
        &self.folder
    }

    /// Where a run of `case.toml` with `--out out` writes.
    pub(crate) fn out(&self) -> PathBuf {
        self.path().join("out")
    }

    /// Runs a command here to its end.
    pub(crate) fn ended(&self, arguments: &[&str]) -> Ended {
        ended(bearerbench(self.path(), arguments))
    }

    /// Runs `run case.toml --out out` and more to its end.
    pub(crate) fn run(&self, more: &[&str]) -> Ended {
        self.ended(&[&["run", "case.toml", "--out", "out"], more].concat())
    }

    /// Runs a command that must be refused: before a trial begins, with nothing on standard output, and nothing made.
    #[track_caller]
    pub(crate) fn refused(&self, arguments: &[&str]) -> Ended {
        self.refusal_of(|| self.ended(arguments))
    }

    /// The same of whatever `command` starts.
    #[track_caller]
    pub(crate) fn refusal_of(&self, command: impl FnOnce() -> Ended) -> Ended {
        let before = self.names();
        let ended = command();
        assert!(!ended.stderr.contains("[1/"), "a trial was begun before the refusal: {ended:#?}");
        assert_eq!(ended.stdout, "", "{ended:#?}");
        assert_eq!(self.names(), before, "something was made before the refusal");
        ended
    }

    fn names(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.path()).expect("the folder is there");
        let mut names: Vec<_> = entries.map(|entry| entry.expect("it can be read").path()).collect();
        names.sort();
        names
    }
}

/// Fails unless a run of `scenario` is refused with these words.
#[track_caller]
pub(crate) fn refused(scenario: &str, words: &[&str]) {
    Sandbox::with(scenario).refused(&["run", "case.toml"]).exits(2).says(words);
}

/// Fails unless a run of the small scenario with more arguments is refused with these words.
#[track_caller]
pub(crate) fn refused_with(arguments: &[&str], words: &[&str]) {
    let arguments = [&["run", "case.toml"], arguments].concat();
    Sandbox::with(SMALL).refused(&arguments).exits(2).says(words);
}

/// Of a window of a second, in nanoseconds. What is left where more is taken may be no request at all.
const MOST_TAKEN: u64 = 700_000_000;

/// Whether others took so much of the machine during a trial that its figures cannot be what they should. Then the test says so.
pub(crate) fn is_starved(trials: &[Value]) -> bool {
    is_starved_within(trials, 1)
}

/// The same of trials with a window of so many seconds.
pub(crate) fn is_starved_within(trials: &[Value], seconds: u64) -> bool {
    let is_starved = |trial: &Value| {
        let load = &trial["load"];
        let most = Some(MOST_TAKEN * seconds);
        load.is_null() || ["generator", "servers"].iter().any(|side| taken(trial, side) > most)
    };
    let found = trials.iter().any(is_starved);
    if found {
        // Past the harness, which shows only what a failed test prints.
        let _ = writeln!(stderr().lock(), "not judged: others took most of a core for most of a trial");
    }
    found
}

/// Nanoseconds that were taken from the core of that side that lost most.
pub(crate) fn taken(trial: &Value, side: &str) -> Option<u64> {
    let gaps = trial["load"]["gaps"].as_array().expect("gaps are looked for");
    let cores = gaps.iter().filter(|core| core["side"] == side);
    cores.map(|core| core["nanos"].as_u64().expect("a count")).max()
}

/// Every trial that was recorded in `out`.
pub(crate) fn recordings(sandbox: &Sandbox) -> Vec<Value> {
    let recording = fs::read_to_string(sandbox.out().join("recording.jsonl")).expect("it is kept");
    recording.lines().map(|line| serde_json::from_str(line).expect("a trial a line")).collect()
}
