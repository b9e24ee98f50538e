//! Hires that a person points at, and deliveries that are read again.

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::ToSchema;

use super::App;
use super::body;
use super::contract::tag;
use super::door::{Admin, Sender};
use super::hires::{Id, shown};
use super::problem::Problem;
use super::shapes::HireShape;
use super::version::Shown;
use crate::words::Language;

/// Who is meant.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "source": "ashby",
    "reference": "https://app.ashbyhq.com/candidates/00000011-1111-4222-8333-000000000011",
}))]
pub(super) struct Pointed {
    /// The source to ask; it needs an `api_key`.
    source: String,
    /// The link to the candidate's page at the ATS, or the id of the candidate or the application.
    reference: String,
}

/// Fetch a hire from the ATS.
///
/// Whom a pasted link or id means is asked from the ATS and stored as `held(review)`, with plan and documents: look at
/// it, correct it, send it. A webhook for it, earlier or later, is the same hire. Of several applications the one that
/// is a hire is meant; the note `not_hired_at_the_ats` says that the ATS does not call it one.
#[utoipa::path(post, path = "/v1/hires/fetch", tag = tag::HIRES, operation_id = "fetch_hire",
    request_body(content = Pointed, description = "The source, and who is meant"),
    responses(
        (status = 201, description = "The new hire", body = HireShape,
            headers(("Location" = String, description = "Where it is"))),
        (status = 200, description = "The hire that was there already", body = HireShape),
        (status = 422, description = "Nobody, or not one alone, is meant; or the source cannot be asked"),
        (status = 503, description = "The ATS could not be asked"),
    ))]
pub(super) async fn fetch(
    sender: Sender,
    State(app): State<App>,
    language: Language,
    body::Json(Pointed { source, reference }): body::Json<Pointed>,
) -> Result<Response, Problem> {
    let (hire, known) = app.transfer.point_at(&source, &reference, sender.name()).await?;
    let shape = shown(&app, &hire, language).await?;
    if known {
        return Ok(shape.into_response());
    }
    Ok((StatusCode::CREATED, [(LOCATION, format!("/v1/hires/{}", hire.id))], shape).into_response())
}

/// Read the stored deliveries of a hire again.
///
/// By the code and the rules of today, as if they came now: a hire that was held because it could not be read, or
/// because of a rule that has been mended, goes on by itself. What was or may have been sent is not touched. If a
/// delivery of which not even the id could be read turns out to be about another hire, that one is answered.
#[utoipa::path(post, path = "/v1/hires/{id}/replay", tag = tag::HIRES, operation_id = "replay_hire",
    params(("id" = uuid::Uuid, Path, description = "The hire's id")),
    responses(
        (status = 200, description = "The hire as it is now", body = HireShape),
        (status = 409, description = "The hire was, or may have been, sent"),
        (status = 422, description = "No delivery is stored, or they still cannot be read"),
    ))]
pub(super) async fn replay(
    admin: Admin,
    State(app): State<App>,
    language: Language,
    Id(id): Id,
) -> Result<Shown, Problem> {
    let hire = app.transfer.replay(id, admin.name()).await?;
    shown(&app, &hire, language).await
}
