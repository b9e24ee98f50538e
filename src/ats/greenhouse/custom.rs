//! Greenhouse's custom fields: `{key: {name, type, value}}`, where a field's key stays as it was made, whatever it is
//! called later. Source: <https://developers.greenhouse.io/webhooks.html#custom-fields>.

use serde_json::{Map, Value};

use super::super::custom::{self, Parts, is_texts, number};
use super::super::is_id;
use crate::domain::{Facts, Note};

/// Notes the custom fields of these owners, closest to the hire first, under their names, and under their keys where
/// no field has that for a name. What is not as documented is left out, and its place is told.
pub(super) fn put_custom_fields(owners: &[(&str, &Value)], facts: &mut Facts, notes: &mut Vec<Note>) {
    let mut by_key = Vec::new();
    for (owner, fields) in owners {
        for (key, field) in listed(owner, fields, notes).into_iter().flatten() {
            let named = field["name"].as_str().filter(|name| !name.trim().is_empty());
            let Some((name, parts)) = named.zip(parts(field)) else {
                let key = if is_id(key) { key } else { "unnamed" };
                notes.push(format!("custom_field_left_out:{owner}.{key}"));
                continue;
            };
            custom::put(facts, name, parts.clone());
            by_key.push((key, parts));
        }
    }
    for (key, parts) in by_key {
        custom::put(facts, key, parts);
    }
}

/// The fields: an empty list, as Greenhouse writes it where there are none, is none.
fn listed<'a>(owner: &str, fields: &'a Value, notes: &mut Vec<Note>) -> Option<&'a Map<String, Value>> {
    let none = fields.is_null() || fields.as_array().is_some_and(Vec::is_empty);
    if !none && !fields.is_object() {
        notes.push(format!("custom_field_left_out:{owner}"));
    }
    fields.as_object()
}

/// The offer's salary, if it is where Greenhouse's example has it: amount and currency.
pub(super) fn salary(offer: &Value) -> Option<(&Value, &Value)> {
    let salary = offer.get("salary").filter(|field| field["type"] == "currency")?;
    let (amount, unit) = (&salary["value"]["amount"], &salary["value"]["unit"]);
    number(amount).is_some().then_some((amount, unit))
}

/// A custom field's value, with what belongs to it. `None` if it is not of the documented kind.
fn parts(field: &Value) -> Option<Parts> {
    let value = &field["value"];
    if value.is_null() {
        return Some(Vec::new());
    }
    match field["type"].as_str()? {
        "short_text" | "long_text" | "single_select" | "url" | "date" => {
            value.is_string().then(|| custom::one(value))
        }
        "boolean" => value.is_boolean().then(|| custom::one(value)),
        "number" => number(value).map(|_| custom::one(value)),
        "multi_select" => is_texts(value).then(|| custom::one(value)),
        "currency" => money(field),
        "currency_range" | "number_range" => {
            let (least, most) = (&value["min_value"], &value["max_value"]);
            let fits = |end: &Value| end.is_null() || number(end).is_some();
            (value.is_object() && fits(least) && fits(most))
                .then(|| custom::range(least, most, &value["unit"]))
        }
        "user" => value["name"].is_string().then(|| {
            let part = |suffix, of: &str| (suffix, value[of].clone());
            vec![part("", "name"), part(" (email)", "email"), part(" (employee id)", "employee_id")]
        }),
        _ => None,
    }
}

/// An amount; one that is marked as compensation says more of itself.
fn money(field: &Value) -> Option<Parts> {
    let value = &field["value"];
    let amount = value.get("amount").filter(|amount| amount.is_null() || number(amount).is_some())?;
    let mut parts = custom::money(amount, &value["unit"]);
    for (suffix, of) in [(" (type)", "compensation_type"), (" (frequency)", "frequency")] {
        parts.push((suffix, field[of].clone()));
    }
    Some(parts)
}
