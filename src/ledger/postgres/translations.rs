//! Values that people want to hold from now on.

use sqlx::postgres::PgPool;
use sqlx::{query, query_as};
use uuid::Uuid;

use super::statements::Answer;
use crate::ledger::translation::Sealed;

/// Adds a proposal, in place of an earlier one for the same value.
pub(super) async fn propose(db: &PgPool, new: &Sealed) -> Answer<()> {
    query(
        "INSERT INTO translations (id, slot, confirmed, entry) VALUES ($1, $2, false, $3) \
         ON CONFLICT (slot, confirmed) DO UPDATE SET id = excluded.id, entry = excluded.entry",
    )
    .bind(new.id)
    .bind(&new.slot)
    .bind(&new.entry)
    .execute(db)
    .await?;
    Ok(())
}

/// From now on it holds, and no other for the same value; not if it is gone.
pub(super) async fn confirm(db: &PgPool, one: &Sealed) -> Answer<bool> {
    let mut both = db.begin().await?;
    // Two may be confirmed for the same value at once, on two replicas: one after the other then.
    query("LOCK TABLE translations IN SHARE ROW EXCLUSIVE MODE").execute(&mut *both).await?;
    query(
        "DELETE FROM translations WHERE slot = $1 AND confirmed AND id <> $2 \
           AND EXISTS (SELECT FROM translations WHERE id = $2)",
    )
    .bind(&one.slot)
    .bind(one.id)
    .execute(&mut *both)
    .await?;
    let confirmed = query("UPDATE translations SET confirmed = true, entry = $2 WHERE id = $1")
        .bind(one.id)
        .bind(&one.entry)
        .execute(&mut *both)
        .await?;
    both.commit().await?;
    Ok(confirmed.rows_affected() == 1)
}

/// Whether it was there. A repeat after a lost answer says that it was not: it is gone either way.
pub(super) async fn revoke(db: &PgPool, id: Uuid) -> Answer<bool> {
    let gone = query("DELETE FROM translations WHERE id = $1").bind(id).execute(db).await?;
    Ok(gone.rows_affected() == 1)
}

/// All of them, oldest first.
pub(super) async fn all(db: &PgPool) -> Answer<Vec<(Uuid, Vec<u8>)>> {
    query_as("SELECT id, entry FROM translations ORDER BY id").fetch_all(db).await
}
