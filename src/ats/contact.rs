//! How to reach somebody, as most ATSs write it.

use serde::Deserialize;
use serde_json::{Value, json};

/// An e-mail address or a telephone number.
#[derive(Deserialize)]
pub(super) struct Contact {
    pub(super) value: Option<String>,
    /// What it is, in the ATS's word: `Personal`, `work` …
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
}

impl Contact {
    /// The address or number, if there is any.
    pub(super) fn known(&self) -> Option<&str> {
        self.value.as_deref().filter(|value| !value.trim().is_empty())
    }
}

/// The value of the fact `candidate.emails`.
pub(super) fn emails<'a>(contacts: impl IntoIterator<Item = &'a Contact>) -> Vec<Value> {
    let known = contacts.into_iter().filter_map(|contact| {
        let address = contact.known()?;
        Some(match &contact.kind {
            Some(kind) => json!({ "address": address, "kind": kind }),
            None => json!({ "address": address }),
        })
    });
    known.collect()
}
