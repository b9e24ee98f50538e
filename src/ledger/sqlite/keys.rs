//! While one key of the ledger replaces another: what is sealed with which.

use std::sync::Arc;

use rusqlite::types::Value;
use rusqlite::{Connection, params, params_from_iter};

use super::row::uuid;
use super::statements::Answer;
use super::{SqliteLedger, log};
use crate::ledger::LedgerError;
use crate::ledger::seal::{KeyId, Seal};
use crate::ledger::sealed::{BATCH, OF_SQLITE, SealedColumn};

/// How much is sealed with these keys.
pub(super) fn sealed_by(db: &Connection, keys: &[KeyId]) -> rusqlite::Result<u64> {
    if keys.is_empty() {
        return Ok(0);
    }
    OF_SQLITE.iter().try_fold(0, |sum, column| {
        let rows = column.sealed_by(keys.len(), |n| format!("?{}", n + 1));
        let values = params_from_iter(keys.iter().map(|key| key.to_vec()));
        let count: i64 = db.query_row(&format!("SELECT count(*) FROM {rows}"), values, |row| row.get(0))?;
        Ok(sum + u64::try_from(count).unwrap_or_default())
    })
}

/// What is sealed in one row.
struct Old {
    row: Value,
    place: String,
    sealed: Vec<u8>,
}

impl SqliteLedger {
    /// Seals everything anew that another key has sealed. A row that was changed since it was read is left alone:
    /// whoever changed it has used the key of today.
    pub(super) async fn seal_anew(&self, told: &(dyn Fn(u64) + Send + Sync)) -> Answer<u64> {
        let mut all = 0;
        for column in OF_SQLITE {
            let mut after = Value::Null;
            loop {
                let (seal, from) = (Arc::clone(&self.seal), after.clone());
                let old = self.readers.run(move |db| old(db, column, &seal.others(), &from)).await?;
                let Some(last) = old.last() else { break };
                after = last.row.clone();
                let seal = Arc::clone(&self.seal);
                let done = self.writer.run(move |db| replace(db, column, &old, &seal)).await?;
                all += done;
                told(done);
            }
        }
        if all > 0 {
            // What the log still has was sealed with the old key.
            let anew = |_: &Connection| {
                log::begin_anew();
                Ok(())
            };
            self.writer.run(anew).await?;
        }
        Ok(all)
    }
}

fn old(db: &Connection, column: &SealedColumn, keys: &[KeyId], after: &Value) -> Answer<Vec<Old>> {
    let SealedColumn { column: name, row, place, .. } = column;
    let rows = column.sealed_by(keys.len(), |n| format!("?{}", n + 2));
    let sql = format!(
        "SELECT {row}, {name}, {place} FROM {rows} AND (?1 IS NULL OR {row} > ?1) ORDER BY {row} LIMIT {BATCH}"
    );
    let keys = keys.iter().map(|key| Value::Blob(key.to_vec()));
    let values = params_from_iter(std::iter::once(after.clone()).chain(keys));
    let mut select = db.prepare_cached(&sql)?;
    let parts = place.split(", ").count();
    let rows = select.query_map(values, |row| {
        let place = (2..2 + parts).map(|n| Ok(shown(&row.get(n)?))).collect::<rusqlite::Result<Vec<_>>>()?;
        Ok(Old { row: row.get(0)?, sealed: row.get(1)?, place: place.join(" ") })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A part of a place; what is in bytes is an id.
fn shown(part: &Value) -> String {
    match part {
        Value::Text(text) => text.clone(),
        Value::Integer(number) => number.to_string(),
        Value::Blob(id) => uuid(id).to_string(),
        Value::Null | Value::Real(_) => String::new(),
    }
}

fn replace(db: &Connection, column: &SealedColumn, old: &[Old], seal: &Seal) -> Answer<u64> {
    let SealedColumn { table, column: name, row, .. } = column;
    let sql = format!("UPDATE {table} SET {name} = ?3 WHERE {row} = ?1 AND {name} = ?2");
    let mut update = db.prepare_cached(&sql)?;
    let mut done = 0;
    for Old { row, place, sealed } in old {
        match seal.reseal(place, sealed) {
            Ok(anew) => done += update.execute(params![row, sealed, anew])?,
            Err(error @ LedgerError::Damaged(_)) => tracing::error!(%error, "it stays under the old key"),
            Err(error) => return Err(error),
        }
    }
    Ok(u64::try_from(done).unwrap_or_default())
}
