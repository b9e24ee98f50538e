//! The columns of `hires` as SQLite's values.

use rusqlite::ToSql;
use uuid::Uuid;

use crate::ledger::row::Row;

/// The columns that [`read`] reads, in its order.
pub(super) const COLUMNS: &str = "id, kind, account, application, source, state, reason, version, next_at, since, tries, \
     look_up_zero, employee, flags, received_at, updated_at, \
     (SELECT sealed FROM records WHERE hire = hires.id AND part = 'facts'), \
     (SELECT sealed FROM records WHERE hire = hires.id AND part = 'rest'), audit_at";

/// Reads the [`COLUMNS`].
pub(super) fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    Ok(Row {
        id: uuid(&row.get::<_, Vec<u8>>(0)?),
        key_hash: Vec::new(),
        kind: row.get(1)?,
        account: row.get(2)?,
        application: row.get(3)?,
        source: row.get(4)?,
        state: row.get(5)?,
        reason: row.get(6)?,
        version: row.get(7)?,
        next_at: row.get(8)?,
        since: row.get(9)?,
        tries: row.get(10)?,
        look_up_zero: row.get(11)?,
        employee: row.get(12)?,
        flags: row.get(13)?,
        person_hash: None,
        candidate_hash: None,
        hashes_changed: false,
        audit_at: row.get(18)?,
        received_at: row.get(14)?,
        updated_at: row.get(15)?,
        facts: row.get(16)?,
        rest: row.get(17)?,
        kept: None,
    })
}

/// The values that a save writes, in the order of its statement.
pub(super) fn changing(row: &Row) -> [&dyn ToSql; 10] {
    [
        &row.state,
        &row.reason,
        &row.next_at,
        &row.since,
        &row.tries,
        &row.look_up_zero,
        &row.employee,
        &row.flags,
        &row.updated_at,
        &row.audit_at,
    ]
}

pub(super) fn uuid(bytes: &[u8]) -> Uuid {
    Uuid::from_slice(bytes).unwrap_or_default()
}
