//! The fields of a candidate's profile: `{kind, name?, values: […]}`. Each kind writes its values in a way of its own.

use serde_json::Value;

use super::super::custom::{self, Parts};
use crate::domain::{Facts, Note};

/// What they belong to.
const OWNER: &str = "candidate";

/// Notes what the fields say: gender and date of birth as facts of their own, the others under their names. A kind
/// that is not known must not hold a hire: it is left out, and its place is told.
pub(super) fn put_fields(fields: &[Value], facts: &mut Facts, notes: &mut Vec<Note>) {
    for (index, field) in fields.iter().enumerate() {
        let Some(kind) = field["kind"].as_str() else {
            notes.push(format!("custom_field_left_out:{OWNER}[{index}]"));
            continue;
        };
        let values = flat(&field["values"]);
        let first = values.first().copied();
        match kind {
            "gender" => facts.put("candidate.gender", first.map(|value| value["value"].clone())),
            "date_of_birth" => facts.put("candidate.birth_date", first.map(|value| value["date"].clone())),
            _ => match (field["name"].as_str(), parts(kind, &values)) {
                (Some(name), Some(parts)) if !name.trim().is_empty() => custom::put(facts, name, parts),
                _ => notes.push(format!("custom_field_left_out:{OWNER}[{index}]")),
            },
        }
    }
}

/// The values; some accounts show them in lists of lists.
fn flat(values: &Value) -> Vec<&Value> {
    match values {
        Value::Array(values) => values.iter().flat_map(flat).collect(),
        Value::Null => Vec::new(),
        value => vec![value],
    }
}

fn parts(kind: &str, values: &[&Value]) -> Option<Parts> {
    let key = match kind {
        "single_line" | "multi_line" => "text",
        "boolean" => "flag",
        "date" => "date",
        "nationality" => "country_code",
        "salary" => {
            let value = values.first()?;
            return Some(custom::money(&value["amount"], &value["currency"]));
        }
        _ => return None,
    };
    let mut known = values.iter().map(|value| &value[key]).filter(|value| !value.is_null());
    let first = known.next().unwrap_or(&Value::Null);
    let rest: Vec<_> = known.cloned().collect();
    let all = if rest.is_empty() { first.clone() } else { [vec![first.clone()], rest].concat().into() };
    Some(custom::one(&all))
}
