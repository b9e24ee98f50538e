//! What a person may ask of those who keep data: that it be erased, and who has looked at it.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::App;
use super::body;
use super::code::Code;
use super::contract::{StateName, tag};
use super::door::Admin;
use super::hires::{Id, shown};
use super::problem::Problem;
use super::shapes::HireShape;
use crate::domain::{Hire, HireId};
use crate::ledger::privacy::{Access, KeptDelivery, Look};
use crate::transfer::{FieldError, Whom};
use crate::words::Language;

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

/// Everything that is stored about a person.
#[derive(Serialize, ToSchema)]
pub(super) struct Export {
    hires: Vec<ExportedHire>,
}

/// Everything that is stored about one hire.
#[derive(Serialize, ToSchema)]
pub(super) struct ExportedHire {
    /// The hire as it is shown, with facts, plan, documents and history.
    hire: HireShape,
    /// What is stored of it encrypted, as it is stored: facts, corrections, plan, notes, what people changed.
    #[schema(value_type = Object)]
    record: Value,
    /// What came, as it came.
    deliveries: Vec<DeliveryShape>,
    /// What is stored of the documents encrypted, besides the files.
    #[schema(value_type = Vec<Object>)]
    documents: Vec<Value>,
    accesses: Vec<AccessShape>,
}

/// A delivery.
#[derive(Serialize, ToSchema)]
#[schema(as = ExportedDelivery)]
pub(super) struct DeliveryShape {
    source: String,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    event: String,
    delivery_id: Option<String>,
    /// The body as it came; `null` if it is kept no more.
    body: Option<String>,
}

impl From<KeptDelivery> for DeliveryShape {
    fn from(KeptDelivery { source, at, event, delivery_id, body }: KeptDelivery) -> Self {
        let body = body.map(|body| String::from_utf8_lossy(&body).into_owned());
        Self { source, at, event, delivery_id, body }
    }
}

/// Take out everything that is stored about a person.
///
/// The files of documents are not in it, but their names and places. It is noted in the hires' accesses. For admins.
#[utoipa::path(post, path = "/v1/people/export", tag = tag::PEOPLE, operation_id = "export_person",
    request_body(content = Who, description = "Who is meant"),
    responses(
        (status = 200, description = "Everything that is stored", body = Export),
        (status = 422, description = "Not exactly one way to say who is meant"),
    ))]
pub(super) async fn export(
    admin: Admin,
    State(app): State<App>,
    language: Language,
    body::Json(who): body::Json<Who>,
) -> Result<Json<Export>, Problem> {
    let mut hires = Vec::new();
    for hire in app.transfer.hires_of(&who.understood()?).await? {
        let privacy = app.transfer.ledger().privacy();
        privacy.looked(hire.id, admin.name(), Look::Exported, app.clock.now()).await?;
        hires.push(exported(&app, &hire, language).await?);
    }
    Ok(Json(Export { hires }))
}

async fn exported(app: &App, hire: &Hire, language: Language) -> Result<ExportedHire, Problem> {
    let ledger = app.transfer.ledger();
    let documents = ledger.shelf().of(&[hire.id]).await?;
    let value = |part: Result<Value, _>| part.map_err(|_| Problem::of(Code::Internal));
    let sheets = documents.iter().map(|one| value(serde_json::to_value(&one.sheet)));
    Ok(ExportedHire {
        hire: shown(app, hire, language).await?.hire.1,
        record: value(serde_json::to_value(&hire.record))?,
        deliveries: ledger
            .privacy()
            .deliveries(hire.id)
            .await?
            .into_iter()
            .map(DeliveryShape::from)
            .collect(),
        documents: sheets.collect::<Result<_, _>>()?,
        accesses: ledger.privacy().accesses(hire.id).await?.into_iter().map(AccessShape::from).collect(),
    })
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
