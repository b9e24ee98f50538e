//! Ashby's payloads and API answers, as far as they are used. Required is only what nothing goes
//! without; a field that is there must have the documented type.

use serde::Deserialize;
use serde_json::{Number, Value};

use super::super::contact::Contact;

/// `data` of the events about an application.
#[derive(Deserialize)]
pub(super) struct ApplicationPayload {
    pub(super) data: ApplicationData,
}

#[derive(Deserialize)]
pub(super) struct ApplicationData {
    pub(super) application: Application,
    pub(super) offer: Option<Offer>,
}

/// `data` of the events about an offer.
#[derive(Deserialize)]
pub(super) struct OfferPayload {
    pub(super) data: OfferData,
}

#[derive(Deserialize)]
pub(super) struct OfferData {
    pub(super) offer: Offer,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Application {
    pub(super) id: String,
    pub(super) candidate: Option<Candidate>,
    pub(super) job: Option<Job>,
    pub(super) hiring_team: Option<Vec<TeamMember>>,
    /// `Active`, `Hired`, `Archived` or `Lead`.
    pub(super) status: Option<String>,
    pub(super) custom_fields: Option<Vec<Value>>,
    /// By the API alone.
    #[serde(default)]
    pub(super) resume_file_handle: Value,
}

/// What `candidate.info` says of a candidate's applications.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Applications {
    #[serde(default)]
    pub(super) application_ids: Vec<String>,
}

/// A candidate, as inside an application and as `candidate.info` gives it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Candidate {
    pub(super) id: String,
    pub(super) name: Option<String>,
    pub(super) primary_email_address: Option<Contact>,
    pub(super) primary_phone_number: Option<Contact>,
    /// By the API alone.
    pub(super) email_addresses: Option<Vec<Contact>>,
    /// By the API alone.
    pub(super) custom_fields: Option<Vec<Value>>,
    /// By the API alone.
    #[serde(default)]
    pub(super) resume_file_handle: Value,
    /// By the API alone.
    #[serde(default)]
    pub(super) file_handles: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Job {
    pub(super) id: Option<String>,
    pub(super) title: Option<String>,
    pub(super) location_id: Option<String>,
    pub(super) department_id: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct TeamMember {
    pub(super) email: Option<String>,
    pub(super) role: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Offer {
    pub(super) id: String,
    pub(super) application_id: String,
    pub(super) acceptance_status: Option<String>,
    #[serde(rename = "offerStatus")]
    pub(super) status: Option<String>,
    pub(super) decided_at: Option<String>,
    pub(super) latest_version: Option<OfferVersion>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OfferVersion {
    pub(super) start_date: Option<String>,
    pub(super) salary: Option<Salary>,
    pub(super) custom_fields: Option<Vec<Value>>,
    #[serde(default)]
    pub(super) file_handles: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Salary {
    pub(super) currency_code: Option<String>,
    pub(super) value: Option<Number>,
}

/// `department.info`; a team is a department with a parent.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Department {
    pub(super) name: String,
    pub(super) parent_id: Option<String>,
}

/// `location.info`.
#[derive(Deserialize)]
pub(super) struct Location {
    pub(super) name: String,
    pub(super) address: Option<Address>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Address {
    pub(super) postal_address: Option<PostalAddress>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PostalAddress {
    pub(super) address_country: Option<String>,
}

impl Offer {
    /// Whether the candidate has said yes.
    pub(super) fn is_accepted(&self) -> bool {
        self.acceptance_status.as_deref() == Some("Accepted")
            || self.status.as_deref() == Some("CandidateAccepted")
    }
}
