//! Erasing, and who has looked.

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::postgres::{PgConnection, PgPool};
use sqlx::{query, query_as, query_scalar};
use uuid::Uuid;

use super::statements::Answer;
use super::write::clean;
use super::{PostgresLedger, twice};
use crate::domain::{Actor, HireId};
use crate::ledger::LedgerError;
use crate::ledger::privacy::{
    Access, ERASE_REQUESTED, Erasure, KeptDelivery, Look, Privacy, has_ended, hour, is_on_its_way,
};
use crate::ledger::row::time;

#[async_trait]
impl Privacy for PostgresLedger {
    async fn erase(&self, hire: HireId, actor: &Actor, now: Timestamp) -> Result<Erasure, LedgerError> {
        let actor = actor.to_string();
        Ok(twice(|| erase(&self.pool, hire.0, &actor, now)).await?)
    }

    async fn erase_ended(
        &self,
        before: Timestamp,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<HireId>, LedgerError> {
        Ok(twice(|| erase_ended(&self.pool, before, now, limit)).await?)
    }

    async fn of_email(&self, email: &str) -> Result<Vec<HireId>, LedgerError> {
        let hash = self.seal.hash(email);
        let ids = || {
            query_scalar("SELECT id FROM hires WHERE person_hash = $1 ORDER BY id")
                .bind(&hash)
                .fetch_all(&self.pool)
        };
        Ok(twice(ids).await?.into_iter().map(HireId).collect())
    }

    async fn of_employee(&self, employee: u64) -> Result<Vec<HireId>, LedgerError> {
        let employee = i64::try_from(employee).ok();
        let ids = || {
            query_scalar("SELECT id FROM hires WHERE employee = $1 ORDER BY id")
                .bind(employee)
                .fetch_all(&self.pool)
        };
        Ok(twice(ids).await?.into_iter().map(HireId).collect())
    }

    async fn deliveries(&self, hire: HireId) -> Result<Vec<KeptDelivery>, LedgerError> {
        let read = || {
            query_as("SELECT source, at, event, delivery_id, body FROM deliveries WHERE hire = $1 ORDER BY n")
                .bind(hire.0)
                .fetch_all(&self.pool)
        };
        let all: Vec<(String, i64, String, Option<String>, Option<Vec<u8>>)> = twice(read).await?;
        let open = |(source, at, event, delivery_id, body): (_, i64, _, _, Option<Vec<u8>>)| {
            let body = body.map(|body| self.seal.unseal("body", &body)).transpose()?;
            Ok(KeptDelivery { source, at: time(at), event, delivery_id, body })
        };
        all.into_iter().map(open).collect()
    }

    async fn looked(
        &self,
        hire: HireId,
        operator: &str,
        look: Look,
        now: Timestamp,
    ) -> Result<(), LedgerError> {
        let note = || {
            query(
                "INSERT INTO accesses (hire, operator, what, hour) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
            )
            .bind(hire.0)
            .bind(clean(operator))
            .bind(look.name())
            .bind(hour(now))
            .execute(&self.pool)
        };
        twice(note).await?;
        Ok(())
    }

    async fn accesses(&self, hire: HireId) -> Result<Vec<Access>, LedgerError> {
        let read = || {
            query_as(
                "SELECT operator, what, hour FROM accesses WHERE hire = $1 ORDER BY hour, operator, what",
            )
            .bind(hire.0)
            .fetch_all(&self.pool)
        };
        let all: Vec<(String, String, i64)> = twice(read).await?;
        Ok(all
            .into_iter()
            .map(|(operator, what, hour)| Access { operator, what, hour: time(hour) })
            .collect())
    }

    async fn forget_accesses(&self, before: Timestamp) -> Result<(), LedgerError> {
        let forget = || query("DELETE FROM accesses WHERE hour < $1").bind(hour(before)).execute(&self.pool);
        twice(forget).await?;
        Ok(())
    }
}

/// The row is locked so that no delivery can be added meanwhile.
async fn erase(db: &PgPool, hire: Uuid, actor: &str, now: Timestamp) -> Answer<Erasure> {
    let mut all = db.begin().await?;
    let state: Option<String> = query_scalar("SELECT state FROM hires WHERE id = $1 FOR UPDATE")
        .bind(hire)
        .fetch_optional(&mut *all)
        .await?;
    let Some(state) = state.filter(|state| state != "erased") else { return Ok(Erasure::Absent) };
    let erasure = if is_on_its_way(&state) {
        request(&mut all, hire, actor, now).await?;
        Erasure::Requested
    } else {
        wipe(&mut all, hire, actor, now).await?;
        Erasure::Erased
    };
    all.commit().await?;
    Ok(erasure)
}

async fn request(db: &mut PgConnection, hire: Uuid, actor: &str, now: Timestamp) -> Answer<()> {
    query(
        "WITH noted AS (UPDATE hires SET erase_requested = $2 WHERE id = $1 AND erase_requested IS NULL RETURNING id, state) \
         INSERT INTO history (hire, at, actor, from_state, to_state, cause) \
         SELECT id, $2, $3, state, state, $4 FROM noted",
    )
    .bind(hire)
    .bind(now.as_millisecond())
    .bind(clean(actor))
    .bind(ERASE_REQUESTED)
    .execute(db)
    .await?;
    Ok(())
}

async fn erase_ended(db: &PgPool, before: Timestamp, now: Timestamp, limit: usize) -> Answer<Vec<HireId>> {
    const ENDED: &str = concat!(
        "SELECT id FROM hires WHERE (erase_requested IS NOT NULL AND state NOT IN ('sending', 'unknown')) \
         OR (erase_requested IS NULL AND updated_at < $1 AND ",
        has_ended!(),
        ") LIMIT $2 FOR UPDATE SKIP LOCKED"
    );
    let mut all = db.begin().await?;
    let ended: Vec<Uuid> = query_scalar(ENDED)
        .bind(before.as_millisecond())
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(&mut *all)
        .await?;
    for hire in &ended {
        wipe(&mut all, *hire, &Actor::System.to_string(), now).await?;
    }
    all.commit().await?;
    Ok(ended.into_iter().map(HireId).collect())
}

/// Nothing personal is left. Who may be an employee without a permit, being linked or adopted, gets one that has ended: it
/// keeps the same person from being sent again, as the state did.
async fn wipe(db: &mut PgConnection, hire: Uuid, actor: &str, now: Timestamp) -> Answer<()> {
    let now = now.as_millisecond();
    query(
        "INSERT INTO history (hire, at, actor, from_state, to_state, cause) \
         SELECT id, $2, $3, state || coalesce('(' || reason || ')', ''), 'erased', 'erased' FROM hires WHERE id = $1",
    )
    .bind(hire)
    .bind(now)
    .bind(clean(actor))
    .execute(&mut *db)
    .await?;
    for sql in [
        "INSERT INTO permits (subject, number, owner, granted_at, deadline, ended) \
         SELECT id, 1 + (SELECT count(*) FROM permits WHERE subject = $1), id, $2, $2, 'created' FROM hires \
         WHERE id = $1 AND (state = 'created' OR (state = 'held' AND reason = 'unknown')) \
         AND NOT EXISTS (SELECT FROM permits WHERE subject = $1 \
           AND (ended IS NULL OR ended NOT IN ('void', 'refused', 'overruled')))",
        "UPDATE hires SET state = 'erased', reason = NULL, application = '', next_at = NULL, since = NULL, tries = 0, \
         employee = NULL, flags = '{}', audit_at = NULL, owner = NULL, lease_until = NULL, claimed_by = NULL, \
         claimed_until = NULL, erase_requested = NULL, facts = '', rest = '', mark = gen_random_uuid(), \
         updated_at = $2, version = version + 1 WHERE id = $1",
    ] {
        query(sql).bind(hire).bind(now).execute(&mut *db).await?;
    }
    for sql in [
        "UPDATE deliveries SET body = NULL, delivery_id = NULL WHERE hire = $1",
        "DELETE FROM spool WHERE document IN (SELECT id FROM documents WHERE hire = $1)",
        "DELETE FROM documents WHERE hire = $1",
    ] {
        query(sql).bind(hire).execute(&mut *db).await?;
    }
    Ok(())
}

/// Erases a hire that has left the states in which it is on its way, if that was asked for meanwhile.
pub(super) async fn erase_if_requested(db: &PgPool, hire: Uuid, now: i64) -> Answer<()> {
    let requested = query_scalar("SELECT erase_requested IS NOT NULL FROM hires WHERE id = $1");
    if requested.bind(hire).fetch_optional(db).await? != Some(true) {
        return Ok(());
    }
    let mut all = db.begin().await?;
    let asked: Option<Uuid> = query_scalar(
        "SELECT id FROM hires WHERE id = $1 AND erase_requested IS NOT NULL AND state NOT IN ('sending', 'unknown') \
         FOR UPDATE",
    )
    .bind(hire)
    .fetch_optional(&mut *all)
    .await?;
    if asked.is_some() {
        wipe(&mut all, hire, &Actor::System.to_string(), time(now)).await?;
        all.commit().await?;
    }
    Ok(())
}
