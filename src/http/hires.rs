//! Hires, seen: a list of them, and one with its history.

use axum::extract::{FromRequestParts, Path, State};
use axum::http::request::Parts;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::App;
use super::code::Code;
use super::contract::{FlagName, StateName, tag};
use super::door::Viewer;
use super::language::Spoken;
use super::list::{self, Page};
use super::problem::Problem;
use super::shapes::HireShape;
use super::version::Shown;
use crate::domain::{self, HireId};
use crate::ledger::Filter;
use crate::words::Language;

/// The id of a hire in a path.
pub(super) struct Id(pub(super) HireId);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let id = Path::<Uuid>::from_request_parts(parts, state).await;
        id.map(|Path(id)| Self(HireId(id))).map_err(|_| Problem::of(Code::InvalidId))
    }
}

/// A page of hires.
#[derive(Serialize, ToSchema)]
pub(super) struct HireList {
    hires: Vec<HireShape>,
    /// Where the next page begins; `null` on the last one.
    #[schema(example = "AZQvXpwbfD6KNy9vKm8MEQ")]
    next_cursor: Option<String>,
}

/// List hires, newest first.
///
/// Without their histories. The next page is asked for with `cursor` and the same filters.
#[utoipa::path(get, path = "/v1/hires", tag = tag::HIRES, operation_id = "list_hires",
    params(
        ("state" = Option<StateName>, Query, description = "Only those in this state", example = "held"),
        ("source" = Option<String>, Query, description = "Only those of this source", example = "ashby"),
        ("ats_id" = Option<String>, Query, description = "Only the one with this id at the ATS"),
        ("flag" = Option<FlagName>, Query, description = "Only those that have this flag", example = "unhired"),
        ("since" = Option<String>, Query, description = "Only those received at this time or later",
            format = DateTime, example = "2027-01-31T09:00:00Z"),
        ("limit" = Option<usize>, Query, description = "How many, 50 if not given", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "The `next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "A page of hires", body = HireList),
        (status = 400, description = "The query is not understood"),
    ))]
pub(super) async fn list(
    _: Viewer,
    State(app): State<App>,
    language: Language,
    page: Page,
) -> Result<Spoken<HireList>, Problem> {
    let limit = page.0.limit;
    // One more than asked for tells whether there is a next page.
    let filter = Filter { limit: limit + 1, ..page.0 };
    let mut hires = app.transfer.ledger().list(&filter).await?;
    let more = hires.len() > limit;
    hires.truncate(limit);
    let next_cursor = hires.last().filter(|_| more).map(|last| list::cursor(last.id));
    let ids: Vec<_> = hires.iter().map(|hire| hire.id).collect();
    let documents = app.transfer.ledger().shelf().of(&ids).await?;
    let of =
        |hire: &domain::Hire| documents.iter().filter(move |one| one.hire == hire.id).collect::<Vec<_>>();
    let hires = hires.iter().map(|hire| HireShape::of(hire, &of(hire), &app.transfer, language)).collect();
    Ok(Spoken(language, HireList { hires, next_cursor }))
}

/// One hire, with its history.
///
/// What is known, what would be or was sent, what did not arrive, and who did what. Its `ETag` is the version: whoever
/// changes the hire with `If-Match` changes what was looked at, or nothing.
#[utoipa::path(get, path = "/v1/hires/{id}", tag = tag::HIRES, operation_id = "hire",
    params(("id" = Uuid, Path, description = "The hire's id")),
    responses(
        (status = 200, description = "The hire", body = HireShape,
            headers(("ETag" = String, description = "Its version, for `If-Match`"))),
        (status = 400, description = "The id is none"),
    ))]
pub(super) async fn one(
    _: Viewer,
    State(app): State<App>,
    language: Language,
    Id(id): Id,
) -> Result<Shown, Problem> {
    let hire = app.transfer.ledger().hire(id).await?.ok_or_else(|| Problem::of(Code::HireNotFound))?;
    shown(&app, &hire, language).await
}

/// A hire as the API shows one: with its facts and its history.
pub(super) async fn shown(app: &App, hire: &domain::Hire, language: Language) -> Result<Shown, Problem> {
    let history = app.transfer.ledger().history(hire.id).await?;
    let documents = app.transfer.ledger().shelf().of(&[hire.id]).await?;
    let documents: Vec<_> = documents.iter().collect();
    let shape = HireShape::of(hire, &documents, &app.transfer, language).in_full(hire, history);
    Ok(Shown { version: hire.version(), hire: Spoken(language, shape) })
}
