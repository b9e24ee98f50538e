//! What an operator does to a stored hire.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use super::App;
use super::body;
use super::code::Code;
use super::contract::tag;
use super::door::{Sender, Viewer};
use super::hires::{Id, shown};
use super::problem::{self, Problem};
use super::shapes::{HireShape, Preview};
use super::version::{IfMatch, Shown};
use crate::domain::HireId;
use crate::transfer::{Approval, By};
use crate::words::Language;

/// What an action answers: the hire as it is then.
type Changed = Result<Shown, Problem>;

/// What is to be different from what the mapping made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"corrections": {"department": "Engineering"}}))]
pub(super) struct Corrections {
    /// Personio attribute → value; `null` leaves the attribute out.
    #[serde(default)]
    #[schema(value_type = Object)]
    corrections: Map<String, Value>,
}

/// What is to be sent.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "plan_hash": "9f2c4d1b7c0e5a6f8b3d2e1c0a9f8e7d6c5b4a39281706f5e4d3c2b1a0918273",
    "corrections": {"department": "Engineering"},
}))]
pub(super) struct Sending {
    /// The hash of the plan that the preview with the same corrections showed.
    plan_hash: String,
    /// Personio attribute → value; `null` leaves the attribute out.
    #[serde(default)]
    #[schema(value_type = Object)]
    corrections: Map<String, Value>,
    /// Of the corrected attributes, those whose value is always to be translated so, for hires of this source, once an
    /// admin has confirmed it (`/v1/values`).
    #[serde(default)]
    #[schema(example = json!(["department"]))]
    always: Vec<String>,
}

/// Whether a hire is off the list.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"dismissed": true, "note": "Starts with our sister company."}))]
pub(super) struct Dismissal {
    /// `false` puts it back.
    #[serde(default = "yes")]
    #[schema(default = true)]
    dismissed: bool,
    /// Why, for whoever reads the hire's history: at most 500 characters.
    #[schema(max_length = 500)]
    note: Option<String>,
}

/// How many characters a note may have.
const LONGEST_NOTE: usize = 500;

fn yes() -> bool {
    true
}

/// Which employee it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"employee_id": 4711}))]
pub(super) struct Link {
    /// The employee's id in Personio.
    employee_id: u64,
}

/// Show the plan of a stored hire, with corrections.
///
/// Nothing is written. Sending asks for the plan's hash.
#[utoipa::path(post, path = "/v1/hires/{id}/preview", tag = tag::HIRES, operation_id = "preview_hire",
    params(("id" = Uuid, Path, description = "The hire's id")),
    request_body(content = Corrections, description = "What is to be different"),
    responses(
        (status = 200, description = "The plan", body = Preview),
        (status = 422, description = "Corrections are not right"),
    ))]
pub(super) async fn preview(
    _: Viewer,
    State(app): State<App>,
    Id(id): Id,
    body::Json(request): body::Json<Corrections>,
) -> Result<Json<Preview>, Problem> {
    Ok(Json(app.transfer.preview(id, &request.corrections).await?.into()))
}

/// Send exactly the plan with this hash, once.
///
/// If the plan made now is another one, nothing is sent: 409 shows the difference. The answer comes when the
/// outcome is stored, or after the server's `wait` with the state of that moment.
#[utoipa::path(post, path = "/v1/hires/{id}/send", tag = tag::HIRES, operation_id = "send_hire",
    params(
        ("id" = Uuid, Path, description = "The hire's id"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of the hire that was looked at: if it has \
            changed since, nothing is done", example = "\"7\""),
    ),
    request_body(content = Sending, description = "The plan's hash and the corrections it was made with"),
    responses(
        (status = 200, description = "The hire as it is now", body = HireShape),
        (status = 409, description = "The plan changed, or the hire's state does not allow it",
            body = problem::Body, content_type = "application/problem+json", examples(
                ("plan_changed" = (value = json!({"type": "urn:hirebridge:problem:plan_changed",
                    "title": "The plan is no longer the one that was seen", "status": 409,
                    "code": "plan_changed",
                    "detail": "Look at the plan again, and send it with the new hash.",
                    "difference": [{"field": "hire_date", "yours": null, "now": "2027-02-01"}]}))),
                ("wrong_state" = (value = json!({"type": "urn:hirebridge:problem:wrong_state",
                    "title": "This cannot be done to a hire in this state", "status": 409,
                    "code": "wrong_state", "detail": "Look at the hire again.", "state": "created"}))),
            )),
        (status = 422, description = "Corrections are not right, or the plan may not be sent as it is"),
        (status = 502, description = "Personio could not be asked; nothing was sent"),
        (status = 412, description = "The hire is not the version of `If-Match`"),
    ))]
pub(super) async fn send(
    sender: Sender,
    State(app): State<App>,
    language: Language,
    Id(id): Id,
    IfMatch(version): IfMatch,
    body::Json(sending): body::Json<Sending>,
) -> Changed {
    let Sending { plan_hash, corrections, always } = sending;
    let approval = Approval { plan_hash, corrections, always };
    let by = By { operator: sender.name(), version };
    let hire = app.transfer.send(id, &approval, &by, app.settings.wait()).await?;
    shown(&app, &hire, language).await
}

/// Take a hire off the list of those that need a person, or put it back.
///
/// For a hire that is held or flagged. A mark, not a deletion: `{"dismissed": false}` undoes it, and so does whatever
/// happens to the hire later.
#[utoipa::path(post, path = "/v1/hires/{id}/dismiss", tag = tag::HIRES, operation_id = "dismiss_hire",
    params(
        ("id" = Uuid, Path, description = "The hire's id"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of the hire that was looked at: if it has \
            changed since, nothing is done", example = "\"7\""),
    ),
    request_body(content = Dismissal, description = "Off the list or back on it"),
    responses(
        (status = 200, description = "The hire as it is now", body = HireShape),
        (status = 409, description = "The hire is neither held nor flagged"),
        (status = 412, description = "The hire is not the version of `If-Match`"),
    ))]
pub(super) async fn dismiss(
    sender: Sender,
    State(app): State<App>,
    language: Language,
    Id(id): Id,
    IfMatch(version): IfMatch,
    body::Json(dismissal): body::Json<Dismissal>,
) -> Changed {
    let Dismissal { dismissed, note } = dismissal;
    let note = note.as_deref().map(str::trim).filter(|note| !note.is_empty());
    if note.is_some_and(|note| note.chars().count() > LONGEST_NOTE) {
        return Err(
            Problem::of(Code::Invalid).field("note", format!("must have at most {LONGEST_NOTE} characters"))
        );
    }
    let by = By { operator: sender.name(), version };
    let hire = app.transfer.dismiss(id, dismissed, note, &by).await?;
    shown(&app, &hire, language).await
}

/// Say which employee it is.
///
/// For a held hire whose employee is in Personio already. The employee is read back, and nothing is created.
#[utoipa::path(post, path = "/v1/hires/{id}/link", tag = tag::HIRES, operation_id = "link_hire",
    params(
        ("id" = Uuid, Path, description = "The hire's id"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of the hire that was looked at: if it has \
            changed since, nothing is done", example = "\"7\""),
    ),
    request_body(content = Link, description = "The employee"),
    responses(
        (status = 200, description = "The hire as it is now", body = HireShape),
        (status = 409, description = "The hire is not held"),
        (status = 422, description = "Personio has no such employee"),
        (status = 502, description = "Personio could not be asked"),
        (status = 412, description = "The hire is not the version of `If-Match`"),
    ))]
pub(super) async fn link(
    sender: Sender,
    State(app): State<App>,
    language: Language,
    Id(id): Id,
    IfMatch(version): IfMatch,
    body::Json(link): body::Json<Link>,
) -> Changed {
    let by = By { operator: sender.name(), version };
    let hire = app.transfer.link(id, link.employee_id, &by).await?;
    shown(&app, &hire, language).await
}

/// Send one document once more.
///
/// For a document that failed, or of which it is unknown whether it is in Personio: look there first. It is taken from
/// the ATS again if it has to be. The employee is not touched.
#[utoipa::path(post, path = "/v1/hires/{id}/documents/{n}/send", tag = tag::HIRES, operation_id = "send_document",
    params(
        ("id" = Uuid, Path, description = "The hire's id"),
        ("n" = u32, Path, description = "The document's number within the hire", example = 1),
    ),
    responses(
        (status = 200, description = "The hire as it is now", body = HireShape),
        (status = 404, description = "There is no such hire or document"),
        (status = 409, description = "The document has neither failed nor is it unknown"),
    ))]
pub(super) async fn send_document(
    sender: Sender,
    State(app): State<App>,
    language: Language,
    path: Result<Path<(Uuid, u32)>, PathRejection>,
) -> Changed {
    let Ok(Path((id, n))) = path else { return Err(Problem::of(Code::InvalidId)) };
    let hire = app.transfer.send_document(HireId(id), n, sender.name(), app.settings.wait()).await?;
    shown(&app, &hire, language).await
}
