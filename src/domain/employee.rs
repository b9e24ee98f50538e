//! The employee that Personio would get: attribute → value, in Personio's own names.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// How a system attribute's value must look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Text on one line.
    Text,
    /// Text that may have line breaks, up to 2,000 characters.
    /// Source: <https://support.personio.de/hc/en-us/articles/208861829>.
    Lines,
    /// A calendar date, sent as `YYYY-MM-DD`.
    Date,
    /// A number.
    Number,
    /// A whole number.
    Integer,
    /// One of the attribute's options.
    Option,
    /// Several of the attribute's options.
    Tags,
    /// One of `male`, `female`, `diverse`.
    Gender,
    /// One of `onboarding`, `active`, `leave`, `inactive`.
    Status,
}

/// The system attributes that Personio takes when an employee is created, and their shapes.
///
/// Source: <https://developer.personio.de/reference/post_company-employees>.
pub const SYSTEM: &[(&str, Shape)] = &[
    ("email", Shape::Text),
    ("first_name", Shape::Text),
    ("last_name", Shape::Text),
    ("preferred_name", Shape::Text),
    ("gender", Shape::Gender),
    ("position", Shape::Text),
    ("subcompany", Shape::Text),
    ("department", Shape::Text),
    ("office", Shape::Text),
    ("hire_date", Shape::Date),
    ("weekly_working_hours", Shape::Number),
    ("status", Shape::Status),
    ("supervisor_id", Shape::Number),
];

/// The key under which Personio takes a company's own attributes.
pub const CUSTOM_ATTRIBUTES: &str = "custom_attributes";

/// The shape of a system attribute; `None` if Personio has no such attribute.
pub fn shape_of(attribute: &str) -> Option<Shape> {
    SYSTEM.iter().find(|(name, _)| *name == attribute).map(|(_, shape)| *shape)
}

/// Whether this names an attribute of the company's own: `dynamic_<number>`.
pub fn is_dynamic(attribute: &str) -> bool {
    attribute
        .strip_prefix("dynamic_")
        .is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}

/// Attribute → value. Serialises as Personio's body: system attributes at the top, the company's own
/// under `custom_attributes`.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(into = "Map<String, Value>", from = "Map<String, Value>")]
pub struct Employee(BTreeMap<String, Value>);

impl Employee {
    /// Sets an attribute; the mapping has checked name and value.
    pub fn set(&mut self, attribute: &str, value: Value) {
        self.0.insert(attribute.to_owned(), value);
    }

    /// The value of an attribute.
    pub fn value(&self, attribute: &str) -> Option<&Value> {
        self.0.get(attribute)
    }

    /// The e-mail address; empty text only in a plan that is not sendable.
    pub fn email(&self) -> &str {
        self.value("email").and_then(Value::as_str).unwrap_or_default()
    }

    /// All attributes with their values, system and own alike.
    pub fn attributes(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }
}

impl From<Employee> for Map<String, Value> {
    fn from(employee: Employee) -> Self {
        let (own, mut body): (Map<_, _>, Map<_, _>) =
            employee.0.into_iter().partition(|(name, _)| is_dynamic(name));
        if !own.is_empty() {
            body.insert(CUSTOM_ATTRIBUTES.to_owned(), Value::Object(own));
        }
        body
    }
}

impl From<Map<String, Value>> for Employee {
    fn from(mut body: Map<String, Value>) -> Self {
        if let Some(Value::Object(own)) = body.remove(CUSTOM_ATTRIBUTES) {
            body.extend(own);
        }
        Self(body.into_iter().collect())
    }
}

/// Attribute names only: values are personal.
impl fmt::Debug for Employee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// An e-mail address in the form in which two of them are compared: trimmed, lower-case, without a
/// `+tag`. Used only to notice that two hires may be one person, never to send.
pub fn normalised_email(address: &str) -> String {
    let address = address.trim().to_lowercase();
    match address.split_once('@') {
        Some((local, domain)) => {
            let local = local.split('+').next().filter(|bare| !bare.is_empty()).unwrap_or(local);
            format!("{local}@{domain}")
        }
        None => address,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn own_attributes_stand_under_custom_attributes() {
        let mut employee = Employee::default();
        employee.set("email", json!("mia@example.org"));
        employee.set("dynamic_4711", json!("ATS-1"));
        let body = serde_json::to_value(&employee).expect("a map of JSON values serialises");
        assert_eq!(body, json!({"email": "mia@example.org", "custom_attributes": {"dynamic_4711": "ATS-1"}}));
        let back: Employee = serde_json::from_value(body).expect("the same shape is read");
        assert_eq!(back, employee);
    }

    #[test]
    fn one_person_may_write_an_address_in_several_ways() {
        assert_eq!(normalised_email(" Mia+ats@Example.org "), "mia@example.org");
        assert_eq!(normalised_email("+only@example.org"), "+only@example.org");
    }

    #[test]
    fn debug_shows_no_value() {
        let mut employee = Employee::default();
        employee.set("email", json!("mia@example.org"));
        assert_eq!(format!("{employee:?}"), r#"{"email"}"#);
    }
}
