//! What arrived against what was sent: Personio answers 200 and drops names that it does not know.

use serde_json::Value;

use crate::domain::employee::normalised_email;
use crate::domain::{Employee, Warning};

/// What became of the values that were sent.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Difference {
    /// Values that are not in Personio as they were sent.
    pub(super) warnings: Vec<Warning>,
    /// Attributes that the credential may not read, so that nobody can say.
    pub(super) unread: Vec<String>,
}

/// Compares each sent attribute with the one that Personio shows. `shown` gives `None` for an attribute
/// that is not in its answer at all.
pub(super) fn compare<'a>(sent: &Employee, shown: impl Fn(&str) -> Option<&'a Value>) -> Difference {
    let mut difference = Difference::default();
    for (attribute, value) in sent.attributes() {
        match shown(attribute) {
            None => difference.unread.push(attribute.to_owned()),
            Some(found) if is_empty(found) => {
                difference.warnings.push(Warning::about("dropped", attribute, Some(value.clone())));
            }
            Some(found) if same(attribute, value, found) => {}
            Some(_) => difference.warnings.push(Warning::about("changed", attribute, Some(value.clone()))),
        }
    }
    difference
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

/// Whether two values say the same: numbers may be text, dates may carry a time, lists may be joined.
fn same(attribute: &str, sent: &Value, found: &Value) -> bool {
    let (sent, found) = (plain(sent), plain(found));
    if attribute == "email" {
        return normalised_email(&sent) == normalised_email(&found) || sent.eq_ignore_ascii_case(&found);
    }
    let numbers = sent.parse::<f64>().ok().zip(found.parse::<f64>().ok());
    let same_number = numbers.is_some_and(|(a, b)| (a - b).abs() < 1e-9);
    let same_day = is_date(&sent) && found.strip_prefix(sent.as_str()).is_some_and(|rest| rest.starts_with('T'));
    sent == found || same_number || same_day || list(&sent) == list(&found)
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

fn is_date(text: &str) -> bool {
    text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok()
}

fn list(text: &str) -> Vec<&str> {
    text.split(',').map(str::trim).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;

    fn difference(sent: Value, shown: &Value) -> Difference {
        let sent: Map<String, Value> = serde_json::from_value(sent).expect("an object");
        compare(&Employee::from(sent), |name| shown.get(name))
    }

    #[test]
    fn the_same_value_in_personios_own_shape_is_no_warning() {
        let sent = json!({"email": "mia@example.org", "hire_date": "2027-01-01", "weekly_working_hours": 40,
            "office": "Berlin", "custom_attributes": {"dynamic_1": "a, b"}});
        let shown = json!({"email": "Mia@example.org", "hire_date": "2027-01-01T00:00:00+01:00",
            "weekly_working_hours": "40", "office": "Berlin", "dynamic_1": ["a", "b"]});
        assert_eq!(difference(sent, &shown), Difference::default());
    }

    #[test]
    fn dropped_and_changed_values_are_named() {
        let sent = json!({"department": "Enginering", "office": "Berlin", "last_name": "Beispiel"});
        let shown = json!({"department": null, "office": "Munich"});
        let found = difference(sent, &shown);
        let codes: Vec<_> =
            found.warnings.iter().map(|w| (w.code.as_str(), w.field.as_deref().unwrap_or_default())).collect();
        assert_eq!(codes, [("dropped", "department"), ("changed", "office")]);
        assert_eq!(found.warnings[0].sent, Some(json!("Enginering")));
        assert_eq!(found.unread, ["last_name"]);
    }
}
