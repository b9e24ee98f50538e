//! What Recruitee's webhook lacks, asked from its API: start date, gender, location, the CV.
//!
//! Facts: <https://docs.recruitee.com/reference>.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::time::Instant;
use url::Url;

use super::super::api::{Api, ApiError};
use super::super::{Arrived, Completed, Hired, Opened, link};
use super::fields::put_fields;
use super::read::put_person;
use super::shapes::{Attachments, Candidate, CandidateAnswer, OfferAnswer};
use crate::domain::{DocumentKind, Facts, File, Place};

/// Where the links of CVs led that were seen: Amazon's S3.
const USUAL_HOST: &str = "s3.amazonaws.com";

async fn ask<T: DeserializeOwned>(api: &Api, path: &str, deadline: Instant) -> Result<T, ApiError> {
    let answer = api.get_json(path, &[], deadline).await?;
    serde_json::from_value(answer).map_err(|_| ApiError::Unreadable)
}

pub(super) async fn candidate(api: &Api, id: &str, deadline: Instant) -> Result<Candidate, ApiError> {
    Ok(ask::<CandidateAnswer>(api, &format!("candidates/{id}"), deadline).await?.candidate)
}

/// The smallest question there is; a token has all the rights of whoever made it.
pub(super) async fn try_key(api: &Api, deadline: Instant) -> Result<(), ApiError> {
    api.get_json("offers", &[("limit", "1")], deadline).await.map(drop)
}

/// Whether the candidate is hired for the job.
pub(super) async fn confirm(api: &Api, hired: &Hired, deadline: Instant) -> Result<bool, ApiError> {
    let (who, job) = ids(hired).ok_or(ApiError::Unreadable)?;
    Ok(candidate(api, who, deadline).await?.placed(job).is_some_and(super::shapes::Placement::is_hired))
}

fn ids(hired: &Hired) -> Option<(&str, &str)> {
    Some((hired.ids.get("candidate")?, hired.ids.get("job")?))
}

/// Asks for the candidate, the job and the list of attachments, all at once.
pub(super) async fn complete(
    api: Option<&Api>,
    hired: &Hired,
    known: &Facts,
    deadline: Instant,
) -> Completed {
    let mut added = Completed::default();
    if let (Some(api), Some((who, job))) = (api, ids(hired)) {
        let files = format!("candidates/{who}/attachments");
        let place = format!("offers/{job}");
        let (person, offer, attachments) = tokio::join!(
            candidate(api, who, deadline),
            ask::<OfferAnswer>(api, &place, deadline),
            ask::<Attachments>(api, &files, deadline),
        );
        match person {
            Ok(person) => put_candidate(&person, job, &mut added),
            Err(error) => {
                added.lacking.push("candidate");
                failed("candidates", &error, &mut added);
            }
        }
        match offer {
            Ok(OfferAnswer { offer }) => {
                added.facts.put("job.title", offer.title.as_deref());
                added.facts.put("job.location", offer.location.as_deref());
                added.facts.put("job.country", offer.country_code.as_deref());
                added.facts.put("job.employment_type", offer.employment_type.as_deref());
            }
            Err(error) => failed("offers", &error, &mut added),
        }
        match attachments {
            // The list names files; nothing public says how one is opened.
            Ok(Attachments { attachments }) => {
                let places = (0..attachments.len()).map(|index| format!("attachment_not_opened:{index}"));
                added.notes.extend(places);
            }
            Err(error) => failed("attachments", &error, &mut added),
        }
    }
    let mut all = known.clone();
    all.fill(&hired.facts);
    all.fill(&added.facts);
    let wanted =
        [("department", "job.department"), ("office", "job.location"), ("hire_date", "offer.start_date")];
    let lacking = wanted.into_iter().filter(|(_, fact)| all.value(fact).is_none());
    added.lacking.extend(lacking.map(|(attribute, _)| attribute));
    added
}

fn failed(call: &str, error: &ApiError, added: &mut Completed) {
    added.notes.push(format!("ats_call_failed:{call}:{}", error.code()));
}

fn put_candidate(candidate: &Candidate, job: &str, added: &mut Completed) {
    added.name_split = put_person(&candidate.person, &mut added.facts);
    if let Some(placement) = candidate.placed(job) {
        added.facts.put("offer.start_date", placement.job_starts_at.as_deref());
        added.facts.put("application.hired_at", placement.hired_at.as_deref());
        added.facts.put("job.department", placement.department_name.as_deref());
    }
    put_fields(&candidate.fields, &mut added.facts, &mut added.notes);
    let id = &candidate.person.id.0;
    added.files.extend(cv(candidate).map(|url| File {
        id: format!("cv-{id}"),
        kind: DocumentKind::Resume,
        name: name_of(url),
        date: None,
        place: Place::Handle(id.clone()),
    }));
}

/// The CV as it was uploaded, else as Recruitee has converted it.
fn cv(candidate: &Candidate) -> Option<&str> {
    candidate.cv_original_url.as_deref().or(candidate.cv_url.as_deref()).filter(|url| !url.is_empty())
}

/// Recruitee has no name for the CV: the last part of its link's path is one.
fn name_of(link: &str) -> String {
    let url = Url::parse(link).ok();
    let last = url.as_ref().and_then(|url| url.path_segments()?.next_back()).unwrap_or_default();
    let name = percent_encoding::percent_decode_str(last).decode_utf8_lossy().into_owned();
    if name.trim().is_empty() { "CV".to_owned() } else { name }
}

/// Asks for the candidate's CV of now. How long its link lives is not documented: it is for use at once.
pub(super) async fn open(api: &Api, id: &str, deadline: Instant) -> Result<Opened, ApiError> {
    let candidate = candidate(api, id, deadline).await.map_err(|error| match error {
        ApiError::Status(404) => ApiError::NoSuchFile,
        ApiError::Status(403) => ApiError::NoRight,
        error => error,
    })?;
    link::at_storage(cv(&candidate).ok_or(ApiError::NoSuchFile)?, USUAL_HOST)
}

/// Leaves a note on the candidate's profile.
pub(super) async fn tell(api: &Api, arrived: &Arrived, deadline: Instant) -> Result<(), ApiError> {
    let (candidate, _) = arrived.application.split_once('-').ok_or(ApiError::Unreadable)?;
    let body = json!({"note": {"body": words(arrived), "visibility": {"level": "public"}}});
    api.post_json(&format!("candidates/{candidate}/notes"), &body, deadline).await.map(|_: Value| ())
}

fn words(arrived: &Arrived) -> String {
    let day = arrived.at.strftime("%Y-%m-%d");
    let by = arrived.by.as_deref().map(|who| format!(", sent by {who}")).unwrap_or_default();
    let link = arrived.link.as_deref().map(|link| format!(": {link}")).unwrap_or_default();
    format!("In Personio since {day}{by}{link}")
}
