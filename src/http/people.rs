//! What a person may ask of those who keep data: that it be erased, and who has looked at it.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::App;
use super::body;
use super::code::Code;
use super::contract::{StateName, tag};
use super::door::Admin;
use super::hires::Id;
use super::problem::Problem;
use crate::domain::{Hire, HireId};
use crate::ledger::privacy::Access;
use crate::transfer::{FieldError, Whom};

/// Who is meant: exactly one of `hire`, `ats_id` with `source`, `email` and `employee`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"email": "mia.beispiel@example.org"}))]
pub(super) struct Who {
    /// The id of one of the person's hires.
    hire: Option<Uuid>,
    /// The application's id at the ATS of `source`.
    ats_id: Option<String>,
    /// The source that `ats_id` is about.
    source: Option<String>,
    /// An e-mail address of the person: every record is looked at.
    email: Option<String>,
    /// The employee's id in Personio.
    employee: Option<u64>,
    /// Only say which hires are meant.
    #[serde(default)]
    dry_run: bool,
}

impl Who {
    fn understood(self) -> Result<Whom, Problem> {
        let of_source = (self.ats_id, self.source);
        let all = [
            self.hire.map(|id| Whom::Hire(HireId(id))),
            self.email.filter(|email| !email.trim().is_empty()).map(Whom::Email),
            self.employee.map(Whom::Employee),
        ];
        let mut named: Vec<_> = all.into_iter().flatten().collect();
        let is_half = match of_source {
            (Some(id), Some(source)) => {
                named.push(Whom::AtsId { source, id });
                false
            }
            (None, None) => false,
            _ => true,
        };
        match named.pop().filter(|_| named.is_empty() && !is_half) {
            Some(whom) => Ok(whom),
            None => Err(Problem::of(Code::Invalid).fields(vec![FieldError {
                field: "hire".to_owned(),
                message: "exactly one of `hire`, `ats_id` with `source`, `email` and `employee` is needed"
                    .to_owned(),
            }])),
        }
    }
}

/// What was found, and what became of it.
#[derive(Serialize, ToSchema)]
pub(super) struct Erasures {
    /// The hires that were found, as they were before.
    found: Vec<FoundHire>,
    /// Of these nothing personal is left.
    hires: Vec<Uuid>,
    /// These are being sent, or nobody knows yet whether they were: each is erased as soon as that has ended.
    pending: Vec<Uuid>,
}

/// A hire of the person.
#[derive(Serialize, ToSchema)]
pub(super) struct FoundHire {
    id: Uuid,
    #[schema(value_type = StateName)]
    state: &'static str,
}

impl From<&Hire> for FoundHire {
    fn from(hire: &Hire) -> Self {
        Self { id: hire.id.0, state: hire.state().name() }
    }
}

/// Erase the person of one hire.
///
/// Facts, plan, corrections, deliveries and files are gone, here alone: Personio and the ATS are not touched. What stays
/// names nobody, and a later delivery of the same hire is known by it and not stored. For admins.
#[utoipa::path(delete, path = "/v1/hires/{id}/person", tag = tag::PEOPLE, operation_id = "erase_hire",
    params(("id" = Uuid, Path, description = "The hire's id")),
    responses(
        (status = 204, description = "Nothing personal is left"),
        (status = 202, description = "The hire is being sent, or nobody knows yet whether it was: it is erased as soon \
            as that has ended"),
        (status = 404, description = "There is no such hire, or it was erased before"),
    ))]
pub(super) async fn erase_one(
    admin: Admin,
    State(app): State<App>,
    Id(id): Id,
) -> Result<StatusCode, Problem> {
    let done = app.transfer.erase_one(id, admin.name()).await?;
    Ok(if done { StatusCode::NO_CONTENT } else { StatusCode::ACCEPTED })
}

/// Erase a person, in all hires that are found.
///
/// With `dry_run` nothing is erased. Personio and the ATS are not touched. For admins.
#[utoipa::path(post, path = "/v1/people/erase", tag = tag::PEOPLE, operation_id = "erase_person",
    request_body(content = Who, description = "Who is meant"),
    responses(
        (status = 200, description = "Which hires were found, and what became of them", body = Erasures),
        (status = 422, description = "Not exactly one way to say who is meant"),
    ))]
pub(super) async fn erase(
    admin: Admin,
    State(app): State<App>,
    body::Json(who): body::Json<Who>,
) -> Result<Json<Erasures>, Problem> {
    let dry_run = who.dry_run;
    let hires = app.transfer.hires_of(&who.understood()?).await?;
    let found = hires.iter().map(FoundHire::from).collect();
    let ids: Vec<_> = hires.iter().map(|hire| hire.id).filter(|_| !dry_run).collect();
    let erased = app.transfer.erase(&ids, admin.name()).await?;
    let uuids = |ids: Vec<HireId>| ids.into_iter().map(|id| id.0).collect();
    Ok(Json(Erasures { found, hires: uuids(erased.hires), pending: uuids(erased.pending) }))
}

/// Who has looked at a hire.
#[derive(Serialize, ToSchema)]
pub(super) struct AccessList {
    accesses: Vec<AccessShape>,
}

/// That an operator looked at a hire, once or more often in that hour.
#[derive(Serialize, ToSchema)]
#[schema(as = Access)]
pub(super) struct AccessShape {
    /// The operator's name.
    operator: String,
    /// `opened` or `exported`.
    #[schema(example = "opened")]
    what: String,
    /// When the hour began.
    #[schema(value_type = String, format = DateTime)]
    hour: Timestamp,
}

impl From<Access> for AccessShape {
    fn from(Access { operator, what, hour }: Access) -> Self {
        Self { operator, what, hour }
    }
}

/// Who has looked at a hire, and in which hours.
///
/// Kept as long as `[retention] accesses` says, also of hires that were erased. For admins.
#[utoipa::path(get, path = "/v1/hires/{id}/accesses", tag = tag::PEOPLE, operation_id = "hire_accesses",
    params(("id" = Uuid, Path, description = "The hire's id")),
    responses((status = 200, description = "The oldest first", body = AccessList)))]
pub(super) async fn accesses(_: Admin, State(app): State<App>, Id(id): Id) -> Result<Response, Problem> {
    let ledger = app.transfer.ledger();
    if ledger.hire(id).await?.is_none() {
        return Err(Problem::of(Code::HireNotFound));
    }
    let accesses = ledger.privacy().accesses(id).await?.into_iter().map(AccessShape::from).collect();
    Ok(Json(AccessList { accesses }).into_response())
}
