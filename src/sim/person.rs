//! The people and documents that the simulator keeps.

use std::collections::BTreeMap;
use std::fmt;

use bytes::Bytes;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// What can be said about a person, in a seed or as stored. Its `Debug` says nothing personal.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Person {
    /// The e-mail address.
    pub email: String,
    /// The first name.
    pub first_name: String,
    /// The last name.
    pub last_name: String,
    /// What the person likes to be called.
    pub preferred_name: Option<String>,
    /// The gender.
    pub gender: Option<Gender>,
    /// The job title, free text.
    pub position: Option<String>,
    /// The name of a subcompany that exists.
    pub subcompany: Option<String>,
    /// The name of a department that exists.
    pub department: Option<String>,
    /// The name of an office that exists.
    pub office: Option<String>,
    /// The first day of work.
    pub hire_date: Option<Date>,
    /// Hours a week.
    pub weekly_working_hours: Option<f64>,
    /// The status; without one it follows from the hire date when the person is stored.
    pub status: Option<Status>,
    /// The employee id of the supervisor.
    pub supervisor_id: Option<u64>,
    /// Values of the company's own attributes, by key, as they were sent.
    pub custom_attributes: BTreeMap<String, String>,
}

/// Personio's values for gender.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Gender {
    Male,
    Female,
    Diverse,
}

/// Personio's values for an employee's status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Status {
    Onboarding,
    Active,
    Leave,
    Inactive,
}

impl Status {
    /// What Personio sets when the caller gives no status: a hire date in the past means active.
    pub(super) fn derived(hire_date: Option<Date>, today: Date) -> Self {
        if hire_date.is_some_and(|date| date < today) { Self::Active } else { Self::Onboarding }
    }
}

/// One employee as the simulator keeps it. Its `Debug` says nothing personal.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Stored {
    /// The employee id.
    pub id: u64,
    /// When the record was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub last_modified_at: Timestamp,
    /// What is known about the person. `status` is always set.
    pub person: Person,
}

/// One uploaded document. Its `Debug` says nothing personal.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct StoredDocument {
    /// The document's id.
    pub id: u64,
    /// The employee it belongs to.
    pub employee_id: u64,
    /// The category it was filed under.
    pub category_id: u64,
    /// The title.
    pub title: String,
    /// The comment, if one was sent.
    pub comment: Option<String>,
    /// The date, if one was sent.
    pub date: Option<Date>,
    /// The name of the file.
    pub file_name: String,
    /// The bytes of the file; base64 in JSON.
    #[serde(with = "base64_bytes")]
    pub content: Bytes,
}

impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Person").field("status", &self.status).finish_non_exhaustive()
    }
}

impl fmt::Debug for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stored").field("id", &self.id).field("person", &self.person).finish_non_exhaustive()
    }
}

impl fmt::Debug for StoredDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredDocument")
            .field("id", &self.id)
            .field("employee_id", &self.employee_id)
            .field("category_id", &self.category_id)
            .field("size", &self.content.len())
            .finish_non_exhaustive()
    }
}

mod base64_bytes {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use bytes::Bytes;
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(content: &Bytes, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(content))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Bytes, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD.decode(text).map(Bytes::from).map_err(D::Error::custom)
    }
}
