//! What a person wants to hold from now on: a value of an ATS, and what Personio gets in its place.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::hire::HireId;

/// One entry of the value tables that are kept beside the configuration. It holds once an admin has confirmed it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Translation {
    /// Its id: a UUID version 7, so that ids sort by time.
    pub id: Uuid,
    /// The source for whose hires it is.
    pub source: String,
    /// The Personio attribute.
    pub attribute: String,
    /// What the ATS says, to the letter.
    pub from: String,
    /// What Personio gets.
    pub to: String,
    /// The hire that was corrected.
    pub hire: HireId,
    /// Who corrected it.
    pub proposed: Said,
    /// Who confirmed it; it does not hold until then.
    pub confirmed: Option<Said>,
}

/// Who said something, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// The operator.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

impl Translation {
    /// What it is about as one text, unambiguous: of two for the same value one holds.
    pub fn slot(&self) -> String {
        serde_json::json!(["value", self.source, self.attribute, self.from]).to_string()
    }
}

/// Id and attribute only: values may be personal.
impl fmt::Debug for Translation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Translation({} {})", self.id, self.attribute)
    }
}
