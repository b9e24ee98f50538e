//! An employee as Personio shows it: wrapped attributes made plain, and compared with what was sent.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::Value;

use crate::domain::employee::{Shape, shape_of};

/// An employee, as far as the credential may read it.
#[derive(Clone, PartialEq)]
pub struct Person {
    /// The id.
    pub id: u64,
    /// `onboarding`, `active`, `leave` or `inactive`.
    pub status: Option<String>,
    /// Attribute → plain value: names instead of objects, dates without a time, numbers as numbers; `null`
    /// for an empty one. An attribute that the credential may not read is not there.
    pub values: BTreeMap<String, Value>,
}

/// How an attribute shows what was sent for it.
#[derive(Clone, PartialEq)]
pub enum Shown {
    /// As it was sent.
    Same,
    /// As something else.
    Other(Value),
    /// Empty.
    Empty,
    /// Not at all: the credential may not read this attribute.
    Hidden,
}

impl Person {
    /// Reads `{"type": "Employee", "attributes": {…}}`; `None` if there is no id.
    pub(super) fn read(mut data: Value) -> Option<Self> {
        let Value::Object(attributes) = data.get_mut("attributes")?.take() else { return None };
        let mut values: BTreeMap<_, _> = attributes.into_iter().map(plain_attribute).collect();
        if let Some(supervisor) = values.get("supervisor") {
            // Empty is known as well: then a supervisor who was sent did not arrive.
            let supervisor = supervisor.as_u64().map_or(Value::Null, Value::from);
            values.insert("supervisor_id".to_owned(), supervisor);
        }
        let id = id(values.get("id")?)?;
        let status = values.get("status").and_then(Value::as_str).map(str::to_owned);
        Some(Self { id, status, values })
    }

    /// Whether Personio counts the employee among those who have left.
    pub fn is_inactive(&self) -> bool {
        self.status.as_deref() == Some("inactive")
    }

    /// How the attribute shows the value that was sent for it.
    pub fn shows(&self, attribute: &str, sent: &Value) -> Shown {
        match self.values.get(attribute) {
            None => Shown::Hidden,
            Some(shown) if same(sent, shown) || (attribute == "email" && same_address(sent, shown)) => {
                Shown::Same
            }
            Some(Value::Null) => Shown::Empty,
            Some(other) => Shown::Other(other.clone()),
        }
    }

    /// Whether this is who has the address, as far as can be seen: Personio may hide it.
    pub(super) fn may_have(&self, email: &str) -> Option<bool> {
        let shown = self.values.get("email")?.as_str().unwrap_or_default();
        Some(shown.trim().to_lowercase() == email.trim().to_lowercase())
    }
}

/// Id and status only: everything else is personal.
impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Person({} {})", self.id, self.status.as_deref().unwrap_or("-"))
    }
}

/// The kind only: the value is personal.
impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Same => "Same",
            Self::Other(_) => "Other",
            Self::Empty => "Empty",
            Self::Hidden => "Hidden",
        })
    }
}

/// An id, as a number or as digits.
pub(super) fn id(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

/// `{"label": …, "value": …, "type": …, "universal_id": …}` → the plain value.
fn plain_attribute((key, mut wrapped): (String, Value)) -> (String, Value) {
    let is_date = wrapped["type"] == "date" || shape_of(&key) == Some(Shape::Date);
    let value = plain(wrapped.get_mut("value").map(Value::take).unwrap_or_default());
    let value = match value {
        Value::String(text) if text.is_empty() => Value::Null,
        Value::Array(list) if list.is_empty() => Value::Null,
        Value::String(text) if is_date => date_part(&text).into(),
        Value::String(text) if shape_of(&key) == Some(Shape::Number) => {
            text.trim().parse::<f64>().map_or(Value::String(text), Value::from)
        }
        value => value,
    };
    (key, value)
}

/// An object stands for its name (department, office …) or, without one, for its id (supervisor).
fn plain(value: Value) -> Value {
    match value {
        Value::Object(mut object) => match object.get_mut("attributes") {
            Some(attributes) => named(attributes),
            None => Value::Object(object),
        },
        Value::Array(list) => list.into_iter().map(plain).collect(),
        value => value,
    }
}

fn named(attributes: &mut Value) -> Value {
    match attributes.get_mut("name") {
        Some(name) => name.take(),
        None => unwrapped(attributes["id"].take()),
    }
}

/// The supervisor's own attributes are wrapped once more.
fn unwrapped(mut value: Value) -> Value {
    match value.get_mut("value") {
        Some(inner) => inner.take(),
        None => value,
    }
}

/// The calendar date as Personio wrote it: no time zone is applied.
fn date_part(text: &str) -> &str {
    text.get(..10).filter(|date| date.parse::<jiff::civil::Date>().is_ok()).unwrap_or(text)
}

/// Whether two values are the same to a person: `40` and `"40.0"`, or tags in another order and notation.
fn same(sent: &Value, shown: &Value) -> bool {
    match (sent, shown) {
        _ if sent == shown => true,
        (Value::Number(_), _) | (_, Value::Number(_)) => {
            number(sent).zip(number(shown)).is_some_and(|(a, b)| (a - b).abs() < 1e-9)
        }
        (Value::Array(_), _) | (_, Value::Array(_)) => tags(sent) == tags(shown),
        (Value::String(a), Value::String(b)) => {
            a.trim() == b.trim() || (is_list(b) && tags(sent) == tags(shown)) || same_set(a, b)
        }
        (Value::Bool(flag), Value::String(text)) | (Value::String(text), Value::Bool(flag)) => {
            text.eq_ignore_ascii_case(if *flag { "true" } else { "false" })
        }
        _ => false,
    }
}

/// Whether Personio keeps the case of an address is not documented.
fn same_address(sent: &Value, shown: &Value) -> bool {
    sent.as_str().zip(shown.as_str()).is_some_and(|(a, b)| a.to_lowercase() == b.to_lowercase())
}

fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.trim().parse().ok())
}

fn is_list(text: &str) -> bool {
    text.trim_start().starts_with('[')
}

/// The same tags, separated by commas, in another order.
fn same_set(a: &str, b: &str) -> bool {
    a.contains(',') && b.contains(',') && split(a) == split(b)
}

/// Tags come as a list, as a list inside a string, or separated by commas.
fn tags(value: &Value) -> BTreeSet<String> {
    match value {
        Value::Array(list) => {
            list.iter().filter_map(Value::as_str).map(|tag| tag.trim().to_owned()).collect()
        }
        Value::String(text) if is_list(text) => serde_json::from_str(text)
            .map_or_else(|_| split(text), |list: Vec<String>| list.into_iter().collect()),
        Value::String(text) => split(text),
        _ => BTreeSet::new(),
    }
}

fn split(text: &str) -> BTreeSet<String> {
    text.split(',').map(|tag| tag.trim().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn person() -> Person {
        let wrap = |value: Value, kind: &str| json!({"label": "L", "value": value, "type": kind});
        let office = json!({"type": "Office", "attributes": {"id": 131_014, "name": "Munich"}});
        let supervisor = json!({"type": "Employee", "attributes": {"id": wrap(json!(7), "integer")}});
        let data = json!({"type": "Employee", "attributes": {
            "id": wrap(json!(81723), "integer"),
            "status": wrap(json!("onboarding"), "standard"),
            "email": wrap(json!("Mia@Example.org"), "standard"),
            "office": wrap(office, "standard"),
            "supervisor": wrap(supervisor, "standard"),
            "department": wrap(json!(null), "standard"),
            "hire_date": wrap(json!("2027-01-01T00:00:00+01:00"), "date"),
            "weekly_working_hours": wrap(json!("40"), "decimal"),
            "dynamic_1": wrap(json!("2027-02-01T23:30:00-08:00"), "date"),
            "dynamic_2": wrap(json!("[\"English\",\"German\"]"), "tags"),
            "dynamic_3": wrap(json!(""), "standard"),
        }});
        Person::read(data).expect("a person")
    }

    #[test]
    fn wrapped_attributes_become_plain_values() {
        let person = person();
        assert_eq!((person.id, person.status.as_deref()), (81723, Some("onboarding")));
        let value = |name: &str| person.values.get(name).cloned();
        assert_eq!(value("office"), Some(json!("Munich")));
        assert_eq!(value("supervisor_id"), Some(json!(7)));
        let alone = json!({"attributes": {"id": {"value": 1}, "supervisor": {"value": null}}});
        let alone = Person::read(alone).expect("a person");
        assert!(
            alone.shows("supervisor_id", &json!(7)) == Shown::Empty,
            "dropped, and not merely unreadable"
        );
        assert_eq!(value("hire_date"), Some(json!("2027-01-01")));
        assert_eq!(value("dynamic_1"), Some(json!("2027-02-01")), "no time zone is applied");
        assert_eq!(value("weekly_working_hours"), Some(json!(40.0)));
        assert_eq!(value("dynamic_3"), Some(json!(null)));
    }

    #[test]
    fn what_arrived_is_told_from_what_was_dropped_and_what_cannot_be_seen() {
        let person = person();
        assert_eq!(person.shows("office", &json!("Munich")), Shown::Same);
        assert_eq!(person.shows("office", &json!("Berlin")), Shown::Other(json!("Munich")));
        assert_eq!(person.shows("department", &json!("Engineering")), Shown::Empty);
        assert_eq!(person.shows("subcompany", &json!("Acme")), Shown::Hidden);
        assert_eq!(person.shows("weekly_working_hours", &json!(40)), Shown::Same);
        assert_eq!(person.shows("weekly_working_hours", &json!(38.5)), Shown::Other(json!(40.0)));
        assert_eq!(person.shows("dynamic_2", &json!("German,English")), Shown::Same);
        assert_eq!(
            person.shows("dynamic_2", &json!(["German"])),
            Shown::Other(person.values["dynamic_2"].clone())
        );
    }

    #[test]
    fn addresses_are_compared_without_regard_to_case() {
        assert_eq!(person().may_have("mia@example.org"), Some(true));
        assert_eq!(person().may_have("mia2@example.org"), Some(false));
    }

    #[test]
    fn debug_shows_nothing_personal() {
        assert_eq!(format!("{:?}", person()), "Person(81723 onboarding)");
        assert_eq!(format!("{:?}", Shown::Other(json!("Munich"))), "Other");
    }
}
