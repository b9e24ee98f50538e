//! What the ledger asks of SQLite: one function per question, all SQL in one place.

use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, ToSql, params, params_from_iter};
use uuid::Uuid;

use super::order;
use super::privacy::erase_if_requested;
use super::row::{COLUMNS, changing, read, uuid};
use crate::domain::{Entry, HireId, State};
use crate::ledger::permit::{Guard, Other, ended_by, next_number, overruled};
use crate::ledger::privacy::is_on_its_way;
use crate::ledger::row::{FACTS, REST, Row, time};
use crate::ledger::{Delivery, Denied, Filter, LedgerError, Owner, flagged, needs_person};

pub(super) type Answer<T> = Result<T, LedgerError>;

/// Stores the hire and its delivery, or, if its key is known, the delivery alone: then the known row.
pub(super) fn accept(
    db: &Connection,
    row: &Row,
    entries: &[Entry],
    delivery: &Delivery,
    body: Option<&[u8]>,
) -> Answer<Option<Row>> {
    let inserted = db
        .prepare_cached(
            "INSERT INTO hires (id, key_hash, kind, account, application, source, state, reason, version, next_at, since, \
             tries, look_up_zero, employee, flags, person_hash, received_at, updated_at, candidate_hash) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 1, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18) \
             ON CONFLICT (key_hash) DO NOTHING",
        )?
        .execute(params![
            id(row.id),
            row.key_hash,
            row.kind,
            row.account,
            row.application,
            row.source,
            row.state,
            row.reason,
            row.next_at,
            row.since,
            row.tries,
            row.look_up_zero,
            row.employee,
            row.flags,
            row.person_hash,
            row.received_at,
            row.updated_at,
            row.candidate_hash
        ])?;
    let known = if inserted == 0 { by_key(db, &row.key_hash)? } else { None };
    if known.is_none() {
        keep(db, row)?;
        append(db, row.id, entries)?;
    }
    deliver(db, known.as_ref().map_or(row.id, |known| known.id), delivery, body)?;
    Ok(known)
}

/// Keeps a delivery beside its hire, with its body sealed; of one whose hire was erased, only that it came.
pub(super) fn deliver(db: &Connection, hire: Uuid, delivery: &Delivery, body: Option<&[u8]>) -> Answer<()> {
    db.prepare_cached(
        "INSERT INTO deliveries (hire, source, at, event, delivery_id, secret, body) SELECT id, ?2, ?3, ?4, CASE WHEN state <> 'erased' THEN ?5 END, ?6, CASE WHEN state <> 'erased' THEN ?7 END \
         FROM hires WHERE id = ?1",
    )?
    .execute(params![
        id(hire),
        delivery.source,
        delivery.at.as_millisecond(),
        delivery.event,
        delivery.delivery_id,
        delivery.secret.and_then(|n| i64::try_from(n).ok()),
        body
    ])?;
    Ok(())
}

/// Writes the hire over the version it was read in, and ends its permit if it leaves `sending`.
pub(super) fn save(db: &Connection, row: &Row, entries: &[Entry]) -> Answer<()> {
    if let Some(ended) = ended_by(entries) {
        db.prepare_cached("UPDATE permits SET ended = ?2 WHERE subject = ?1 AND ended IS NULL")?
            .execute(params![id(row.id), ended])?;
    }
    if let Some(how) = overruled(entries) {
        db.prepare_cached(
            "UPDATE permits SET ended = ?2 WHERE subject = ?1 AND ended = 'unknown' \
             AND (?2 <> 'resent' OR NOT EXISTS (SELECT 1 FROM permits WHERE subject = ?1 AND ended = 'resent'))",
        )?
        .execute(params![id(row.id), how])?;
    }
    update(db, row, None)?;
    append(db, row.id, entries)?;
    let left = |entry: &Entry| entry.from.as_deref().is_some_and(is_on_its_way);
    if entries.iter().any(left) { erase_if_requested(db, row.id, &row.state, row.updated_at) } else { Ok(()) }
}

/// Grants the next permit and writes the step to `sending`; its number, or why not.
pub(super) fn permit(
    db: &Connection,
    row: &Row,
    entries: &[Entry],
    owner: Owner,
    guard: Guard,
    now: Timestamp,
    deadline: Timestamp,
) -> Answer<Result<u32, Denied>> {
    if let Some(denied) = order::overtaken(db, row, guard)? {
        return Ok(Err(denied));
    }
    if guard.second_hires
        && let Some(other) = same_person(db, row)?
    {
        return Ok(Err(Denied::SamePerson(HireId(other))));
    }
    let Some(number) = grant(db, row.id, owner, (now, deadline))? else { return Ok(Err(Denied::Spent)) };
    update(db, row, Some((owner, deadline)))?;
    append(db, row.id, entries)?;
    Ok(Ok(number))
}

/// Notes the next permit of a hire or a document; its number, if there may be a next one.
pub(super) fn grant(
    db: &Connection,
    subject: Uuid,
    owner: Owner,
    (now, deadline): (Timestamp, Timestamp),
) -> Answer<Option<u32>> {
    let permits = db
        .prepare_cached("SELECT ended FROM permits WHERE subject = ?1")?
        .query_map([id(subject)], |row| Ok(row.get::<_, Option<String>>(0)?.into()))?
        .collect::<Result<Vec<_>, _>>()?;
    let Some(number) = next_number(&permits) else { return Ok(None) };
    db.prepare_cached(
        "INSERT INTO permits (subject, number, owner, granted_at, deadline) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![
        id(subject),
        number,
        id(owner.0),
        now.as_millisecond(),
        deadline.as_millisecond()
    ])?;
    Ok(Some(number))
}

/// Another hire of the same person that was, or may have been, sent. In plain look-ups: SQLite makes a passing table
/// for a query that joins them, which takes longer than all that is looked up.
pub(super) fn same_person(db: &Connection, row: &Row) -> Answer<Option<Uuid>> {
    if let Some(person) = &row.person_hash
        && let Some(other) = in_the_way(db, "person_hash", person, row.id)?
    {
        return Ok(Some(other));
    }
    let Some(candidate) = &row.candidate_hash else { return Ok(None) };
    for candidate in order::one_person(db, candidate)? {
        if let Some(other) = in_the_way(db, "candidate_hash", &candidate, row.id)? {
            return Ok(Some(other));
        }
    }
    Ok(None)
}

fn in_the_way(db: &Connection, column: &str, hash: &[u8], but: Uuid) -> Answer<Option<Uuid>> {
    let sql = format!(
        "SELECT id, state, reason, subject IS NOT NULL, ended FROM hires LEFT JOIN permits ON subject = id \
         WHERE {column} = ?1 AND id <> ?2"
    );
    let mut others = db.prepare_cached(&sql)?;
    let others = others.query_map(params![hash, id(but)], |row| {
        let (state, reason): (String, Option<String>) = (row.get(1)?, row.get(2)?);
        let ended: Option<String> = row.get(4)?;
        Ok(Other {
            hire: HireId(uuid(&row.get::<_, Vec<u8>>(0)?)),
            state: State::parse(&state, reason.as_deref()),
            permit: row.get::<_, bool>(3)?.then(|| ended.into()),
        })
    })?;
    let others = others.collect::<Result<Vec<_>, _>>()?;
    Ok(others.iter().find_map(Other::is_in_the_way).map(|other| other.0))
}

/// A flag or a fact may change while the call is on the wire: the permit stays whose it is.
fn update(db: &Connection, row: &Row, owner: Option<(Owner, Timestamp)>) -> Answer<()> {
    let (owner, until) = owner.map(|(owner, until)| (owner.0, until.as_millisecond())).unzip();
    let (id, owner) = (row.id.as_bytes(), owner.as_ref().map(Uuid::as_bytes));
    let owned: [&dyn ToSql; 4] = [&owner, &until, id, &row.version];
    let changed = db
        .prepare_cached(
            "UPDATE hires SET state = ?1, reason = ?2, next_at = ?3, since = ?4, tries = ?5, look_up_zero = ?6, \
             employee = ?7, flags = ?8, updated_at = ?9, audit_at = ?10, \
             owner = CASE WHEN ?1 = 'sending' THEN coalesce(?11, owner) END, \
             lease_until = CASE WHEN ?1 = 'sending' THEN coalesce(?12, lease_until) END, \
             version = version + 1 WHERE id = ?13 AND version = ?14",
        )?
        .execute(params_from_iter(changing(row).into_iter().chain(owned)))?;
    if changed == 1 { keep(db, row) } else { Err(LedgerError::Conflict) }
}

/// Writes what has changed of the record, and whose it is.
fn keep(db: &Connection, row: &Row) -> Answer<()> {
    if row.hashes_changed {
        db.prepare_cached("UPDATE hires SET person_hash = ?2, candidate_hash = ?3 WHERE id = ?1")?
            .execute(params![row.id.as_bytes(), row.person_hash, row.candidate_hash])?;
    }
    for (part, sealed) in [(FACTS, &row.facts), (REST, &row.rest)] {
        if let Some(sealed) = sealed {
            db.prepare_cached(
                "INSERT INTO records (hire, part, sealed) VALUES (?1, ?2, ?3) \
                 ON CONFLICT (hire, part) DO UPDATE SET sealed = excluded.sealed",
            )?
            .execute(params![row.id.as_bytes(), part, sealed])?;
        }
    }
    Ok(())
}

fn append(db: &Connection, hire: Uuid, entries: &[Entry]) -> Answer<()> {
    let mut insert = db.prepare_cached(
        "INSERT INTO history (hire, at, actor, from_state, to_state, cause) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    for entry in entries {
        insert.execute(params![
            id(hire),
            entry.at.as_millisecond(),
            entry.actor,
            entry.from,
            entry.to,
            entry.cause
        ])?;
    }
    Ok(())
}

pub(super) fn by_id(db: &Connection, hire: HireId) -> Answer<Option<Row>> {
    one(db, "id = ?1", id(hire.0))
}

pub(super) fn by_key(db: &Connection, hash: &[u8]) -> Answer<Option<Row>> {
    one(db, "key_hash = ?1", hash.to_vec())
}

fn one(db: &Connection, condition: &str, value: Vec<u8>) -> Answer<Option<Row>> {
    let sql = format!("SELECT {COLUMNS} FROM hires WHERE {condition}");
    Ok(db.prepare_cached(&sql)?.query_row([value], read).optional()?)
}

pub(super) fn history(db: &Connection, hire: HireId) -> Answer<Vec<Entry>> {
    let mut select = db.prepare_cached(
        "SELECT at, actor, from_state, to_state, cause FROM history WHERE hire = ?1 ORDER BY n",
    )?;
    let entries = select.query_map([id(hire.0)], |row| {
        Ok(Entry {
            at: time(row.get(0)?),
            actor: row.get(1)?,
            from: row.get(2)?,
            to: row.get(3)?,
            cause: row.get(4)?,
        })
    })?;
    Ok(entries.collect::<Result<_, _>>()?)
}

pub(super) fn bodies(db: &Connection, hire: HireId) -> Answer<Vec<Vec<u8>>> {
    let mut select =
        db.prepare_cached("SELECT body FROM deliveries WHERE hire = ?1 AND body IS NOT NULL ORDER BY n")?;
    let bodies = select.query_map([id(hire.0)], |row| row.get(0))?;
    Ok(bodies.collect::<Result<_, _>>()?)
}

pub(super) fn list(db: &Connection, filter: &Filter) -> Answer<Vec<Row>> {
    let (condition, mut values) = meant(filter);
    values.push(Value::Integer(i64::try_from(filter.limit).unwrap_or(i64::MAX)));
    let sql = format!("SELECT {COLUMNS} FROM hires WHERE {condition} ORDER BY id DESC LIMIT ?");
    let mut select = db.prepare_cached(&sql)?;
    let rows = select.query_map(params_from_iter(values), read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn count(db: &Connection, filter: &Filter) -> Answer<u64> {
    let (condition, values) = meant(filter);
    let mut select = db.prepare_cached(&format!("SELECT count(*) FROM hires WHERE {condition}"))?;
    let count: i64 = select.query_row(params_from_iter(values), |row| row.get(0))?;
    Ok(u64::try_from(count).unwrap_or_default())
}

/// The rows that a filter is about, as a condition and its values.
fn meant(filter: &Filter) -> (String, Vec<Value>) {
    let text = |text: &Option<String>| text.clone().map(Value::Text);
    let time = |time: Timestamp| Value::Integer(time.as_millisecond());
    let waits = concat!("((", needs_person!(), ") OR (state = 'waiting' AND since <= ?))");
    let conditions: [(&str, Option<Value>); 8] = [
        ("state = ?", text(&filter.state)),
        ("reason = ?", text(&filter.reason)),
        (waits, filter.needs_person.map(time)),
        ("source = ?", text(&filter.source)),
        ("application = ?", text(&filter.ats_id)),
        ("flags LIKE ?", filter.flag.map(|flag| Value::Text(flagged(flag)))),
        ("received_at >= ?", filter.since.map(time)),
        ("id < ?", filter.after.map(|after| Value::Blob(id(after.0)))),
    ];
    let (mut sql, mut values) = ("state <> 'erased'".to_owned(), Vec::new());
    for (condition, value) in conditions {
        if let Some(value) = value {
            sql.push_str(" AND ");
            sql.push_str(condition);
            values.push(value);
        }
    }
    (sql, values)
}

const FOR_CREDENTIAL: &str = "state = 'waiting' AND reason = 'credential'";

pub(super) fn due(db: &Connection, now: Timestamp, limit: usize, credential: usize) -> Answer<Vec<HireId>> {
    let mut ids = due_where(db, &format!("NOT ({FOR_CREDENTIAL})"), now, limit)?;
    if credential > 0 {
        ids.extend(due_where(db, FOR_CREDENTIAL, now, credential)?);
    }
    Ok(ids)
}

fn due_where(db: &Connection, condition: &str, now: Timestamp, limit: usize) -> Answer<Vec<HireId>> {
    let sql = format!("SELECT id FROM hires WHERE next_at <= ?1 AND {condition} ORDER BY next_at LIMIT ?2");
    let mut select = db.prepare_cached(&sql)?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let ids = select.query_map(params![now.as_millisecond(), limit], |row| {
        Ok(HireId(uuid(&row.get::<_, Vec<u8>>(0)?)))
    })?;
    Ok(ids.collect::<Result<_, _>>()?)
}

pub(super) fn next_due(db: &Connection) -> Answer<Option<Timestamp>> {
    let sql = format!("SELECT min(next_at) FROM hires WHERE next_at IS NOT NULL AND NOT ({FOR_CREDENTIAL})");
    let next: Option<i64> = db.prepare_cached(&sql)?.query_row([], |row| row.get(0))?;
    Ok(next.map(time))
}

pub(super) fn orphans(db: &Connection, me: Owner) -> Answer<Vec<HireId>> {
    let mut select = db.prepare_cached("SELECT id FROM hires WHERE state = 'sending' AND owner IS NOT ?1")?;
    let ids = select.query_map([id(me.0)], |row| Ok(HireId(uuid(&row.get::<_, Vec<u8>>(0)?))))?;
    Ok(ids.collect::<Result<_, _>>()?)
}

pub(super) fn counts(db: &Connection) -> Answer<Vec<(String, String, u64)>> {
    let mut select = db.prepare_cached("SELECT source, state, count(*) FROM hires GROUP BY source, state")?;
    let counts = select.query_map([], |row| {
        let count: i64 = row.get(2)?;
        Ok((row.get(0)?, row.get(1)?, u64::try_from(count).unwrap_or_default()))
    })?;
    Ok(counts.collect::<Result<_, _>>()?)
}

pub(super) fn oldest_unfinished(db: &Connection) -> Answer<Option<Timestamp>> {
    let oldest: Option<i64> = db
        .prepare_cached(
            "SELECT min(received_at) FROM hires WHERE state IN ('received', 'ready', 'waiting', 'sending', 'unknown')",
        )?
        .query_row([], |row| row.get(0))?;
    Ok(oldest.map(time))
}

/// Writes and commits so many bytes: only then is it known that a delivery of that size could be stored.
pub(super) fn probe(db: &Connection, size: u32) -> Answer<()> {
    db.prepare_cached("INSERT INTO meta (name, value) VALUES ('probe', randomblob(?1)) ON CONFLICT (name) DO UPDATE SET value = excluded.value")?
        .execute([size])?;
    Ok(())
}

pub(super) fn id(id: Uuid) -> Vec<u8> {
    id.as_bytes().to_vec()
}
