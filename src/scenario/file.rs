//! Reading a scenario file, with changes from the command line worked into its text.

use std::fs;
use std::path::Path;
use std::str::FromStr;

use toml_edit::{DocumentMut, Item, Table, Value};

use crate::scenario::{InvalidScenario, Scenario};

/// A scenario and the text it was read from, so that later errors can name lines.
#[derive(Clone, Debug)]
pub struct ScenarioFile {
    /// Where it came from, as it was typed.
    pub path: String,
    /// The text of the file, without the changes.
    pub text: String,
    /// What it says.
    pub scenario: Scenario,
}

/// A change to a scenario: `load.rate=500`.
#[derive(Clone, Debug, PartialEq)]
pub struct Override {
    keys: Vec<String>,
    value: String,
}

impl FromStr for Override {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (path, value) =
            text.split_once('=').ok_or_else(|| format!("{text:?} is no KEY=VALUE, like load.rate=500"))?;
        let keys: Vec<String> = path.split('.').map(|key| key.trim().to_owned()).collect();
        if keys.iter().any(String::is_empty) {
            return Err(format!("{path:?} is no path of keys, like load.rate"));
        }
        Ok(Self { keys, value: value.trim().to_owned() })
    }
}

impl ScenarioFile {
    /// Reads the file at `path` and makes the changes.
    pub fn read(path: &Path, changes: &[Override]) -> Result<Self, InvalidScenario> {
        let name = path.display().to_string();
        let text = fs::read_to_string(path).map_err(|error| {
            InvalidScenario::file(
                &name,
                format!("cannot be read ({error}); give the path of a scenario file"),
            )
        })?;
        Self::parse(name, &text, changes)
    }

    /// Takes `text` for the file at `path` and makes the changes.
    pub fn parse(path: String, text: &str, changes: &[Override]) -> Result<Self, InvalidScenario> {
        let scenario = if changes.is_empty() {
            scenario(&path, text)?
        } else {
            scenario(&path, &changed(&path, text, changes)?).map_err(|error| error.in_text(text))?
        };
        Ok(Self { path, text: text.to_owned(), scenario })
    }

    /// The scenario's name: that of the file without folder and ending.
    pub fn name(&self) -> String {
        Path::new(&self.path)
            .file_stem()
            .map_or_else(|| "scenario".to_owned(), |stem| stem.to_string_lossy().into())
    }

    /// An error about the subject at `index`.
    pub fn subject_error(&self, index: usize, problem: impl Into<String>) -> InvalidScenario {
        self.key_error(&format!("subject[{index}]"), problem)
    }

    /// An error about the key at `path`, like `load.rate`.
    pub fn key_error(&self, path: &str, problem: impl Into<String>) -> InvalidScenario {
        InvalidScenario::key(&self.path, &self.text, path, problem)
    }
}

fn scenario(path: &str, text: &str) -> Result<Scenario, InvalidScenario> {
    let parsed =
        toml::Deserializer::parse(text).map_err(|error| InvalidScenario::toml(path, text, "", &error))?;
    serde_path_to_error::deserialize(parsed).map_err(|error| {
        let at = readable(&error.path().to_string());
        InvalidScenario::toml(path, text, &at, error.inner())
    })
}

/// The path of keys without the marks that serde leaves in it for what has no key.
fn readable(path: &str) -> String {
    let keys = path.split('.').filter(|key| !key.starts_with("$__") && *key != "?" && !key.is_empty());
    keys.collect::<Vec<_>>().join(".")
}

fn changed(path: &str, text: &str, changes: &[Override]) -> Result<String, InvalidScenario> {
    let mut document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| {
        let span = error.span().unwrap_or_default();
        InvalidScenario::at(path, text, &span, "", error.message().trim())
    })?;
    for change in changes {
        let (last, tables) = change.keys.split_last().expect("a change has at least one key");
        let mut table = document.as_table_mut();
        for key in tables {
            table = table.entry(key).or_insert_with(|| Item::Table(Table::new())).as_table_mut().ok_or_else(
                || InvalidScenario::file(path, format!("--set {}: {key} is no table", change.keys.join("."))),
            )?;
        }
        table.insert(last, Item::Value(change.toml_value()));
    }
    Ok(document.to_string())
}

impl Override {
    /// Numbers, lists and tables as in TOML; whatever is no TOML is taken for a text, so that `10s` needs no quotes.
    fn toml_value(&self) -> Value {
        self.value.parse().unwrap_or_else(|_| Value::from(self.value.as_str()))
    }
}
