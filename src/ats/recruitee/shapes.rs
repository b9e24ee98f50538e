//! Recruitee's webhooks and API, as far as they are used. Neither is described by the vendor field by field: what receivers
//! that are published read is in `docs/ats/recruitee.md`, with how sure it is.

use serde::Deserialize;
use serde_json::Value;

use super::super::json::Id;

/// A webhook's body: <https://docs.recruitee.com/docs/webhooks>.
#[derive(Deserialize)]
pub(super) struct Body {
    pub(super) id: Option<Id>,
    pub(super) created_at: Option<String>,
    pub(super) payload: Payload,
}

#[derive(Deserialize)]
pub(super) struct Payload {
    pub(super) candidate: Person,
    /// The job, which Recruitee calls an offer.
    pub(super) offer: Job,
    #[serde(default)]
    pub(super) details: Details,
}

/// What a webhook has of a candidate; the API has it under the same names.
#[derive(Deserialize)]
pub(super) struct Person {
    pub(super) id: Id,
    pub(super) name: Option<String>,
    #[serde(default)]
    pub(super) emails: Vec<String>,
    #[serde(default)]
    pub(super) phones: Vec<String>,
}

#[derive(Deserialize)]
pub(super) struct Job {
    pub(super) id: Id,
    pub(super) title: Option<String>,
    pub(super) department: Option<Named>,
    pub(super) tags: Option<Vec<Named>>,
}

#[derive(Deserialize)]
pub(super) struct Named {
    pub(super) name: Option<String>,
}

#[derive(Default, Deserialize)]
pub(super) struct Details {
    pub(super) to_stage: Option<Stage>,
}

/// A stage of a job's pipeline. Not every account's webhooks have the category.
#[derive(Deserialize)]
pub(super) struct Stage {
    pub(super) id: Option<Id>,
    pub(super) name: Option<String>,
    pub(super) category: Option<String>,
}

/// `GET /candidates/{id}`.
#[derive(Deserialize)]
pub(super) struct CandidateAnswer {
    pub(super) candidate: Candidate,
}

#[derive(Deserialize)]
pub(super) struct Candidate {
    #[serde(flatten)]
    pub(super) person: Person,
    pub(super) cv_url: Option<String>,
    pub(super) cv_original_url: Option<String>,
    /// The profile's fields.
    #[serde(default)]
    pub(super) fields: Vec<Value>,
    #[serde(default)]
    pub(super) placements: Vec<Placement>,
}

impl Candidate {
    /// How the candidate stands with one job.
    pub(super) fn placed(&self, job: &str) -> Option<&Placement> {
        self.placements.iter().find(|placement| placement.offer_id.0 == job)
    }
}

/// A candidate's way through one job's pipeline.
#[derive(Deserialize)]
pub(super) struct Placement {
    pub(super) offer_id: Id,
    pub(super) department_name: Option<String>,
    pub(super) hired_at: Option<String>,
    #[serde(rename = "hired_in_this_placement")]
    pub(super) hired_here: Option<bool>,
    /// The start date.
    pub(super) job_starts_at: Option<String>,
}

impl Placement {
    /// Whether the candidate is hired for this job.
    pub(super) fn is_hired(&self) -> bool {
        self.hired_here.unwrap_or(self.hired_at.is_some())
    }
}

/// `GET /offers/{id}`.
#[derive(Deserialize)]
pub(super) struct OfferAnswer {
    pub(super) offer: Offer,
}

/// A job, as the API shows it.
#[derive(Deserialize)]
pub(super) struct Offer {
    pub(super) title: Option<String>,
    pub(super) location: Option<String>,
    pub(super) country_code: Option<String>,
    pub(super) employment_type: Option<String>,
}

/// `GET /candidates/{id}/attachments`.
#[derive(Deserialize)]
pub(super) struct Attachments {
    pub(super) attachments: Vec<Value>,
}
