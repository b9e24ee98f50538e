//! Values that are always translated: proposed with a correction, confirmed and revoked by an admin.

use axum::Json;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::Serialize;
use url::form_urlencoded;
use utoipa::ToSchema;
use uuid::Uuid;

use super::App;
use super::code::Code;
use super::contract::tag;
use super::door::{Admin, Viewer};
use super::problem::Problem;
use crate::domain::{Said, Translation};

/// The id of a value in a path.
pub(super) struct Id(Uuid);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let id = Path::<Uuid>::from_request_parts(parts, state).await;
        id.map(|Path(id)| Self(id)).map_err(|_| Problem::of(Code::ValueNotFound))
    }
}

/// What a list is to look like.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Json,
    Toml,
}

impl<S: Sync> FromRequestParts<S> for Format {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut format = Self::Json;
        for (name, value) in form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()) {
            format = match (&*name, &*value) {
                ("format", "json") => Self::Json,
                ("format", "toml") => Self::Toml,
                ("format", _) => return Err(wrong(&name, "must be `json` or `toml`")),
                _ => return Err(wrong(&name, "is not a known parameter")),
            };
        }
        Ok(format)
    }
}

fn wrong(name: &str, expected: &str) -> Problem {
    Problem::of(Code::InvalidQuery).field(name, expected)
}

/// The values that are, or are to be, always translated.
#[derive(Serialize, ToSchema)]
pub(super) struct ValueList {
    values: Vec<ValueShape>,
}

/// What an ATS says, and what Personio always gets in its place.
#[derive(Serialize, ToSchema)]
#[schema(as = Value, example = json!({
    "id": "01942f5e-9c1b-7c3e-8a37-2f6f2a6f0c11",
    "state": "proposed",
    "source": "ashby",
    "attribute": "department",
    "from": "Eng",
    "to": "Engineering",
    "hire": "01942f5e-9c1b-7c3e-8a37-2f6f2a6f0c10",
    "proposed": {"by": "mia", "at": "2027-01-04T09:12:44Z"},
    "confirmed": null,
}))]
pub(super) struct ValueShape {
    id: Uuid,
    /// `proposed`: nothing comes of it yet; `confirmed`: it is part of every plan of the source.
    #[schema(example = "proposed")]
    state: &'static str,
    /// The source for whose hires it is.
    source: String,
    /// The Personio attribute.
    attribute: String,
    /// What the ATS says, to the letter.
    from: String,
    /// What Personio gets.
    to: String,
    /// The hire that was corrected.
    hire: Uuid,
    /// Who corrected it.
    proposed: SaidShape,
    /// Who confirmed it.
    confirmed: Option<SaidShape>,
}

/// Who said something, and when.
#[derive(Serialize, ToSchema)]
#[schema(as = Said)]
pub(super) struct SaidShape {
    /// The operator's name.
    by: String,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

impl From<Said> for SaidShape {
    fn from(Said { by, at }: Said) -> Self {
        Self { by, at }
    }
}

impl From<Translation> for ValueShape {
    fn from(one: Translation) -> Self {
        Self {
            id: one.id,
            state: if one.confirmed.is_some() { "confirmed" } else { "proposed" },
            source: one.source,
            attribute: one.attribute,
            from: one.from,
            to: one.to,
            hire: one.hire.0,
            proposed: one.proposed.into(),
            confirmed: one.confirmed.map(SaidShape::from),
        }
    }
}

/// List the values that are always translated, proposed and confirmed.
///
/// As TOML: the confirmed ones as lines of the configuration. Put them there in place of the lines of the same
/// attributes, then revoke them here.
#[utoipa::path(get, path = "/v1/values", tag = tag::VALUES, operation_id = "list_values",
    params(("format" = Option<String>, Query, description = "`json` or `toml`; `json` if not given", example = "toml")),
    responses(
        (status = 200, description = "The values, oldest first", content(
            (ValueList = "application/json"), (String = "application/toml"))),
        (status = 400, description = "The query is not understood"),
    ))]
pub(super) async fn list(_: Viewer, State(app): State<App>, format: Format) -> Result<Response, Problem> {
    if format == Format::Toml {
        let toml = app.transfer.translations_as_toml().await?;
        return Ok(([(CONTENT_TYPE, "application/toml; charset=utf-8")], toml).into_response());
    }
    let values = app.transfer.translations().await?.into_iter().map(ValueShape::from).collect();
    Ok(Json(ValueList { values }).into_response())
}

/// Confirm a proposed value: from now on it is part of every plan of its source.
///
/// In place of another one for the same value of the ATS. For admins.
#[utoipa::path(post, path = "/v1/values/{value}/confirm", tag = tag::VALUES, operation_id = "confirm_value",
    params(("value" = Uuid, Path, description = "The value's id")),
    responses(
        (status = 200, description = "The value", body = ValueShape),
        (status = 404, description = "There is no such value"),
    ))]
pub(super) async fn confirm(
    admin: Admin,
    State(app): State<App>,
    Id(id): Id,
) -> Result<Json<ValueShape>, Problem> {
    Ok(Json(app.transfer.confirm(id, admin.name()).await?.into()))
}

/// Revoke a value, proposed or confirmed.
///
/// From now on it is part of no plan; what was sent with it stays as it is. For admins.
#[utoipa::path(delete, path = "/v1/values/{value}", tag = tag::VALUES, operation_id = "revoke_value",
    params(("value" = Uuid, Path, description = "The value's id")),
    responses(
        (status = 204, description = "It is gone"),
        (status = 404, description = "There is no such value"),
    ))]
pub(super) async fn revoke(admin: Admin, State(app): State<App>, Id(id): Id) -> Result<StatusCode, Problem> {
    app.transfer.revoke(id, admin.name()).await?;
    Ok(StatusCode::NO_CONTENT)
}
