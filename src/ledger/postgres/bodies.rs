//! The bodies of deliveries, kept for their time.

use jiff::Timestamp;
use sqlx::postgres::PgPool;
use sqlx::{AssertSqlSafe, query};

use super::statements::Answer;
use crate::ledger::bodies::NEEDS_NO_BODIES;

/// Deletes so many at most of those that came before; how many it were.
pub(super) async fn forget(db: &PgPool, before: Timestamp, limit: usize) -> Answer<usize> {
    let sql = format!(
        "UPDATE deliveries SET body = NULL WHERE n IN ( \
           SELECT n FROM deliveries JOIN hires ON hires.id = deliveries.hire \
           WHERE deliveries.body IS NOT NULL AND deliveries.at < $1 AND {NEEDS_NO_BODIES} LIMIT $2)"
    );
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let gone = query(AssertSqlSafe(sql)).bind(before.as_millisecond()).bind(limit).execute(db).await?;
    Ok(usize::try_from(gone.rows_affected()).unwrap_or(usize::MAX))
}
