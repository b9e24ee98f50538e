//! The columns of `hires` as SQLite's values.

use rusqlite::types::Value;
use uuid::Uuid;

use crate::ledger::row::Row;

/// The columns that [`read`] reads, in its order.
pub(super) const COLUMNS: &str = "id, kind, account, application, source, state, reason, version, next_at, since, tries, \
     look_up_zero, employee, flags, received_at, updated_at, record, audit_at";

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
        audit_at: row.get(17)?,
        received_at: row.get(14)?,
        updated_at: row.get(15)?,
        record: row.get(16)?,
    })
}

/// The values that a save writes, in the order of its statement.
pub(super) fn changing(row: &Row) -> [Value; 13] {
    let text = |text: &Option<String>| text.clone().map_or(Value::Null, Value::Text);
    let hash = |hash: &Option<Vec<u8>>| hash.clone().map_or(Value::Null, Value::Blob);
    let number = |number: Option<i64>| number.map_or(Value::Null, Value::Integer);
    [
        Value::Text(row.state.clone()),
        text(&row.reason),
        number(row.next_at),
        number(row.since),
        Value::Integer(row.tries.into()),
        Value::Text(row.look_up_zero.clone()),
        number(row.employee),
        Value::Text(row.flags.clone()),
        hash(&row.person_hash),
        Value::Integer(row.updated_at),
        Value::Blob(row.record.clone()),
        hash(&row.candidate_hash),
        number(row.audit_at),
    ]
}

pub(super) fn uuid(bytes: &[u8]) -> Uuid {
    Uuid::from_slice(bytes).unwrap_or_default()
}
