//! While one key of the ledger replaces another: what is sealed with which.

use sqlx::postgres::{PgConnection, PgPool};
use sqlx::{AssertSqlSafe, Executor, query, query_as, query_scalar};

use super::statements::Answer;
use crate::ledger::LedgerError;
use crate::ledger::seal::{KeyId, Seal};
use crate::ledger::sealed::{BATCH, OF_POSTGRES, SealedColumn};

/// However much there is to be looked through, the server does not give up.
const PATIENT: &str = "SET LOCAL statement_timeout TO 0";

/// How much is sealed with these keys, for a caller who is patient.
pub(super) async fn sealed_by(db: &mut PgConnection, keys: &[KeyId]) -> Answer<u64> {
    let mut sum = 0;
    if keys.is_empty() {
        return Ok(sum);
    }
    for column in OF_POSTGRES {
        let rows = column.sealed_by(keys.len(), |n| format!("${}", n + 1));
        let sql = format!("SELECT count(*) FROM {rows}");
        let counting =
            keys.iter().fold(query_scalar(AssertSqlSafe(sql)), |counting, key| counting.bind(key.to_vec()));
        let count: i64 = counting.fetch_one(&mut *db).await?;
        sum += u64::try_from(count).unwrap_or_default();
    }
    Ok(sum)
}

/// The same, beside everything else.
pub(super) async fn left(db: &PgPool, keys: &[KeyId]) -> Answer<u64> {
    let mut all = db.begin().await?;
    all.execute(PATIENT).await?;
    sealed_by(&mut all, keys).await
}

/// Seals everything anew that another key has sealed. A row that was changed since it was read is left alone. Of
/// replicas with different keys only those do it whose key the ledger was opened with last: they would undo each
/// other's work for as long as both are there.
pub(super) async fn seal_anew(
    db: &PgPool,
    seal: &Seal,
    told: &(dyn Fn(u64) + Send + Sync),
) -> Result<u64, LedgerError> {
    let mut all = 0;
    for column in OF_POSTGRES {
        let mut after = "(0,0)".to_owned();
        loop {
            if !is_of_today(db, seal).await? {
                return Ok(all);
            }
            let old = old(db, column, &seal.others(), &after).await?;
            let Some(last) = old.last() else { break };
            after.clone_from(&last.0);
            let done = replace(db, column, &old, seal).await?;
            all += done;
            told(done);
        }
    }
    Ok(all)
}

async fn is_of_today(db: &PgPool, seal: &Seal) -> Answer<bool> {
    let sealed: Vec<u8> =
        query_scalar("SELECT value FROM meta WHERE name = 'tombstone_key'").fetch_one(db).await?;
    Ok(sealed.starts_with(&seal.current()))
}

/// Row, place and what is sealed.
type Old = (String, String, Vec<u8>);

async fn old(db: &PgPool, column: &SealedColumn, keys: &[KeyId], after: &str) -> Answer<Vec<Old>> {
    let SealedColumn { column: name, row, place, .. } = column;
    let rows = column.sealed_by(keys.len(), |n| format!("${}", n + 2));
    let sql = format!(
        "SELECT {row}::text, concat_ws(' ', {place}), {name} FROM {rows} AND {row} > $1::tid \
         ORDER BY {row} LIMIT {BATCH}"
    );
    let mut all = db.begin().await?;
    all.execute(PATIENT).await?;
    let asked = query_as(AssertSqlSafe(sql)).bind(after);
    keys.iter().fold(asked, |asked, key| asked.bind(key.to_vec())).fetch_all(&mut *all).await
}

async fn replace(db: &PgPool, column: &SealedColumn, old: &[Old], seal: &Seal) -> Result<u64, LedgerError> {
    let SealedColumn { table, column: name, row, .. } = column;
    let sql = format!("UPDATE {table} SET {name} = $3 WHERE {row} = $1::tid AND {name} = $2");
    let (mut all, mut done) = (db.begin().await?, 0);
    for (row, place, sealed) in old {
        match seal.reseal(place, sealed) {
            Ok(anew) => {
                let one = query(AssertSqlSafe(sql.clone())).bind(row).bind(sealed).bind(anew);
                done += one.execute(&mut *all).await?.rows_affected();
            }
            Err(error @ LedgerError::Damaged(_)) => tracing::error!(%error, "it stays under the old key"),
            Err(error) => return Err(error),
        }
    }
    all.commit().await?;
    Ok(done)
}
