//! Values that people want to hold from now on.

use rusqlite::{Connection, params};
use uuid::Uuid;

use super::row::uuid;
use super::statements::Answer;
use crate::ledger::translation::Sealed;

/// Adds a proposal, in place of an earlier one for the same value.
pub(super) fn propose(db: &Connection, new: &Sealed) -> Answer<()> {
    db.prepare_cached("DELETE FROM translations WHERE slot = ?1 AND confirmed = 0")?.execute([&new.slot])?;
    db.prepare_cached("INSERT INTO translations (id, slot, confirmed, entry) VALUES (?1, ?2, 0, ?3)")?
        .execute(params![new.id.as_bytes(), new.slot, new.entry])?;
    Ok(())
}

/// From now on it holds, and no other for the same value; not if it is gone.
pub(super) fn confirm(db: &Connection, one: &Sealed) -> Answer<bool> {
    db.prepare_cached(
        "DELETE FROM translations WHERE slot = ?1 AND confirmed = 1 AND id <> ?2 \
           AND EXISTS (SELECT 1 FROM translations WHERE id = ?2)",
    )?
    .execute(params![one.slot, one.id.as_bytes()])?;
    let confirmed = db
        .prepare_cached("UPDATE translations SET confirmed = 1, entry = ?2 WHERE id = ?1")?
        .execute(params![one.id.as_bytes(), one.entry])?;
    Ok(confirmed == 1)
}

pub(super) fn revoke(db: &Connection, id: Uuid) -> Answer<bool> {
    Ok(db.prepare_cached("DELETE FROM translations WHERE id = ?1")?.execute([id.as_bytes()])? == 1)
}

/// All of them, oldest first.
pub(super) fn all(db: &Connection) -> Answer<Vec<(Uuid, Vec<u8>)>> {
    let mut select = db.prepare_cached("SELECT id, entry FROM translations ORDER BY id")?;
    let rows = select.query_map([], |row| Ok((uuid(&row.get::<_, Vec<u8>>(0)?), row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
