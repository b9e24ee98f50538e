//! The plan: exactly what Personio would get for a hire, with what is missing or doubtful about it.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::employee::Employee;
use super::state::Held;

/// What would be sent for a hire. A plain value: shown, corrected, then exactly it is applied.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The employee, in Personio's attribute names.
    pub employee: Employee,
    /// The documents that would follow.
    #[serde(default)]
    pub documents: Vec<PlannedDocument>,
    /// What a person should know before or after sending.
    #[serde(default)]
    pub warnings: Vec<Warning>,
    /// Expected things, noted for the record: no warnings.
    #[serde(default)]
    pub notes: Vec<Note>,
    /// Attributes that the mapping names and for which there is no value.
    #[serde(default)]
    pub missing: Vec<String>,
    /// The status with which Personio begins, by its own rule, if the plan sends none.
    /// Source: <https://developer.personio.de/reference/post_company-employees>.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Why the plan may not be sent as it is.
    #[serde(default)]
    pub hold: Option<Held>,
}

/// A document that would follow the employee.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedDocument {
    /// The file's id at the ATS.
    pub id: String,
    /// What it is: `resume`, `offer_letter`, `signed_offer` …
    pub kind: String,
    /// The Personio category it goes to.
    pub category: String,
}

/// Something a person should look at: a value that Personio dropped, a name split by guess.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Warning {
    /// The stable code: `dropped`, `changed`, `name_split` …
    pub code: String,
    /// The Personio attribute it is about.
    pub field: Option<String>,
    /// The value that was, or would be, sent.
    pub sent: Option<Value>,
    /// The values that Personio would take, where they are known; the likeliest first.
    #[serde(default)]
    pub options: Vec<String>,
    /// What to write into the configuration so that it does not happen again, ready to paste.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<String>,
}

/// An expected thing, as a stable code: `name_split`, `not_looked_up`, `not_read_back` …
pub type Note = String;

impl Plan {
    /// Whether the plan may be sent as it is.
    pub fn sendable(&self) -> bool {
        self.hold.is_none()
    }

    /// SHA-256 in lower-case hex over canonical JSON (RFC 8785) of exactly what Personio would get:
    /// the employee, and each document's id, kind and category. No warnings, links or times.
    pub fn hash(&self) -> String {
        let sent = serde_json::json!({"employee": self.employee, "documents": self.documents});
        let canonical = serde_json_canonicalizer::to_vec(&sent)
            .expect("a JSON value with string keys and finite numbers has a canonical form");
        hex::encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &canonical))
    }

    /// The status with which Personio will begin, as far as is known.
    pub fn begins_as(&self) -> Option<&str> {
        self.employee.value("status").and_then(Value::as_str).or(self.status.as_deref())
    }

    /// Adds a note once.
    pub fn note(&mut self, code: &str) {
        if !self.notes.iter().any(|known| known == code) {
            self.notes.push(code.to_owned());
        }
    }
}

impl Warning {
    /// A warning about an attribute and the value that was or would be sent.
    pub fn about(code: &str, field: &str, sent: Option<Value>) -> Self {
        Self { code: code.to_owned(), field: Some(field.to_owned()), sent, options: Vec::new(), line: None }
    }
}

/// Names and codes only: values are personal.
impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan")
            .field("employee", &self.employee)
            .field("missing", &self.missing)
            .field("hold", &self.hold)
            .finish_non_exhaustive()
    }
}

/// Code and field only: the value is personal.
impl fmt::Debug for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Warning({} {:?})", self.code, self.field)
    }
}

/// Kind and category only: a file's id may lead to the file.
impl fmt::Debug for PlannedDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PlannedDocument({} {:?})", self.kind, self.category)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn plan() -> Plan {
        let mut plan = Plan::default();
        plan.employee.set("email", json!("mia@example.org"));
        plan.employee.set("weekly_working_hours", json!(40.0));
        plan
    }

    #[test]
    fn the_hash_covers_what_is_sent_and_nothing_else() {
        let mut other = plan();
        other.warnings.push(Warning::about("dropped", "office", None));
        other.note("not_looked_up");
        assert_eq!(plan().hash(), other.hash());
        other.employee.set("office", json!("Berlin"));
        assert_ne!(plan().hash(), other.hash());
    }

    #[test]
    fn the_hash_is_that_of_the_canonical_json() {
        let canonical =
            br#"{"documents":[],"employee":{"email":"mia@example.org","weekly_working_hours":40}}"#;
        let expected = hex::encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, canonical));
        assert_eq!(plan().hash(), expected);
    }
}
