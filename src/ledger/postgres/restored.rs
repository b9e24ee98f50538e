//! What a ledger remembers of having been restored from a dump.

use jiff::Timestamp;
use sqlx::postgres::PgPool;
use sqlx::{query, query_scalar};

use crate::ledger::snapshot::{COPY, RESTORED, Restored, restored as read};

/// Since when this ledger is a restored one. A dump becomes one when it is opened: whoever restored it has left
/// a mark. Who worked on hires when it was made is gone: no
/// lease needs to be waited for.
pub(super) async fn restored(db: &PgPool, now: Timestamp) -> Result<Option<Restored>, sqlx::Error> {
    query(
        "WITH dump AS (DELETE FROM meta WHERE name = $1 RETURNING name), \
           freed AS (UPDATE hires SET lease_until = NULL, claimed_until = NULL FROM dump WHERE state = 'sending' OR claimed_until > clock_timestamp()) \
         INSERT INTO meta (name, value) SELECT $2, $3 FROM dump ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    )
    .bind(COPY)
    .bind(RESTORED)
    .bind(now.to_string().into_bytes())
    .execute(db)
    .await?;
    let value: Option<Vec<u8>> =
        query_scalar("SELECT value FROM meta WHERE name = $1").bind(RESTORED).fetch_optional(db).await?;
    Ok(value.as_deref().and_then(read))
}
