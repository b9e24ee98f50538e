//! What comes in another order than it happened, and what is looked at long afterwards.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::row::uuid;
use super::statements::{Answer, by_key, deliver};
use crate::domain::HireId;
use crate::ledger::permit::Guard;
use crate::ledger::row::{Row, time};
use crate::ledger::{Delivery, Denied, FORGET_AFTER};

/// Whether the ATS took the hire back before it came, at that time or an unknown one.
pub(super) fn overtaken(db: &Connection, row: &Row, guard: Guard) -> Answer<Option<Denied>> {
    if !guard.unhired {
        return Ok(None);
    }
    let at = db
        .prepare_cached(
            "SELECT at FROM unhired WHERE key_hash = ?1 AND (at IS NULL OR ?2 IS NULL OR at >= ?2)",
        )?
        .query_row(params![row.key_hash, guard.hired_at.map(Timestamp::as_millisecond)], |row| {
            row.get::<_, Option<i64>>(0)
        })
        .optional()?;
    Ok(at.map(|at| Denied::Overtaken(at.map(time))))
}

/// Adds the delivery to the hire with this key, or remembers it without one.
pub(super) fn unhire(
    db: &Connection,
    key_hash: &[u8],
    at: Option<Timestamp>,
    delivery: &Delivery,
    body: Option<&[u8]>,
) -> Answer<Option<Row>> {
    if let Some(known) = by_key(db, key_hash)? {
        deliver(db, known.id, delivery, body)?;
        return Ok(Some(known));
    }
    let now = delivery.at;
    db.prepare_cached("DELETE FROM unhired WHERE seen_at < ?1")?
        .execute([(now - FORGET_AFTER).as_millisecond()])?;
    db.prepare_cached(
        "INSERT INTO unhired (key_hash, at, seen_at) VALUES (?1, ?2, ?3) ON CONFLICT (key_hash) DO UPDATE \
         SET seen_at = excluded.seen_at, \
           at = CASE WHEN at > excluded.at THEN at ELSE coalesce(excluded.at, at) END",
    )?
    .execute(params![key_hash, at.map(Timestamp::as_millisecond), now.as_millisecond()])?;
    Ok(None)
}

/// This candidate, as whom it goes now, and all who became the same.
pub(super) fn one_person(db: &Connection, candidate: &[u8]) -> Answer<Vec<Vec<u8>>> {
    let kept: Option<Vec<u8>> = db
        .prepare_cached("SELECT kept FROM merged WHERE gone = ?1")?
        .query_row([candidate], |row| row.get(0))
        .optional()?;
    let kept = kept.unwrap_or_else(|| candidate.to_vec());
    let mut all = db
        .prepare_cached("SELECT gone FROM merged WHERE kept = ?1")?
        .query_map([&kept], |row| row.get(0))?
        .collect::<Result<Vec<_>, _>>()?;
    all.push(kept);
    Ok(all)
}

/// Two candidates become one person; all hires of that person.
pub(super) fn merge(db: &Connection, gone: &[u8], kept: &[u8], now: Timestamp) -> Answer<Vec<HireId>> {
    let further: Option<Vec<u8>> = db
        .prepare_cached("SELECT kept FROM merged WHERE gone = ?1")?
        .query_row([kept], |row| row.get(0))
        .optional()?;
    let kept = further.as_deref().unwrap_or(kept);
    if gone != kept {
        db.prepare_cached("UPDATE merged SET kept = ?2 WHERE kept = ?1")?.execute(params![gone, kept])?;
        db.prepare_cached(
            "INSERT INTO merged (gone, kept, at) VALUES (?1, ?2, ?3) ON CONFLICT (gone) DO UPDATE SET kept = excluded.kept",
        )?
        .execute(params![gone, kept, now.as_millisecond()])?;
    }
    let mut select = db.prepare_cached(
        "SELECT id FROM hires WHERE candidate_hash = ?1 \
           OR candidate_hash IN (SELECT gone FROM merged WHERE kept = ?1) ORDER BY id",
    )?;
    let ids = select.query_map([kept], |row| Ok(HireId(uuid(&row.get::<_, Vec<u8>>(0)?))))?;
    Ok(ids.collect::<Result<_, _>>()?)
}

pub(super) fn audits(db: &Connection, now: Timestamp, limit: usize) -> Answer<Vec<HireId>> {
    let mut select =
        db.prepare_cached("SELECT id FROM hires WHERE audit_at <= ?1 ORDER BY audit_at LIMIT ?2")?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let ids = select.query_map(params![now.as_millisecond(), limit], |row| {
        Ok(HireId(uuid(&row.get::<_, Vec<u8>>(0)?)))
    })?;
    Ok(ids.collect::<Result<_, _>>()?)
}

pub(super) fn next_audit(db: &Connection) -> Answer<Option<Timestamp>> {
    let next: Option<i64> = db
        .prepare_cached("SELECT min(audit_at) FROM hires WHERE audit_at IS NOT NULL")?
        .query_row([], |row| row.get(0))?;
    Ok(next.map(time))
}
