//! The JSON Schema of the configuration file, for editors: made from what `default.toml` says of every key.

use serde_json::{Map, Value as Json, json};
use toml::Value;

use super::manual::{Entry, MANUAL, NAME};
use crate::ats;

/// Keys that are one of a few words.
const WORDS: &[(&str, &[&str])] = &[
    ("log.format", &["json", "text"]),
    ("log.level", &["error", "warn", "info", "debug", "trace"]),
    ("notices.language", &["en", "de"]),
    ("notices.email.mode", &["each", "digest"]),
    ("sources.NAME.name_split", &["send", "review"]),
    ("sources.NAME.signature.outer", &["base64"]),
    ("sources.NAME.signature.encoding", &["hex", "base64"]),
    ("sources.NAME.signature.algorithm", &["hmac_sha256", "ed25519"]),
    ("sources.NAME.signature.key", &["text", "hex", "base64", "whsec"]),
    ("sources.NAME.signature.unit", &["s", "ms"]),
    ("mapping.fields.NAME.unknown", &["hold", "send"]),
    ("operators.role", &["viewer", "sender", "admin"]),
];

/// Keys that are one text or several.
const TEXTS: &[&str] = &[
    "ignore.is",
    "ignore.is_not",
    "ignore.like",
    "outbound.allow",
    "sources.NAME.delivery.application",
    "sources.NAME.facts.NAME",
];

/// Where each key is a category, or a table with one.
const DOCUMENTS: &str = "sources.NAME.documents";

/// Keys that take any value, whatever the example is.
const ANY: &[&str] = &["mapping.fields.NAME.const", "mapping.fields.NAME.default"];

/// The schema, in the draft that editors for TOML know.
///
/// Nothing is required in it, since everything may come from the environment.
pub fn schema() -> Json {
    let mut root = Section::default();
    for entry in MANUAL.iter() {
        root.add(entry);
    }
    let mut schema = root.json();
    let mapping = json!({ "$ref": "#/properties/mapping" });
    if let Some(source) = schema.pointer_mut("/properties/sources/additionalProperties/properties") {
        source["mapping"] = mapping;
        source["ignore"] = json!({ "$ref": "#/properties/ignore" });
    }
    let about = [
        ("$schema", json!("http://json-schema.org/draft-07/schema#")),
        ("title", json!("hirebridge's configuration")),
        ("definitions", json!({ "secret": secret() })),
    ];
    let mut whole: Map<_, _> = about.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    whole.extend(schema.as_object().cloned().unwrap_or_default());
    Json::Object(whole)
}

/// Keys, and sections under them.
#[derive(Default)]
struct Section {
    keys: Map<String, Json>,
    sections: Vec<(String, Section)>,
    listed: bool,
}

impl Section {
    fn add(&mut self, entry: &Entry) {
        let mut section = self;
        for name in entry.section.split('.').filter(|name| !name.is_empty()) {
            let known = section.sections.iter().position(|(known, _)| known == name);
            let at = known.unwrap_or_else(|| {
                section.sections.push((name.to_owned(), Self::default()));
                section.sections.len() - 1
            });
            section = &mut section.sections[at].1;
        }
        section.listed = entry.listed;
        section.keys.insert(entry.key.clone(), described(entry));
    }

    fn json(&self) -> Json {
        let mut known = self.keys.clone();
        for (name, section) in &self.sections {
            // A key that may be a table as well has both.
            let section = section.json();
            match known.get_mut(name) {
                Some(value) => *value = either(value, &section),
                None => drop(known.insert(name.clone(), section)),
            }
        }
        let others = known.remove(NAME).unwrap_or(json!(false));
        let table = json!({ "type": "object", "additionalProperties": others, "properties": known });
        if self.listed { json!({ "type": "array", "items": table }) } else { table }
    }
}

fn either(value: &Json, table: &Json) -> Json {
    let (mut value, mut both) = (value.clone(), Map::new());
    if let Some(description) = value.as_object_mut().and_then(|value| value.remove("description")) {
        both.insert("description".to_owned(), description);
    }
    both.insert("anyOf".to_owned(), json!([value, table]));
    Json::Object(both)
}

fn described(entry: &Entry) -> Json {
    let mut schema = typed(entry);
    schema["description"] = json!(entry.sentence);
    if entry.has_default {
        schema["default"] = json!(entry.value);
    }
    schema
}

fn typed(entry: &Entry) -> Json {
    let name = entry.name();
    if ANY.contains(&name.as_str()) {
        return json!({});
    }
    let own = shape(entry);
    if entry.section == DOCUMENTS {
        return json!({ "type": ["string", "integer", "object"] });
    }
    // Everything but a rule may be kept elsewhere, secret or not.
    let is_rule = ["mapping.", "ignore."].iter().any(|rules| name.starts_with(rules));
    if is_rule { own } else { json!({ "anyOf": [own, elsewhere()] }) }
}

fn shape(entry: &Entry) -> Json {
    let name = entry.name();
    if name == "sources.NAME.kind" {
        return json!({ "enum": ats::kinds().collect::<Vec<_>>() });
    }
    if let Some((_, words)) = WORDS.iter().find(|(key, _)| *key == name) {
        return json!({ "enum": words });
    }
    if TEXTS.contains(&name.as_str()) {
        return json!({ "type": ["string", "array"], "items": { "type": "string" } });
    }
    if name == "ignore.and" {
        return json!({ "$ref": "#/properties/ignore" });
    }
    match &entry.value {
        Value::Boolean(_) => json!({ "type": "boolean" }),
        Value::Integer(_) => json!({ "type": "integer", "minimum": 0 }),
        Value::Float(_) => json!({ "type": "number" }),
        Value::String(_) if entry.key == "body_limit" => json!({ "type": ["string", "integer"] }),
        Value::Array(_) if entry.is_secret() => {
            json!({ "type": "array", "items": { "anyOf": [{ "type": "string" }, elsewhere()] } })
        }
        Value::Array(items) if items.iter().all(Value::is_str) => {
            json!({ "type": "array", "items": { "type": "string" } })
        }
        Value::Array(_) => json!({ "type": "array" }),
        Value::Table(_) if !entry.is_secret() => json!({ "type": "object" }),
        Value::String(_) | Value::Table(_) | Value::Datetime(_) => json!({ "type": "string" }),
    }
}

fn elsewhere() -> Json {
    json!({ "$ref": "#/definitions/secret" })
}

fn secret() -> Json {
    let one = |key: &str, description: &str| {
        json!({
            "type": "object", "required": [key], "additionalProperties": false,
            "properties": { key: { "type": "string", "description": description } },
        })
    };
    json!({ "anyOf": [
        one("env", "The environment variable that it is in."),
        one("file", "The file that it is in; relative to this file, else to $CREDENTIALS_DIRECTORY."),
    ] })
}
