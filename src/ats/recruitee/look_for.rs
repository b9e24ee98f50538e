//! What a person means by a pasted link or id: a candidate with jobs, or one of them.

use std::collections::BTreeMap;

use tokio::time::Instant;

use super::super::api::{Api, ApiError};
use super::super::{Hired, Meant};
use super::complete::candidate;

/// Looks for the candidate; each of the candidate's jobs is an application.
pub(super) async fn look_for(api: &Api, pasted: &str, deadline: Instant) -> Result<Vec<Meant>, ApiError> {
    let Some((who, job)) = read(pasted) else { return Ok(Vec::new()) };
    let candidate = match candidate(api, who, deadline).await {
        Ok(candidate) => candidate,
        Err(ApiError::Status(404)) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let placements = candidate.placements.iter();
    let placements = placements.filter(|placement| job.is_none_or(|job| placement.offer_id.0 == job));
    let meant = placements.map(|placement| {
        let job = placement.offer_id.0.clone();
        let ids = BTreeMap::from([("candidate", who.to_owned()), ("job", job.clone())]);
        let application = Hired::looked_for(format!("{who}-{job}"), ids);
        Meant { application, is_hired: placement.is_hired() }
    });
    Ok(meant.collect())
}

/// The candidate's id and, if it is said, the job's: of a link that has `candidates/ID` or `candidate=ID` in it, of
/// `ID-JOB`, as we call an application, or of the candidate's id alone.
fn read(pasted: &str) -> Option<(&str, Option<&str>)> {
    let pasted = pasted.trim();
    for before in ["candidates/", "candidate="] {
        if let Some((_, rest)) = pasted.split_once(before)
            && let Some(id) = number_at_the_start(rest)
        {
            return Some((id, None));
        }
    }
    match pasted.split_once('-') {
        Some((who, job)) => Some((number(who)?, Some(number(job)?))),
        None => Some((number(pasted)?, None)),
    }
}

fn number_at_the_start(text: &str) -> Option<&str> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    number(&text[..end])
}

fn number(text: &str) -> Option<&str> {
    (1..=20)
        .contains(&text.len())
        .then_some(text)
        .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_candidate_is_found_in_what_people_paste() {
        for (pasted, meant) in [
            ("https://app.recruitee.com/#/candidates/12345", Some(("12345", None))),
            (" https://app.recruitee.com/#/jobs/7/pipeline?candidate=12345&tab=x", Some(("12345", None))),
            ("12345", Some(("12345", None))),
            ("12345-678", Some(("12345", Some("678")))),
            ("https://app.recruitee.com/#/candidates/mia", None),
            ("12345-", None),
            ("mia", None),
            ("", None),
        ] {
            assert_eq!(read(pasted), meant, "{pasted}");
        }
    }
}
