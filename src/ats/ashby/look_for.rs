//! What a person means by a pasted link or id: an application, or a candidate with applications.

use std::collections::BTreeMap;

use serde_json::json;
use tokio::time::Instant;
use uuid::Uuid;

use super::super::api::{Api, ApiError};
use super::super::{Hired, Meant};
use super::ask::ask;
use super::shapes::{Application, Applications};

/// How many of a candidate's applications are looked at.
const MOST: usize = 10;

/// What an application's status is once somebody was hired:
/// <https://developers.ashbyhq.com/reference/applicationinfo>.
const HIRED: &str = "Hired";

/// An id with what it is the id of, if the link says so.
enum Pasted {
    Application(String),
    Candidate(String),
    Either(String),
}

/// Looks for it: first for what the link says it is, else for an application, else for a candidate.
pub(super) async fn look_for(api: &Api, pasted: &str, deadline: Instant) -> Result<Vec<Meant>, ApiError> {
    match read(pasted) {
        Some(Pasted::Application(id)) => Ok(application(api, &id, deadline).await?.into_iter().collect()),
        Some(Pasted::Candidate(id)) => candidate(api, &id, deadline).await,
        Some(Pasted::Either(id)) => match application(api, &id, deadline).await? {
            Some(meant) => Ok(vec![meant]),
            None => candidate(api, &id, deadline).await,
        },
        None => Ok(Vec::new()),
    }
}

/// The last id in a link, or the id itself. A link may name the candidate and the application.
fn read(pasted: &str) -> Option<Pasted> {
    let parts: Vec<_> = pasted.trim().split(['/', '?', '#', '&', '=']).collect();
    let id = |at: usize| parts.get(at).and_then(|part| Uuid::parse_str(part).ok()).map(|id| id.to_string());
    let after = |word: &str| parts.iter().rposition(|part| *part == word).and_then(|at| id(at + 1));
    let named = after("applications").map(Pasted::Application);
    let named = named.or_else(|| after("candidates").map(Pasted::Candidate));
    named.or_else(|| (0..parts.len()).rev().find_map(id).map(Pasted::Either))
}

/// An application; `None` if there is none of this id.
async fn application(api: &Api, id: &str, deadline: Instant) -> Result<Option<Meant>, ApiError> {
    let found = ask::<Application>(api, "application.info", &json!({ "applicationId": id }), deadline).await;
    let Some(found) = or_none(found)? else { return Ok(None) };
    let is_hired = found.status.as_deref() == Some(HIRED);
    Ok(Some(Meant { application: Hired::looked_for(found.id, BTreeMap::new()), is_hired }))
}

/// A candidate's applications; none if there is nobody of this id.
async fn candidate(api: &Api, id: &str, deadline: Instant) -> Result<Vec<Meant>, ApiError> {
    let found = ask::<Applications>(api, "candidate.info", &json!({ "id": id }), deadline).await;
    let Some(found) = or_none(found)? else { return Ok(Vec::new()) };
    let mut all = Vec::new();
    for id in found.application_ids.iter().take(MOST) {
        all.extend(application(api, id, deadline).await?);
    }
    Ok(all)
}

/// Ashby refuses an id that it does not know: `application_not_found`, `candidate_not_found`.
fn or_none<T>(answer: Result<T, ApiError>) -> Result<Option<T>, ApiError> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(ApiError::Refused(code)) if code.contains("not_found") || code.contains("invalid") => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_says_what_its_id_is_of() {
        let one = "00000010-1111-4222-8333-000000000010";
        let other = "00000011-1111-4222-8333-000000000011";
        let said = |text: &str| match read(text) {
            Some(Pasted::Application(id)) => format!("application {id}"),
            Some(Pasted::Candidate(id)) => format!("candidate {id}"),
            Some(Pasted::Either(id)) => format!("either {id}"),
            None => "nothing".to_owned(),
        };
        assert_eq!(said(&format!(" {one}\n")), format!("either {one}"));
        assert_eq!(said(&format!("https://app.ashbyhq.com/candidates/{one}")), format!("candidate {one}"));
        assert_eq!(
            said(&format!(
                "https://app.ashbyhq.com/candidate-searches/new/right-side/candidates/{one}/applications/{other}/feed?x=1"
            )),
            format!("application {other}")
        );
        assert_eq!(said("https://app.ashbyhq.com/candidates/mia"), "nothing");
        assert_eq!(said("mia"), "nothing");
    }
}
