//! The bodies of deliveries, kept for their time.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::statements::Answer;
use crate::ledger::bodies::NEEDS_NO_BODIES;

/// Deletes so many at most of those that came before; how many it were.
pub(super) fn forget(db: &Connection, before: Timestamp, limit: usize) -> Answer<usize> {
    let sql = format!(
        "UPDATE deliveries SET body = NULL WHERE n IN ( \
           SELECT n FROM deliveries JOIN hires ON hires.id = deliveries.hire \
           WHERE deliveries.body IS NOT NULL AND deliveries.at < ?1 AND {NEEDS_NO_BODIES} LIMIT ?2)"
    );
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    Ok(db.prepare_cached(&sql)?.execute(params![before.as_millisecond(), limit])?)
}
