//! Names in scenarios <-> parts of the crate: one mechanism for every extension point.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The part of a role as it was written: `"jwt"` or `{ kind = "jwt", leeway = "5s" }`.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// The name of a row in the role's registry.
    pub kind: String,
    /// What stood beside it.
    pub settings: toml::Table,
}

/// A choice that was found in its registry and built; it derefs to the part.
pub struct Part<T: ?Sized> {
    choice: Choice,
    part: Arc<T>,
}

/// One row of a registry.
pub struct Entry<T: ?Sized> {
    /// The name used in scenarios.
    pub name: &'static str,
    /// One line for `bearerbench list`.
    pub summary: &'static str,
    /// Makes the part from what stood beside its name.
    pub build: fn(toml::Table) -> Result<Arc<T>, toml::de::Error>,
    /// The JSON Schema of its settings.
    pub schema: fn(&mut SchemaGenerator) -> Schema,
}

/// Every part that can take one role.
pub struct Registry<T: ?Sized + 'static> {
    /// What the parts are, in words: `"signature scheme"`.
    pub role: &'static str,
    /// The rows, in the order in which they are listed.
    pub entries: &'static [Entry<T>],
}

/// A role that scenarios fill by name.
pub trait Role: 'static {
    /// The table of the parts that can take the role.
    fn registry() -> &'static Registry<Self>;

    /// Names that the field knows for parts which are not here: none of them is a slip of a known one.
    const ELSEWHERE: &'static [&'static str] = &[];

    /// What a reader must know of this part beside its settings.
    fn remark(&self) -> Option<String> {
        None
    }
}

/// One row of a registry: name, settings type, summary.
macro_rules! entry {
    ($name:literal, $settings:ty, $summary:literal) => {
        $crate::registry::Entry {
            name: $name,
            summary: $summary,
            build: |table| {
                <$settings as serde::Deserialize>::deserialize(table)
                    .map(|settings| std::sync::Arc::new(settings) as std::sync::Arc<_>)
            },
            schema: |generator| <$settings as schemars::JsonSchema>::json_schema(generator),
        }
    };
}
pub(crate) use entry;

/// A name that is in no row, or settings that do not fit it.
#[derive(Debug, thiserror::Error)]
pub enum UnknownPart {
    /// No row has this name.
    #[error("unknown {role} {name:?}{suggestion}; known: {known}", suggestion = did_you_mean(.nearest.as_deref()))]
    Name {
        /// What was looked for.
        role: &'static str,
        /// What was written.
        name: String,
        /// The known name that is closest to it, if one is close.
        nearest: Option<String>,
        /// Every known name.
        known: String,
    },
    /// The row exists, but not with these settings.
    #[error("{role} {name:?}: {reason}")]
    Settings {
        /// What was looked for.
        role: &'static str,
        /// What was written.
        name: String,
        /// What is wrong with the settings.
        reason: String,
    },
}

fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |name| format!("; did you mean {name:?}?"))
}

/// The name among `known` that `written` is most likely a slip of.
pub fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|name| (strsim::jaro_winkler(&written.to_lowercase(), &name.to_lowercase()), name))
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

impl<T: Role + ?Sized> Registry<T> {
    /// Choices of every part: by its name alone where no setting is required, and with each example of its settings.
    pub fn examples(&self) -> Vec<Choice> {
        let mut choices = Vec::new();
        for entry in self.entries {
            let schema = (entry.schema)(&mut SchemaGenerator::default());
            if needs_no_settings(&schema) {
                choices.push(Choice::named(entry.name));
            }
            let examples = schema.get("examples").and_then(serde_json::Value::as_array);
            choices.extend(examples.into_iter().flatten().map(|example| {
                let settings = toml::Table::deserialize(example).expect("an example is a table of settings");
                Choice { kind: entry.name.to_owned(), settings }
            }));
        }
        choices
    }

    /// Builds the part that `choice` names.
    pub fn resolve(&self, choice: Choice) -> Result<Part<T>, UnknownPart> {
        let Some(entry) = self.entries.iter().find(|entry| entry.name == choice.kind) else {
            let names = || self.entries.iter().map(|entry| entry.name);
            return Err(UnknownPart::Name {
                role: self.role,
                nearest: nearest(&choice.kind, names())
                    .filter(|_| !T::ELSEWHERE.contains(&&*choice.kind))
                    .map(str::to_owned),
                known: names().collect::<Vec<_>>().join(", "),
                name: choice.kind,
            });
        };
        match (entry.build)(choice.settings.clone()) {
            Ok(part) => Ok(Part { choice, part }),
            Err(error) => {
                let reason = error.message().trim().to_owned();
                Err(UnknownPart::Settings { role: self.role, name: choice.kind, reason })
            }
        }
    }
}

fn needs_no_settings(schema: &Schema) -> bool {
    let required = schema.get("required").and_then(serde_json::Value::as_array);
    required.is_none_or(Vec::is_empty)
}

impl Choice {
    /// A part by its name alone, with its default settings.
    pub fn named(kind: impl Into<String>) -> Self {
        Self { kind: kind.into(), settings: toml::Table::new() }
    }
}

impl<T: Role + ?Sized> Part<T> {
    /// The part of that name with its default settings.
    pub fn named(kind: &str) -> Result<Self, UnknownPart> {
        T::registry().resolve(Choice::named(kind))
    }
}

impl<T: ?Sized> Part<T> {
    /// The name of the row.
    pub fn kind(&self) -> &str {
        &self.choice.kind
    }

    /// The part as it was written.
    pub fn choice(&self) -> &Choice {
        &self.choice
    }
}

impl<T: ?Sized> Clone for Part<T> {
    fn clone(&self) -> Self {
        Self { choice: self.choice.clone(), part: Arc::clone(&self.part) }
    }
}

impl<T: ?Sized> Deref for Part<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.part
    }
}

impl<T: Role + ?Sized> fmt::Display for Part<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.choice.fmt(f)?;
        self.part.remark().map_or(Ok(()), |remark| write!(f, ", {remark}"))
    }
}

impl<T: ?Sized> fmt::Debug for Part<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.choice.fmt(f)
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kind)?;
        let mut separator = " ";
        for (key, value) in &self.settings {
            match value {
                toml::Value::String(text) => write!(f, "{separator}{key} {text}")?,
                other => write!(f, "{separator}{key} {other}")?,
            }
            separator = ", ";
        }
        Ok(())
    }
}

impl Serialize for Choice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.settings.is_empty() {
            return serializer.serialize_str(&self.kind);
        }
        let mut table = self.settings.clone();
        table.insert("kind".to_owned(), self.kind.clone().into());
        table.serialize(serializer)
    }
}

impl JsonSchema for Choice {
    fn schema_name() -> Cow<'static, str> {
        "Choice".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A part as a scenario names it: by its kind alone, or with settings beside that.",
            "oneOf": [
                { "type": "string" },
                { "type": "object", "properties": { "kind": { "type": "string" } }, "required": ["kind"] },
            ],
        })
    }
}

impl<'de> Deserialize<'de> for Choice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ChoiceVisitor)
    }
}

struct ChoiceVisitor;

impl<'de> Visitor<'de> for ChoiceVisitor {
    type Value = Choice;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name, or a table with a `kind` and its settings")
    }

    fn visit_str<E: serde::de::Error>(self, kind: &str) -> Result<Choice, E> {
        Ok(Choice::named(kind))
    }

    fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Choice, M::Error> {
        let mut settings = toml::Table::deserialize(MapAccessDeserializer::new(map))?;
        match settings.remove("kind") {
            Some(toml::Value::String(kind)) => Ok(Choice { kind, settings }),
            _ => Err(M::Error::missing_field("kind")),
        }
    }
}

impl<T: ?Sized> Serialize for Part<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.choice.serialize(serializer)
    }
}

impl<'de, T: Role + ?Sized> Deserialize<'de> for Part<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let choice = Choice::deserialize(deserializer)?;
        T::registry().resolve(choice).map_err(D::Error::custom)
    }
}

impl<T: Role + ?Sized> JsonSchema for Part<T> {
    fn schema_name() -> Cow<'static, str> {
        T::registry().role.replace(' ', "-").into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let registry = T::registry();
        // A part with a setting that has no default cannot be chosen by its name alone.
        let alone = |entry: &&Entry<T>| needs_no_settings(&(entry.schema)(generator));
        let names: Vec<Schema> = registry
            .entries
            .iter()
            .filter(alone)
            .map(|entry| json_schema!({ "const": entry.name, "description": entry.summary }))
            .collect();
        let tables = registry.entries.iter().map(|entry| {
            let mut table = (entry.schema)(generator);
            table.remove("$schema");
            table.insert("description".to_owned(), entry.summary.into());
            let properties =
                table.ensure_object().entry("properties").or_insert_with(|| json_schema!({}).into());
            if let Some(properties) = properties.as_object_mut() {
                properties.insert("kind".to_owned(), serde_json::json!({ "const": entry.name }));
            }
            let examples = table.get_mut("examples").and_then(serde_json::Value::as_array_mut);
            for example in examples.into_iter().flatten().filter_map(serde_json::Value::as_object_mut) {
                example.insert("kind".to_owned(), entry.name.into());
            }
            let required = table.ensure_object().entry("required").or_insert_with(|| serde_json::json!([]));
            if let Some(required) = required.as_array_mut() {
                required.push("kind".into());
            }
            table
        });
        let choices: Vec<Schema> = names.into_iter().chain(tables).collect();
        json_schema!({ "description": registry.role, "oneOf": choices })
    }
}
