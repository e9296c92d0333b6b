//! Settings as the schema of their struct describes them.

use schemars::{Schema, SchemaGenerator};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::cli::explain::paragraph::paragraph;

/// A setting: what may be written, and what it means.
#[derive(Debug, Serialize)]
pub(super) struct Setting {
    /// Its key; that of a table in a table stands behind it and a dot.
    pub(super) name: String,
    /// What may be written, in words.
    #[serde(rename = "type")]
    pub(super) values: String,
    /// Whether it must be written.
    pub(super) required: bool,
    /// What holds if it is not written; absent if that is no value, but something left out.
    pub(super) default: Option<Value>,
    /// What it is for.
    pub(super) meaning: String,
    /// The words that may be written, with what each of them means.
    pub(super) words: Vec<Word>,
}

/// A word that a setting may be.
#[derive(Debug, Serialize)]
pub(super) struct Word {
    pub(super) word: String,
    pub(super) meaning: String,
}

/// Adds a section with all of them to `text`.
pub(super) fn add(text: &mut String, settings: &[Setting]) {
    text.push_str("\nSettings\n");
    if settings.is_empty() {
        text.push_str("  none\n");
    }
    for setting in settings {
        let presence = match &setting.default {
            Some(default) => format!("by default {default}"),
            None if setting.required => "required".to_owned(),
            None => "may be left out".to_owned(),
        };
        paragraph(text, [2, 6], &format!("{} ({presence}): {}", setting.name, setting.values));
        paragraph(text, [6, 6], &setting.meaning);
        for word in setting.words.iter().filter(|word| !word.meaning.is_empty()) {
            paragraph(text, [8, 10], &format!("{:?}: {}", word.word, word.meaning));
        }
    }
}

/// Every setting that `schema` has, the required ones first. `generator` has made it.
pub(super) fn settings(schema: &Schema, generator: &SchemaGenerator) -> Vec<Setting> {
    let definitions = Definitions(generator.definitions());
    let mut settings = definitions.settings(schema.as_value(), "");
    settings.sort_by_key(|setting| !setting.required);
    settings
}

/// The schemas that others refer to by their names.
struct Definitions<'a>(&'a Map<String, Value>);

impl<'a> Definitions<'a> {
    fn settings(&self, table: &'a Value, prefix: &str) -> Vec<Setting> {
        let required: Vec<&str> = listed(table, "required").filter_map(Value::as_str).collect();
        let properties = table.get("properties").and_then(Value::as_object);
        let mut settings = Vec::new();
        for (key, schema) in properties.into_iter().flatten() {
            let name = format!("{prefix}{key}");
            let target = self.target(schema);
            let below = self.settings(target, &format!("{name}."));
            settings.push(Setting {
                values: self.values(schema),
                required: required.contains(&key.as_str()),
                default: schema.get("default").filter(|default| !default.is_null()).cloned(),
                meaning: description(schema),
                words: words(self.target(target.get("items").unwrap_or(target))),
                name,
            });
            settings.extend(below);
        }
        settings
    }

    /// What a schema refers to, or allows beside leaving the value out; else itself.
    fn target(&self, schema: &'a Value) -> &'a Value {
        let mut options = listed(schema, "anyOf").filter(|option| option["type"] != "null");
        let schema = match (options.next(), options.next()) {
            (Some(only), None) => only,
            _ => schema,
        };
        let name = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next());
        name.and_then(|name| self.0.get(name)).unwrap_or(schema)
    }

    /// What may be written, in words.
    fn values(&self, schema: &'a Value) -> String {
        let target = self.target(schema);
        let words: Vec<String> = words(target).iter().map(|word| format!("{:?}", word.word)).collect();
        if !words.is_empty() {
            return words.join(" | ");
        }
        if let Some(part) = part(target) {
            return part;
        }
        let options: Vec<String> = ["oneOf", "anyOf"]
            .iter()
            .flat_map(|of| listed(target, of))
            .filter(|option| option["type"] != "null")
            .map(|option| self.values(option))
            .collect();
        if !options.is_empty() {
            return options.join(" or ");
        }
        let is_quantity = !std::ptr::eq(target, schema) && target["type"] != "object";
        match target["type"].as_str().or_else(|| listed(target, "type").next().and_then(Value::as_str)) {
            Some("array") => format!(
                "list of {}",
                target.get("items").map_or_else(String::new, |items| self.values(items))
            ),
            Some("object") => "table".to_owned(),
            Some(_) if is_quantity => quantity(target),
            Some("boolean") => "true or false".to_owned(),
            Some("integer") => "whole number".to_owned(),
            Some("number") => "number".to_owned(),
            Some("string") => "text".to_owned(),
            _ => "any value".to_owned(),
        }
    }
}

fn listed<'a>(schema: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    schema.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn description(schema: &Value) -> String {
    schema["description"].as_str().unwrap_or_default().replace('\n', " ")
}

/// A type of its own says what it is, and its first example how it is written.
fn quantity(schema: &Value) -> String {
    let about = description(schema);
    let mut characters = about.trim_end_matches('.').chars();
    let about: String =
        characters.next().into_iter().flat_map(char::to_lowercase).chain(characters).collect();
    match listed(schema, "examples").next() {
        Some(example) => format!("{about}, like {example}"),
        None => about,
    }
}

/// What a part of a role is called, if `schema` is that of one: many names, and tables with a `kind`.
fn part(schema: &Value) -> Option<String> {
    let is_table = |option: &Value| option["properties"].get("kind").is_some();
    let is_part = listed(schema, "oneOf").any(is_table);
    is_part.then(|| format!("a {} of \"bearerbench list\", or a table with its `kind`", description(schema)))
}

/// The words of an enumeration, if `schema` is one.
fn words(schema: &Value) -> Vec<Word> {
    let described =
        listed(schema, "oneOf").map(|option| Some((option["const"].as_str()?, description(option))));
    let plain = listed(schema, "enum").map(|word| Some((word.as_str()?, String::new())));
    let words: Option<Vec<_>> = described.chain(plain).collect();
    let word = |(word, meaning): (&str, String)| Word { word: word.to_owned(), meaning };
    words.unwrap_or_default().into_iter().map(word).collect()
}

#[cfg(test)]
mod tests {
    use schemars::JsonSchema;

    use super::*;
    use crate::units::Span;

    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only its schema is read")]
    struct Settings {
        /// How often.
        times: u32,
        /// How long
        /// it waits.
        #[serde(default)]
        wait: Option<Span>,
        /// In which ways.
        #[serde(default)]
        ways: Vec<Way>,
        /// The rest.
        inner: Inner,
    }

    #[derive(serde::Serialize, JsonSchema)]
    #[serde(rename_all = "lowercase")]
    #[expect(dead_code, reason = "only its schema is read")]
    enum Way {
        /// The quick one.
        Quick,
    }

    #[derive(Default, JsonSchema)]
    #[serde(default)]
    struct Inner {
        /// Whether at all.
        on: bool,
    }

    #[test]
    fn each_setting_has_its_type_default_and_meaning_with_those_of_tables_behind_their_names() {
        let mut generator = SchemaGenerator::default();
        let schema = Settings::json_schema(&mut generator);
        let settings = settings(&schema, &generator);
        let told: Vec<(&str, &str, bool, &str)> = settings
            .iter()
            .map(|setting| (&*setting.name, &*setting.values, setting.required, &*setting.meaning))
            .collect();
        let span = "a length of time up to a year that may be zero, like \"250ms\"";
        let expected = [
            ("inner", "table", true, "The rest."),
            ("times", "whole number", true, "How often."),
            ("inner.on", "true or false", false, "Whether at all."),
            ("wait", span, false, "How long it waits."),
            ("ways", "list of \"quick\"", false, "In which ways."),
        ];
        assert_eq!(told, expected);
        let default = |name| settings.iter().find(|setting| setting.name == name).unwrap().default.clone();
        assert_eq!(
            ["inner.on", "wait", "ways"].map(default),
            [Some(false.into()), None, Some(Value::Array(Vec::new()))]
        );
        let ways = &settings.last().unwrap().words;
        assert_eq!((&*ways[0].word, &*ways[0].meaning), ("quick", "The quick one."));
    }
}
