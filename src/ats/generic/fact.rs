//! A fact and the places where it may be.

use serde_json::{Value, json};
use serde_json_path::JsonPath;

use super::super::Misread;
use super::test::word;
use crate::domain::Facts;
use crate::domain::facts::{CUSTOM, Kind, NAMES};

/// Every member of an object is a custom field.
const ALL_CUSTOM: &str = "custom.*";

/// A fact and where it is.
pub(super) struct Fact {
    name: Name,
    /// The first place that has something counts; for all custom fields, every place does.
    paths: Vec<JsonPath>,
}

enum Name {
    Known(&'static str, Kind),
    Custom(String),
    AllCustom,
}

impl Fact {
    /// A fact of this name; none if there is no such fact.
    pub(super) fn new(name: &str, paths: Vec<JsonPath>) -> Option<Self> {
        let name = if name == ALL_CUSTOM {
            Name::AllCustom
        } else if let Some(title) = name.strip_prefix(CUSTOM) {
            Name::Custom(Some(title).filter(|title| !title.trim().is_empty())?.to_owned())
        } else {
            let (name, kind) = NAMES.iter().find(|(known, _)| *known == name)?;
            Name::Known(name, *kind)
        };
        Some(Self { name, paths })
    }

    /// Whether the facts of one title each go before all that an object has.
    pub(super) fn comes_last(&self) -> bool {
        matches!(self.name, Name::AllCustom)
    }

    /// Notes the fact if the payload has it.
    pub(super) fn note(&self, payload: &Value, facts: &mut Facts) -> Result<(), Misread> {
        for path in &self.paths {
            let found: Vec<_> = path.query(payload).all();
            let found: Vec<_> = found.into_iter().filter(|value| !value.is_null() && **value != "").collect();
            if found.is_empty() {
                continue;
            }
            let misread = || Misread::at(path.to_string());
            match &self.name {
                Name::AllCustom => {
                    put_members(&found, facts).ok_or_else(misread)?;
                    continue;
                }
                Name::Custom(title) => facts.put_custom(title, together(&found)),
                Name::Known(name, kind) => facts.put(name, fitting(*kind, &found).ok_or_else(misread)?),
            }
            break;
        }
        Ok(())
    }
}

fn put_members(found: &[&Value], facts: &mut Facts) -> Option<()> {
    for object in found {
        for (title, value) in object.as_object()? {
            facts.put_custom(title, value.clone());
        }
    }
    Some(())
}

fn together(found: &[&Value]) -> Value {
    match found {
        [one] => (*one).clone(),
        several => several.iter().map(|value| (*value).clone()).collect(),
    }
}

/// What was found as a value of this kind; none if it cannot be one.
fn fitting(kind: Kind, found: &[&Value]) -> Option<Value> {
    let first = found.first()?;
    match kind {
        Kind::Text => text(first),
        Kind::Date => first.is_string().then(|| (*first).clone()),
        Kind::Number => {
            let numeric = first.as_str().is_some_and(|text| text.trim().parse::<f64>().is_ok());
            (first.is_number() || numeric).then(|| (*first).clone())
        }
        Kind::List => items(found).map(text).collect(),
        Kind::Emails => items(found).map(address).collect(),
    }
}

/// The items of lists, and what is none.
fn items<'v>(found: &'v [&'v Value]) -> impl Iterator<Item = &'v Value> {
    found.iter().flat_map(|value| match value {
        Value::Array(items) => items.iter().collect(),
        one => vec![*one],
    })
}

/// Ids are numbers at some senders.
fn text(value: &Value) -> Option<Value> {
    let is_plain = value.is_string() || value.is_i64() || value.is_u64();
    word(value).filter(|_| is_plain).map(|word| word.into_owned().into())
}

fn address(value: &Value) -> Option<Value> {
    match value {
        Value::String(address) => Some(json!({ "address": address })),
        Value::Object(fields) if fields.get("address").is_some_and(Value::is_string) => Some(value.clone()),
        _ => None,
    }
}
