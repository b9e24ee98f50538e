//! Ashby's custom fields. An item tells no type: `{title, value, valueLabel?}`, where the value may be a
//! flag, a number, a text, texts, an amount of money or a range.

use serde_json::Value;

use super::super::custom::{self, Parts, is_texts};
use crate::domain::{Facts, Note};

/// Notes custom fields under their titles. A kind of value that Ashby does not document today must not
/// hold every hire: it is left out, and its place is told.
pub(super) fn put_custom_fields(
    owner: &str,
    fields: Option<&[Value]>,
    facts: &mut Facts,
    notes: &mut Vec<Note>,
) {
    for (index, field) in fields.into_iter().flatten().enumerate() {
        let plain = field["title"].as_str().filter(|title| !title.trim().is_empty()).zip(plain(field));
        match plain {
            Some((title, parts)) => custom::put(facts, title, parts),
            None => notes.push(format!("custom_field_left_out:{owner}[{index}]")),
        }
    }
}

/// A custom field's value as text, number, boolean or list, with what belongs to it. `None` if the value is of no
/// documented kind.
fn plain(field: &Value) -> Option<Parts> {
    let value = &field["value"];
    match &field["valueLabel"] {
        label @ Value::String(_) => return Some(custom::one(label)),
        label @ Value::Array(_) if is_texts(label) => return Some(custom::one(label)),
        _ => {}
    }
    match value {
        Value::Array(_) => is_texts(value).then(|| custom::one(value)),
        Value::Object(_) if value.get("type").is_some() => range(value),
        Value::Object(_) => {
            let amount = value.get("value").filter(|amount| amount.is_number() || amount.is_null())?;
            Some(custom::money(amount, &value["currencyCode"]))
        }
        plain => Some(custom::one(plain)),
    }
}

/// `number-range` and `compensation-range`.
fn range(value: &Value) -> Option<Parts> {
    if !["number-range", "compensation-range"].contains(&value["type"].as_str()?) {
        return None;
    }
    let mut parts = custom::range(&value["minValue"], &value["maxValue"], &value["currencyCode"]);
    parts.push((" (interval)", value["interval"].clone()));
    Some(parts)
}
