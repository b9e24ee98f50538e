//! Greenhouse's payloads, as far as they are used. Required is only what nothing goes without; a field that is there
//! must have the documented type. Source: <https://developers.greenhouse.io/webhooks.html#candidate-hired>.

use serde::Deserialize;
use serde_json::Value;

use super::super::contact::Contact;
use super::super::json::Id;

/// A body whose event is about an application.
#[derive(Deserialize)]
pub(super) struct Applied<T> {
    pub(super) payload: AppliedPayload<T>,
}

#[derive(Deserialize)]
pub(super) struct AppliedPayload<T> {
    pub(super) application: T,
}

/// An application, of which only the id counts.
#[derive(Deserialize)]
pub(super) struct Named {
    pub(super) id: Id,
}

#[derive(Deserialize)]
pub(super) struct Application {
    pub(super) id: Id,
    pub(super) candidate: Option<Candidate>,
    pub(super) jobs: Option<Vec<Job>>,
    pub(super) offer: Option<Offer>,
    pub(super) opening: Option<Opening>,
    #[serde(default)]
    pub(super) custom_fields: Value,
}

#[derive(Deserialize)]
pub(super) struct Candidate {
    pub(super) id: Option<Id>,
    pub(super) first_name: Option<String>,
    pub(super) last_name: Option<String>,
    /// `home`, `work`, `mobile`, `skype` or `other`.
    pub(super) phone_numbers: Option<Vec<Contact>>,
    /// `personal`, `work` or `other`.
    pub(super) email_addresses: Option<Vec<Contact>>,
    #[serde(default)]
    pub(super) attachments: Value,
    #[serde(default)]
    pub(super) custom_fields: Value,
}

#[derive(Deserialize)]
pub(super) struct Job {
    pub(super) id: Option<Id>,
    pub(super) name: Option<String>,
    pub(super) departments: Option<Vec<Unit>>,
    pub(super) offices: Option<Vec<Unit>>,
    #[serde(default)]
    pub(super) custom_fields: Value,
}

/// A department or an office.
#[derive(Deserialize)]
pub(super) struct Unit {
    pub(super) name: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Offer {
    pub(super) id: Option<Id>,
    pub(super) starts_at: Option<String>,
    pub(super) resolved_at: Option<String>,
    #[serde(default)]
    pub(super) custom_fields: Value,
}

#[derive(Deserialize)]
pub(super) struct Opening {
    #[serde(default)]
    pub(super) custom_fields: Value,
}

/// A body whose event is a merge: <https://developers.greenhouse.io/webhooks.html#candidate-merged>.
#[derive(Deserialize)]
pub(super) struct MergePayload {
    pub(super) payload: Merge,
}

#[derive(Deserialize)]
pub(super) struct Merge {
    pub(super) person: Person,
}

#[derive(Deserialize)]
pub(super) struct Person {
    pub(super) id: Id,
    pub(super) new_candidate_id: Id,
}
