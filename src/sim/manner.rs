//! Where Personio's documentation is silent: a switch for each plausible answer.

use serde::{Deserialize, Serialize};

use super::operation::Operation;

/// How this Personio behaves where the real one is undocumented, and what the credential may do.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Manner {
    /// What the credential may do.
    pub rights: Rights,
    /// The attributes that the credential may read; `None` is all. Others are silently missing.
    pub readable_attributes: Option<Vec<String>>,
    /// The status for a token that is not accepted and for a missing right: 403 or 401.
    pub refusal_status: u16,
    /// The answer to a create whose e-mail address is taken.
    pub taken_email: TakenEmail,
    /// Whether `A@x.org` and `a@x.org` are one address, in look-ups and on create.
    pub emails_ignore_case: bool,
    /// The shape of `meta` on a create that dropped something.
    pub meta: MetaShape,
    /// What happens to a value that is none of the attribute's options.
    pub unknown_option: Unfit,
    /// What happens to a value for an attribute that does not exist.
    pub unknown_attribute: Unfit,
    /// How the values of a tags attribute are read back.
    pub tags: TagsShape,
    /// The language of the messages.
    pub language: Language,
    /// Seconds for which a token is good. Personio: 24 h.
    pub token_lifetime_s: u64,
    /// Whether Personio's limits on the rate of calls hold: 429 past 300 reads of employees a minute or 15 a second,
    /// 60 tokens a minute, 2,000 calls a minute.
    pub rate_limits: bool,
}

/// The rights of the credential, as they are ticked in Personio's settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "they are the check boxes of Personio's form")]
pub struct Rights {
    /// Employees: list and get.
    pub employees_read: bool,
    /// Employees: create and update.
    pub employees_write: bool,
    /// The attribute catalogue.
    pub attributes_read: bool,
    /// The document categories.
    pub documents_read: bool,
    /// Upload of documents.
    pub documents_write: bool,
}

/// The answer to a create whose e-mail address is taken; Personio documents none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TakenEmail {
    /// `success:false` with this HTTP status (200 is possible) and this `error.code` (0 is possible).
    Refused {
        /// The HTTP status.
        status: u16,
        /// The number in `error.code`.
        code: u16,
    },
    /// A second person with the same address is made.
    Accepted,
}

/// The shape of `meta` on a create that dropped something; Personio documents only the one for updates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MetaShape {
    /// `["message"]`
    Strings,
    /// `{"department": "message"}`
    Object,
    /// `[{"field": "department", "message": "message"}]`
    Objects,
    /// No `meta` at all.
    Absent,
}

/// What happens to a value that does not fit the company's attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unfit {
    /// It is left out and named in `meta`.
    Dropped,
    /// The whole call is refused with 422.
    Refused,
    /// Refused with 422, and recorded as a violation.
    Violation,
}

/// How the values of a tags attribute are read back; both were seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TagsShape {
    /// `"English,German"`
    Commas,
    /// `"[\"English\",\"German\"]"`
    JsonInString,
}

/// The language of the messages. Nothing may depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Language {
    English,
    German,
}

impl Default for Manner {
    fn default() -> Self {
        Self {
            rights: Rights::default(),
            readable_attributes: None,
            refusal_status: 403,
            taken_email: TakenEmail::Refused { status: 422, code: 422 },
            emails_ignore_case: false,
            meta: MetaShape::Strings,
            unknown_option: Unfit::Dropped,
            unknown_attribute: Unfit::Violation,
            tags: TagsShape::Commas,
            language: Language::English,
            token_lifetime_s: 24 * 60 * 60,
            rate_limits: false,
        }
    }
}

impl Default for Rights {
    fn default() -> Self {
        Self {
            employees_read: true,
            employees_write: true,
            attributes_read: true,
            documents_read: true,
            documents_write: true,
        }
    }
}

impl Rights {
    /// All that a credential needs that may only create employees.
    pub fn write_only() -> Self {
        Self { employees_read: false, attributes_read: false, documents_read: false, ..Self::default() }
    }

    pub(super) fn allow(self, operation: Operation) -> bool {
        match operation {
            Operation::CreateEmployee | Operation::UpdateEmployee => self.employees_write,
            Operation::ListEmployees | Operation::GetEmployee => self.employees_read,
            Operation::ListAttributes => self.attributes_read,
            Operation::ListCategories => self.documents_read,
            Operation::UploadDocument => self.documents_write,
            Operation::Any | Operation::Auth | Operation::Unknown => true,
        }
    }

    /// The `scope` of a token.
    pub(super) fn scope(self) -> String {
        let named = [
            (self.employees_read, "employees:read"),
            (self.employees_write, "employees:write"),
            (self.documents_read, "documents:read"),
            (self.documents_write, "documents:write"),
        ];
        let held: Vec<&str> = named.iter().filter(|(held, _)| *held).map(|&(_, name)| name).collect();
        held.join(" ")
    }
}

impl Manner {
    /// The message in the language of the moment.
    pub(super) fn say(&self, english: impl Into<String>, german: impl Into<String>) -> String {
        match self.language {
            Language::English => english.into(),
            Language::German => german.into(),
        }
    }

    /// Whether the credential may read this attribute.
    pub(super) fn readable(&self, key: &str) -> bool {
        self.readable_attributes.as_ref().is_none_or(|keys| keys.iter().any(|k| k == key))
    }
}
