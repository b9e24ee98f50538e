//! A copy of the ledger, for whoever keeps it elsewhere.

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName};
use axum::response::IntoResponse;
use tokio_util::io::ReaderStream;

use super::App;
use super::code::Code;
use super::contract::tag;
use super::door::Admin;
use super::problem::Problem;
use crate::ledger::SnapshotError;

/// The media type of SQLite's files.
const SQLITE: &str = "application/vnd.sqlite3";

/// So much of the copy is in memory at a time.
const CHUNK: usize = 64 * 1024;

/// A copy of the ledger as it is now.
///
/// A whole and checked SQLite file; the service goes on meanwhile. What is personal in it is encrypted under the
/// ledger's key, **which is not in it**: without that key nothing personal can be read. If fewer bytes arrive than
/// `Content-Length` says, it is not whole. A ledger on PostgreSQL is backed up with PostgreSQL's own means.
#[utoipa::path(post, path = "/v1/backup", tag = tag::SIGHT, operation_id = "backup", responses(
    (status = 200, description = "The file", body = Vec<u8>, content_type = "application/vnd.sqlite3"),
    (status = 409, description = "The ledger is on PostgreSQL: `backup_elsewhere`"),
    (status = 503, description = "One is being made already: `overloaded`; or it could not be made: `ledger_unavailable`"),
))]
pub(super) async fn backup(admin: Admin, State(app): State<App>) -> Result<impl IntoResponse, Problem> {
    let copy = app.transfer.ledger().snapshot(app.clock.now()).await.map_err(|error| refusal(&error))?;
    tracing::info!(operator = admin.name(), bytes = copy.length, "a backup was made");
    let file = ReaderStream::with_capacity(tokio::fs::File::from_std(copy.file), CHUNK);
    let headers: [(HeaderName, String); 2] =
        [(CONTENT_TYPE, SQLITE.to_owned()), (CONTENT_LENGTH, copy.length.to_string())];
    Ok((headers, Body::from_stream(file)))
}

fn refusal(error: &SnapshotError) -> Problem {
    match error {
        SnapshotError::Elsewhere => Problem::of(Code::BackupElsewhere),
        SnapshotError::Busy => Problem::of(Code::Overloaded).detail("backup_running"),
        SnapshotError::Failed(why) => {
            tracing::error!(%why, "a backup could not be made");
            Problem::of(Code::LedgerUnavailable).detail("backup_failed")
        }
    }
}
