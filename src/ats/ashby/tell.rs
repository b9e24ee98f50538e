//! The note on the candidate's profile: <https://developers.ashbyhq.com/reference/candidatecreatenote>.

use serde_json::{Value, json};
use tokio::time::Instant;

use super::super::Arrived;
use super::super::api::{Api, ApiError};
use super::ask::ask;

/// Leaves a note, as plain text; nobody is notified of it.
pub(super) async fn tell(api: &Api, arrived: &Arrived, deadline: Instant) -> Result<(), ApiError> {
    let candidate = arrived.candidate.as_deref().ok_or(ApiError::Unreadable)?;
    let body = json!({"candidateId": candidate, "note": arrived.words()});
    ask(api, "candidate.createNote", &body, deadline).await.map(|_: Value| ())
}
