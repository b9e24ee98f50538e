//! How things stand: what waits for a person, and what is under way.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::App;
use super::contract::tag;
use super::door::Viewer;
use super::problem::Problem;
use super::sources::PersonioShape;

/// How things stand.
#[derive(Serialize, ToSchema)]
pub(super) struct Status {
    /// The version of the service.
    version: &'static str,
    personio: PersonioShape,
    /// How many hires a person has to look at: `GET /v1/hires?needs=person` lists them.
    needs_person: u64,
    /// How many hires are in each state.
    hires: BTreeMap<&'static str, u64>,
    /// When the oldest hire was received that has neither ended nor waits for a person.
    #[schema(value_type = Option<String>, format = DateTime)]
    oldest_unfinished_at: Option<Timestamp>,
}

/// How things stand.
///
/// What waits for a person, what is under way, and whether Personio answers. Numbers only; `GET /v1/sources` tells of
/// each source.
#[utoipa::path(get, path = "/v1/status", tag = tag::SIGHT, operation_id = "status", responses(
    (status = 200, description = "How things stand", body = Status, example = json!({
        "version": "0.1.0",
        "personio": {"state": "ok", "next_try_at": null},
        "needs_person": 2,
        "hires": {"created": 41, "held": 2},
        "oldest_unfinished_at": null,
    })),
))]
pub(super) async fn show(_: Viewer, State(app): State<App>) -> Result<Json<Status>, Problem> {
    let ledger = app.transfer.ledger();
    let mut hires = BTreeMap::new();
    for ((_, state), count) in ledger.counts().await? {
        *hires.entry(state).or_default() += count;
    }
    Ok(Json(Status {
        version: env!("CARGO_PKG_VERSION"),
        personio: app.transfer.way().into(),
        needs_person: app.transfer.need_a_person().await?,
        hires,
        oldest_unfinished_at: ledger.oldest_unfinished().await?,
    }))
}
