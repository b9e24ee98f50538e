//! `meta`: where Personio says which values it dropped. Its shape on a create is not documented, so any
//! shape is read. This only names the warning; it never decides whether the employee was created.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::domain::{Employee, Warning};

/// Keys under which a message may name its attribute.
const NAMING_KEYS: [&str; 4] = ["field", "attribute", "key", "name"];

/// What Personio always takes, so that a message cannot be about its loss.
const ALWAYS_TAKEN: [&str; 3] = ["email", "first_name", "last_name"];

/// The longest message that is kept, in characters.
const LONGEST_MESSAGE: usize = 500;

/// What `meta` says about the values that were sent: one warning an attribute, and one a message that
/// names none.
pub(super) fn warnings(meta: &Value, sent: &Employee) -> Vec<Warning> {
    let mut found = Found { sent, dropped: BTreeSet::new(), said: Vec::new() };
    found.walk(meta);
    let dropped =
        found.dropped.into_iter().map(|name| Warning::about("dropped", name, sent.value(name).cloned()));
    let said = found.said.into_iter().map(|text| Warning {
        code: "personio_said".to_owned(),
        field: None,
        sent: Some(text.into()),
        options: Vec::new(),
        line: None,
    });
    dropped.chain(said).collect()
}

struct Found<'a> {
    sent: &'a Employee,
    dropped: BTreeSet<&'a str>,
    said: Vec<String>,
}

impl<'a> Found<'a> {
    fn walk(&mut self, meta: &Value) {
        match meta {
            Value::String(text) if !text.trim().is_empty() => self.hear(text),
            Value::Array(list) => list.iter().for_each(|item| self.walk(item)),
            Value::Object(object) => self.walk_object(object),
            _ => {}
        }
    }

    /// `{"department": "…"}`, `{"field": "department", …}`, or something that holds such.
    fn walk_object(&mut self, object: &Map<String, Value>) {
        let named = NAMING_KEYS.iter().find_map(|key| self.attribute(object.get(*key)?.as_str()?));
        if let Some(name) = named {
            self.dropped.insert(name);
            return;
        }
        for (key, value) in object {
            match self.attribute(key) {
                Some(name) if !is_empty(value) => _ = self.dropped.insert(name),
                Some(_) => {}
                None => self.walk_under(key, value),
            }
        }
    }

    /// What is said under a key that is no attribute's own name may be about what the key says: `{"Department": "…"}`.
    fn walk_under(&mut self, key: &str, value: &Value) {
        let Value::Array(said) = value else { return self.walk_item(key, value) };
        for item in said {
            self.walk_item(key, item);
        }
    }

    fn walk_item(&mut self, key: &str, item: &Value) {
        match item {
            Value::String(text) if !text.trim().is_empty() => self.hear(&format!("{key}: {text}")),
            item => self.walk(item),
        }
    }

    /// The sent attribute of exactly this name, also as `employee.department`.
    fn attribute(&self, name: &str) -> Option<&'a str> {
        let name = name.rsplit('.').next().unwrap_or(name);
        self.sent.attributes().map(|(known, _)| known).find(|known| *known == name)
    }

    /// A message names an attribute by its name or, in another language, by the value that was sent.
    fn hear(&mut self, text: &str) {
        let spoken = words(text);
        let candidates = || self.sent.attributes().filter(|(name, _)| !ALWAYS_TAKEN.contains(name));
        let mut about: Vec<&str> =
            candidates().map(|(name, _)| name).filter(|name| spoken.contains(&words(name))).collect();
        if about.is_empty() {
            let says = |value: &Value| value.as_str().is_some_and(|value| contains(&spoken, value));
            about = candidates().filter(|(_, value)| says(value)).map(|(name, _)| name).collect();
        }
        if about.is_empty() {
            self.said.push(text.chars().take(LONGEST_MESSAGE).collect());
        }
        self.dropped.extend(about);
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(object) => object.is_empty(),
        _ => false,
    }
}

/// The text in lower case with one space around each word, so that whole words can be found in it.
fn words(text: &str) -> String {
    let mut words = String::from(" ");
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        words.push_str(&word.to_lowercase());
        words.push(' ');
    }
    words
}

fn contains(spoken: &str, value: &str) -> bool {
    let value = words(value);
    value.trim().chars().count() > 1 && spoken.contains(&value)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sent() -> Employee {
        let mut employee = Employee::default();
        employee.set("email", json!("mia@example.org"));
        employee.set("first_name", json!("Mia"));
        employee.set("department", json!("Engineering"));
        employee.set("office", json!("Berlin"));
        employee.set("dynamic_4711", json!("XL"));
        employee
    }

    fn named(meta: &Value) -> Vec<String> {
        let warnings = warnings(meta, &sent());
        warnings.into_iter().map(|warning| warning.field.unwrap_or(warning.code)).collect()
    }

    #[test]
    fn each_shape_names_the_attribute() {
        let shapes = [
            json!(["Department 'Engineering' does not exist"]),
            json!(["Die Abteilung „Engineering“ wurde nicht gefunden."]),
            json!({"department": "does not exist"}),
            json!({"department": ["does not exist"]}),
            json!({"errors": {"employee.department": ["unbekannt"]}}),
            json!([{"field": "department", "message": "unknown"}]),
            json!({"warnings": [{"attribute": "department", "code": 12}]}),
            json!("Could not set department of mia@example.org"),
            json!({"Department": "does not exist"}),
            json!({"ignored": {"Department": ["unbekannt"]}}),
        ];
        for meta in shapes {
            assert_eq!(named(&meta), ["department"], "{meta}");
        }
        let several = json!({"errors": {"department": "?", "office": "?", "dynamic_4711": {"code": 1}}});
        assert_eq!(named(&several), ["department", "dynamic_4711", "office"]);
    }

    #[test]
    fn a_warning_carries_what_was_sent() {
        let warnings = warnings(&json!(["unknown office"]), &sent());
        assert_eq!(warnings, [Warning::about("dropped", "office", Some(json!("Berlin")))]);
    }

    #[test]
    fn nothing_said_is_no_warning() {
        for meta in [json!(null), json!([]), json!({}), json!(""), json!({"department": [], "office": null})]
        {
            assert!(warnings(&meta, &sent()).is_empty(), "{meta}");
        }
    }

    #[test]
    fn a_message_that_names_no_attribute_is_kept() {
        let warnings = warnings(&json!({"messages": ["Ein Wert wurde ignoriert (Engineers)"]}), &sent());
        assert_eq!(warnings.len(), 1);
        assert_eq!((warnings[0].code.as_str(), &warnings[0].field), ("personio_said", &None));
        assert_eq!(warnings[0].sent, Some(json!("messages: Ein Wert wurde ignoriert (Engineers)")));
    }
}
