//! Ashby's custom fields. An item tells no type: `{title, value, valueLabel?}`, where the value may be a
//! flag, a number, a text, texts, an amount of money or a range.

use serde_json::Value;

use crate::domain::facts::CUSTOM;
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
        let Some((title, parts)) = plain else {
            notes.push(format!("custom_field_left_out:{owner}[{index}]"));
            continue;
        };
        // An equal title that came before, from what is closer to the hire, keeps all its parts.
        if facts.value(&format!("{CUSTOM}{}", title.trim())).is_none() {
            for (part, value) in parts {
                facts.put_custom(&format!("{}{part}", title.trim()), value);
            }
        }
    }
}

/// A custom field's value as text, number, boolean or list, with what belongs to it under its title and
/// a suffix. `None` if the value is of no documented kind.
fn plain(field: &Value) -> Option<Vec<(&'static str, Value)>> {
    let value = &field["value"];
    match &field["valueLabel"] {
        label @ Value::String(_) => return Some(vec![("", label.clone())]),
        label @ Value::Array(_) if is_texts(label) => return Some(vec![("", label.clone())]),
        _ => {}
    }
    match value {
        Value::Array(_) => is_texts(value).then(|| vec![("", value.clone())]),
        Value::Object(_) if value.get("type").is_some() => range(value),
        Value::Object(_) => {
            let amount = value.get("value").filter(|amount| amount.is_number() || amount.is_null())?;
            Some(vec![("", amount.clone()), (" (currency)", value["currencyCode"].clone())])
        }
        plain => Some(vec![("", plain.clone())]),
    }
}

/// `number-range` and `compensation-range`: `50000 - 60000 EUR`, and each part by itself.
fn range(value: &Value) -> Option<Vec<(&'static str, Value)>> {
    if !["number-range", "compensation-range"].contains(&value["type"].as_str()?) {
        return None;
    }
    let (least, most) = (&value["minValue"], &value["maxValue"]);
    let currency = value["currencyCode"].as_str();
    let both = least.is_number() && most.is_number();
    let words =
        both.then(|| format!("{least} - {most} {}", currency.unwrap_or_default()).trim_end().to_owned());
    Some(vec![
        ("", words.into()),
        (" (min)", least.clone()),
        (" (max)", most.clone()),
        (" (currency)", currency.into()),
        (" (interval)", value["interval"].clone()),
    ])
}

fn is_texts(value: &Value) -> bool {
    value.as_array().is_some_and(|items| items.iter().all(Value::is_string))
}
