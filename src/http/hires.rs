//! Hires, seen: a list of them, and one with its history.

use axum::Json;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::request::Parts;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::App;
use super::body;
use super::code::Code;
use super::contract::{FlagName, StateName, tag};
use super::door::Viewer;
use super::language::Spoken;
use super::list::{self, Page, SearchRequest};
use super::problem::Problem;
use super::shapes::{HireShape, ThereShape};
use super::version::Shown;
use crate::domain::{self, HireId};
use crate::ledger::privacy::Look;
use crate::transfer::Search;
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
        ("reason" = Option<String>, Query, description = "Only those that are in their state for this reason",
            example = "missing"),
        ("needs" = Option<String>, Query, description = "`person`: only those that a person has to look at. They are held, \
            flagged, or have waited for a day; not those that somebody took off the list", example = "person"),
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
    answer(&app, language, &page.0).await
}

/// Look for hires by name.
///
/// As the list is asked, with the name in the body: a URL ends up in logs. Whoever is called so is found in what is
/// stored, so that erased people are not. A page may be short, or empty, although there is a next one.
#[utoipa::path(post, path = "/v1/hires/search", tag = tag::HIRES, operation_id = "search_hires",
    request_body(content = SearchRequest, description = "The name, and which hires"),
    responses(
        (status = 200, description = "A page of hires", body = HireList),
        (status = 422, description = "Some fields are not right"),
    ))]
pub(super) async fn search(
    _: Viewer,
    State(app): State<App>,
    language: Language,
    body::Json(request): body::Json<SearchRequest>,
) -> Result<Spoken<HireList>, Problem> {
    answer(&app, language, &request.understood()?).await
}

async fn answer(app: &App, language: Language, search: &Search) -> Result<Spoken<HireList>, Problem> {
    let found = app.transfer.search(search).await?;
    let (hires, next_cursor) = (found.hires, found.next.map(list::cursor));
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
    viewer: Viewer,
    State(app): State<App>,
    language: Language,
    Id(id): Id,
) -> Result<Shown, Problem> {
    let hire = app.transfer.ledger().hire(id).await?.ok_or_else(|| Problem::of(Code::HireNotFound))?;
    looked(&app, id, viewer.name()).await;
    shown(&app, &hire, language).await
}

/// What is in Personio now.
///
/// Personio is asked while you wait, and nothing of it is stored: for the hire's employee, or, as long as there is
/// none, for everybody with its e-mail address. Only attributes of the plan are shown.
#[utoipa::path(get, path = "/v1/hires/{id}/personio", tag = tag::HIRES, operation_id = "hire_in_personio",
    params(("id" = Uuid, Path, description = "The hire's id")),
    responses(
        (status = 200, description = "Who is there; nobody is an empty list", body = ThereShape),
        (status = 409, description = "The credential may not read employees"),
        (status = 502, description = "Personio could not be asked"),
    ))]
pub(super) async fn there(
    viewer: Viewer,
    State(app): State<App>,
    Id(id): Id,
) -> Result<Json<ThereShape>, Problem> {
    let people = app.transfer.there(id).await?;
    looked(&app, id, viewer.name()).await;
    Ok(Json(ThereShape::of(people, &app.transfer)))
}

/// Notes who opened the hire. With a full disk it is shown all the same: whoever mends that has to see.
async fn looked(app: &App, id: HireId, operator: &str) {
    let privacy = app.transfer.ledger().privacy();
    if let Err(error) = privacy.looked(id, operator, Look::Opened, app.clock.now()).await {
        tracing::warn!(hire = %id, operator, %error, "that a hire was opened could not be noted");
    }
}

/// A hire as the API shows one: with its facts and its history.
pub(super) async fn shown(app: &App, hire: &domain::Hire, language: Language) -> Result<Shown, Problem> {
    let history = app.transfer.ledger().history(hire.id).await?;
    let documents = app.transfer.ledger().shelf().of(&[hire.id]).await?;
    let documents: Vec<_> = documents.iter().collect();
    let shape = HireShape::of(hire, &documents, &app.transfer, language).in_full(hire, history);
    Ok(Shown { version: hire.version(), hire: Spoken(language, shape) })
}
