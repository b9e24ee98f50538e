//! Erasing, and who has looked.

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

use super::row::uuid;
use super::statements::{Answer, id};
use super::{SqliteLedger, log};
use crate::domain::{Actor, HireId};
use crate::ledger::LedgerError;
use crate::ledger::privacy::{
    Access, ERASE_REQUESTED, Erasure, KeptDelivery, Look, Privacy, has_ended, hour, is_on_its_way,
};
use crate::ledger::row::time;

#[async_trait]
impl Privacy for SqliteLedger {
    async fn erase(&self, hire: HireId, actor: &Actor, now: Timestamp) -> Result<Erasure, LedgerError> {
        let actor = actor.to_string();
        self.writer.run(move |db| erase(db, hire.0, &actor, now)).await
    }

    async fn erase_ended(
        &self,
        before: Timestamp,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<HireId>, LedgerError> {
        // Mostly there is nothing, and nobody who writes is to wait for that.
        if self.readers.run(move |db| ended(db, before, 1)).await?.is_empty() {
            return Ok(Vec::new());
        }
        self.writer.run(move |db| erase_ended(db, before, now, limit)).await
    }

    async fn of_email(&self, email: &str) -> Result<Vec<HireId>, LedgerError> {
        let hash = self.seal.hash(email);
        self.readers
            .run(move |db| ids(db, "SELECT id FROM hires WHERE person_hash = ?1 ORDER BY id", hash))
            .await
    }

    async fn of_employee(&self, employee: u64) -> Result<Vec<HireId>, LedgerError> {
        let employee = i64::try_from(employee).ok();
        self.readers
            .run(move |db| ids(db, "SELECT id FROM hires WHERE employee = ?1 ORDER BY id", employee))
            .await
    }

    async fn deliveries(&self, hire: HireId) -> Result<Vec<KeptDelivery>, LedgerError> {
        let mut all = self.readers.run(move |db| deliveries(db, hire)).await?;
        for one in &mut all {
            one.body = one.body.take().map(|body| self.seal.unseal("body", &body)).transpose()?;
        }
        Ok(all)
    }

    async fn looked(
        &self,
        hire: HireId,
        operator: &str,
        look: Look,
        now: Timestamp,
    ) -> Result<(), LedgerError> {
        let operator = operator.to_owned();
        self.writer
            .run(move |db| {
                db.prepare_cached(
                    "INSERT INTO accesses (hire, operator, what, hour) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
                )?
                .execute(params![id(hire.0), operator, look.name(), hour(now)])?;
                Ok(())
            })
            .await
    }

    async fn accesses(&self, hire: HireId) -> Result<Vec<Access>, LedgerError> {
        self.readers
            .run(move |db| {
                let mut select = db.prepare_cached(
                    "SELECT operator, what, hour FROM accesses WHERE hire = ?1 ORDER BY hour, operator, what",
                )?;
                let all = select.query_map([id(hire.0)], |row| {
                    Ok(Access { operator: row.get(0)?, what: row.get(1)?, hour: time(row.get(2)?) })
                })?;
                Ok(all.collect::<Result<_, _>>()?)
            })
            .await
    }

    async fn forget_accesses(&self, before: Timestamp) -> Result<(), LedgerError> {
        let is_old = "SELECT EXISTS (SELECT 1 FROM accesses WHERE hour < ?1)";
        let old = self.readers.run(move |db| {
            Ok(db.prepare_cached(is_old)?.query_row([hour(before)], |row| row.get::<_, bool>(0))?)
        });
        if !old.await? {
            return Ok(());
        }
        self.writer
            .run(move |db| {
                db.prepare_cached("DELETE FROM accesses WHERE hour < ?1")?.execute([hour(before)])?;
                Ok(())
            })
            .await
    }
}

/// With their bodies as they are sealed.
fn deliveries(db: &Connection, hire: HireId) -> Answer<Vec<KeptDelivery>> {
    let mut select = db.prepare_cached(
        "SELECT source, at, event, delivery_id, body FROM deliveries WHERE hire = ?1 ORDER BY n",
    )?;
    let all = select.query_map([id(hire.0)], |row| {
        Ok(KeptDelivery {
            source: row.get(0)?,
            at: time(row.get(1)?),
            event: row.get(2)?,
            delivery_id: row.get(3)?,
            body: row.get(4)?,
        })
    })?;
    Ok(all.collect::<Result<_, _>>()?)
}

fn ids(db: &Connection, sql: &str, value: impl rusqlite::ToSql) -> Answer<Vec<HireId>> {
    let mut select = db.prepare_cached(sql)?;
    let ids = select.query_map([value], |row| Ok(HireId(uuid(&row.get::<_, Vec<u8>>(0)?))))?;
    Ok(ids.collect::<Result<_, _>>()?)
}

fn erase(db: &Connection, hire: Uuid, actor: &str, now: Timestamp) -> Answer<Erasure> {
    let state: Option<String> = db
        .prepare_cached("SELECT state FROM hires WHERE id = ?1")?
        .query_row([id(hire)], |row| row.get(0))
        .optional()?;
    let Some(state) = state.filter(|state| state != "erased") else { return Ok(Erasure::Absent) };
    if is_on_its_way(&state) {
        request(db, hire, actor, now)?;
        return Ok(Erasure::Requested);
    }
    wipe(db, hire, actor, now)?;
    Ok(Erasure::Erased)
}

fn request(db: &Connection, hire: Uuid, actor: &str, now: Timestamp) -> Answer<()> {
    let noted = db
        .prepare_cached("UPDATE hires SET erase_requested = ?2 WHERE id = ?1 AND erase_requested IS NULL")?
        .execute(params![id(hire), now.as_millisecond()])?;
    if noted == 1 {
        db.prepare_cached(
            "INSERT INTO history (hire, at, actor, from_state, to_state, cause) \
             SELECT id, ?2, ?3, state, state, ?4 FROM hires WHERE id = ?1",
        )?
        .execute(params![id(hire), now.as_millisecond(), actor, ERASE_REQUESTED])?;
    }
    Ok(())
}

fn ended(db: &Connection, before: Timestamp, limit: usize) -> Answer<Vec<HireId>> {
    const ENDED: &str = concat!(
        "SELECT id FROM hires WHERE erase_requested IS NOT NULL AND state NOT IN ('sending', 'unknown') \
         UNION ALL SELECT id FROM hires WHERE erase_requested IS NULL AND updated_at < ?1 AND ",
        has_ended!(),
        " LIMIT ?2"
    );
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut select = db.prepare_cached(ENDED)?;
    let ended = select.query_map(params![before.as_millisecond(), limit], |row| {
        Ok(HireId(uuid(&row.get::<_, Vec<u8>>(0)?)))
    })?;
    Ok(ended.collect::<Result<_, _>>()?)
}

fn erase_ended(db: &Connection, before: Timestamp, now: Timestamp, limit: usize) -> Answer<Vec<HireId>> {
    let ended = ended(db, before, limit)?;
    for hire in &ended {
        wipe(db, hire.0, &Actor::System.to_string(), now)?;
    }
    Ok(ended)
}

/// Erases a hire that was just saved, if somebody has asked for that while it was on its way.
pub(super) fn erase_if_requested(db: &Connection, hire: Uuid, state: &str, now: i64) -> Answer<()> {
    let requested: Option<i64> = db
        .prepare_cached("SELECT erase_requested FROM hires WHERE id = ?1")?
        .query_row([id(hire)], |row| row.get(0))?;
    if requested.is_some() && !is_on_its_way(state) {
        wipe(db, hire, &Actor::System.to_string(), time(now))?;
    }
    Ok(())
}

/// Nothing personal is left. Who may be an employee without a permit, being linked or adopted, gets one that has ended: it
/// keeps the same person from being sent again, as the state did.
fn wipe(db: &Connection, hire: Uuid, actor: &str, now: Timestamp) -> Answer<()> {
    let (hire, now) = (id(hire), now.as_millisecond());
    db.prepare_cached(
        "INSERT INTO history (hire, at, actor, from_state, to_state, cause) \
         SELECT id, ?2, ?3, state || coalesce('(' || reason || ')', ''), 'erased', 'erased' FROM hires WHERE id = ?1",
    )?
    .execute(params![hire, now, actor])?;
    db.prepare_cached(
        "INSERT INTO permits (subject, number, owner, granted_at, deadline, ended) \
         SELECT id, 1 + (SELECT count(*) FROM permits WHERE subject = ?1), id, ?2, ?2, 'created' FROM hires \
         WHERE id = ?1 AND (state = 'created' OR (state = 'held' AND reason = 'unknown')) \
         AND NOT EXISTS (SELECT 1 FROM permits WHERE subject = ?1 \
           AND (ended IS NULL OR ended NOT IN ('void', 'refused', 'overruled')))",
    )?
    .execute(params![hire, now])?;
    db.prepare_cached(
        "UPDATE hires SET state = 'erased', reason = NULL, application = '', next_at = NULL, since = NULL, tries = 0, \
         employee = NULL, flags = '{}', audit_at = NULL, owner = NULL, lease_until = NULL, erase_requested = NULL, \
         updated_at = ?2, version = version + 1 WHERE id = ?1",
    )?
    .execute(params![hire, now])?;
    for sql in [
        "DELETE FROM records WHERE hire = ?1",
        "UPDATE deliveries SET body = NULL, delivery_id = NULL WHERE hire = ?1",
        "DELETE FROM spool WHERE document IN (SELECT id FROM documents WHERE hire = ?1)",
        "DELETE FROM documents WHERE hire = ?1",
    ] {
        db.prepare_cached(sql)?.execute([&hire])?;
    }
    log::begin_anew();
    Ok(())
}
