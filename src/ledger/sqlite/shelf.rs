//! Documents, and their files in the spool.

use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use uuid::Uuid;

use super::SqliteLedger;
use super::row::uuid;
use super::statements::{Answer, grant, id};
use crate::domain::document::DocumentStep;
use crate::domain::{Actor, Document, DocumentId, HireId, Upload};
use crate::ledger::row::time;
use crate::ledger::shelf::{
    DocumentRow, Shelf, Withheld, ended_by, hand_out, overrules, permitted, place_of_chunk,
};
use crate::ledger::{LedgerError, Owner, Ticket};

#[async_trait]
impl Shelf for SqliteLedger {
    async fn add(&self, documents: &[Document]) -> Result<(), LedgerError> {
        let rows: Vec<_> = documents.iter().map(|document| DocumentRow::of(document, &self.seal)).collect();
        self.has_documents.store(true, SeqCst);
        self.writer.run(move |db| rows.iter().try_for_each(|row| add(db, row))).await
    }

    async fn of(&self, hires: &[HireId]) -> Result<Vec<Document>, LedgerError> {
        // Most hires ask, and many a ledger never has any.
        if !self.has_documents.load(SeqCst) {
            return Ok(Vec::new());
        }
        let hires = hires.to_vec();
        let rows = self.readers.run(move |db| of(db, &hires)).await?;
        rows.into_iter().map(|row| row.open(&self.seal)).collect()
    }

    async fn save(&self, document: &mut Document) -> Result<(), LedgerError> {
        let (row, steps) = (DocumentRow::of(document, &self.seal), document.unsaved.clone());
        self.writer.run(move |db| save(db, &row, &steps)).await?;
        document.version += 1;
        document.unsaved.clear();
        Ok(())
    }

    async fn permit(
        &self,
        document: &mut Document,
        upload: Upload,
        actor: &Actor,
        now: Timestamp,
        deadline: Timestamp,
    ) -> Result<Result<Ticket<Upload>, Withheld>, LedgerError> {
        let sending = permitted(document, actor, now)?;
        let (row, steps) = (DocumentRow::of(&sending, &self.seal), sending.unsaved.clone());
        let (me, employee) = (self.owner, upload.employee);
        let granted =
            self.writer.run(move |db| permit(db, &row, &steps, me, employee, (now, deadline))).await?;
        Ok(granted.map(|number| hand_out(document, sending, number, deadline, upload)))
    }

    async fn keep(&self, document: DocumentId, fill: Uuid, n: u32, chunk: &[u8]) -> Result<(), LedgerError> {
        let sealed = self.seal.seal(&place_of_chunk(document, fill, n), chunk);
        self.writer
            .run(move |db| {
                db.prepare_cached("INSERT INTO spool (document, fill, n, chunk) SELECT id, ?2, ?3, ?4 FROM documents WHERE id = ?1")?
                    .execute(params![id(document.0), id(fill), n, sealed])?;
                Ok(())
            })
            .await
    }

    async fn chunk(&self, document: DocumentId, fill: Uuid, n: u32) -> Result<Option<Vec<u8>>, LedgerError> {
        let seal = Arc::clone(&self.seal);
        self.readers
            .run(move |db| {
                let sealed: Option<Vec<u8>> = db
                    .prepare_cached("SELECT chunk FROM spool WHERE document = ?1 AND fill = ?2 AND n = ?3")?
                    .query_row(params![id(document.0), id(fill), n], |row| row.get(0))
                    .optional()?;
                sealed.map(|sealed| seal.unseal(&place_of_chunk(document, fill, n), &sealed)).transpose()
            })
            .await
    }

    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<HireId>, LedgerError> {
        if self.condition.is_failing() {
            return Ok(Vec::new());
        }
        self.readers.run(move |db| due(db, now, limit)).await
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, LedgerError> {
        self.readers
            .run(|db| {
                let sql = format!("SELECT min(documents.next_at) FROM {DUE}");
                let next: Option<i64> = db.prepare_cached(&sql)?.query_row([], |row| row.get(0))?;
                Ok(next.map(time))
            })
            .await
    }

    async fn orphans(&self) -> Result<Vec<Document>, LedgerError> {
        let me = self.owner;
        let rows = self.readers.run(move |db| orphans(db, me)).await?;
        rows.into_iter().map(|row| row.open(&self.seal)).collect()
    }

    async fn lying_since(&self, before: Timestamp) -> Result<Vec<Document>, LedgerError> {
        let rows = self.readers.run(move |db| lying_since(db, before)).await?;
        rows.into_iter().map(|row| row.open(&self.seal)).collect()
    }

    async fn counts(&self) -> Result<Vec<(String, u64)>, LedgerError> {
        self.readers
            .run(|db| {
                let mut select = db.prepare_cached("SELECT state, count(*) FROM documents GROUP BY state")?;
                let counts = select.query_map([], |row| {
                    Ok((row.get(0)?, u64::try_from(row.get::<_, i64>(1)?).unwrap_or_default()))
                })?;
                Ok(counts.collect::<Result<_, _>>()?)
            })
            .await
    }
}

/// Documents of which something is to be done: what waits for an employee is not, until there is one.
const DUE: &str = "documents JOIN hires ON hires.id = documents.hire WHERE documents.next_at IS NOT NULL \
     AND CASE WHEN documents.state <> 'pending' THEN 1 WHEN documents.fill IS NOT NULL THEN hires.state = 'created' \
     ELSE hires.state NOT IN ('cancelled', 'ignored', 'erased') END";

const COLUMNS: &str =
    "id, hire, n, state, reason, version, fill, size, next_at, since, tries, updated_at, sheet";

fn read(row: &Row<'_>) -> rusqlite::Result<DocumentRow> {
    let fill: Option<Vec<u8>> = row.get(6)?;
    Ok(DocumentRow {
        id: uuid(&row.get::<_, Vec<u8>>(0)?),
        hire: uuid(&row.get::<_, Vec<u8>>(1)?),
        n: row.get(2)?,
        file_hash: Vec::new(),
        kind: "",
        state: row.get(3)?,
        reason: row.get(4)?,
        version: row.get(5)?,
        fill: fill.as_deref().map(uuid),
        size: row.get(7)?,
        content_hash: None,
        next_at: row.get(8)?,
        since: row.get(9)?,
        tries: row.get(10)?,
        updated_at: row.get(11)?,
        sheet: row.get(12)?,
    })
}

fn add(db: &Connection, row: &DocumentRow) -> Answer<()> {
    db.prepare_cached(
        "INSERT INTO documents (id, hire, n, file_hash, kind, state, version, next_at, tries, updated_at, sheet) \
         SELECT ?1, ?2, coalesce(max(n), 0) + 1, ?3, ?4, ?5, 1, ?6, 0, ?7, ?8 FROM documents WHERE hire = ?2 \
         HAVING EXISTS (SELECT 1 FROM hires WHERE id = ?2 AND state <> 'erased') \
         ON CONFLICT (hire, file_hash) DO NOTHING",
    )?
    .execute(params![
        id(row.id),
        id(row.hire),
        row.file_hash,
        row.kind,
        row.state,
        row.next_at,
        row.updated_at,
        row.sheet
    ])?;
    Ok(())
}

/// Whether there are any documents at all.
pub(super) fn has_any(db: &Connection) -> rusqlite::Result<bool> {
    db.query_row("SELECT EXISTS (SELECT 1 FROM documents)", [], |row| row.get(0))
}

fn of(db: &Connection, hires: &[HireId]) -> Answer<Vec<DocumentRow>> {
    let sql = format!("SELECT {COLUMNS} FROM documents WHERE hire = ?1 ORDER BY n");
    let mut select = db.prepare_cached(&sql)?;
    let mut all = Vec::new();
    for hire in hires {
        for row in select.query_map([id(hire.0)], read)? {
            all.push(row?);
        }
    }
    Ok(all)
}

fn save(db: &Connection, row: &DocumentRow, steps: &[DocumentStep]) -> Answer<()> {
    if let Some(how) = ended_by(steps) {
        db.prepare_cached("UPDATE permits SET ended = ?2 WHERE subject = ?1 AND ended IS NULL")?
            .execute(params![id(row.id), how])?;
    }
    if overrules(steps) {
        db.prepare_cached("UPDATE permits SET ended = 'overruled' WHERE subject = ?1 AND ended = 'unknown'")?
            .execute([id(row.id)])?;
    }
    update(db, row, None)?;
    tell(db, row, steps)?;
    db.prepare_cached("DELETE FROM spool WHERE document = ?1 AND fill IS NOT ?2")?
        .execute(params![id(row.id), row.needed().map(id)])?;
    Ok(())
}

fn permit(
    db: &Connection,
    row: &DocumentRow,
    steps: &[DocumentStep],
    me: Owner,
    employee: u64,
    times: (Timestamp, Timestamp),
) -> Answer<Result<u32, Withheld>> {
    let ask = |sql: &str, value: &dyn rusqlite::ToSql| -> Answer<bool> {
        Ok(db.prepare_cached(sql)?.query_row(params![id(row.hire), value, id(row.id)], |row| row.get(0))?)
    };
    let is_there = "SELECT EXISTS (SELECT 1 FROM hires WHERE id = ?1 AND ?3 IS NOT NULL AND state = 'created' \
         AND employee = ?2 AND (flags NOT LIKE '%\"unhired\":true%' OR flags LIKE '%\"unhire_overruled\":true%'))";
    if !ask(is_there, &i64::try_from(employee).ok())? {
        return Ok(Err(Withheld::HireChanged));
    }
    let same = "SELECT EXISTS (SELECT 1 FROM documents WHERE hire = ?1 AND id <> ?3 \
         AND content_hash = coalesce(?2, (SELECT content_hash FROM documents WHERE id = ?3)) \
         AND state IN ('sending', 'sent', 'unknown'))";
    if ask(same, &row.content_hash)? {
        return Ok(Err(Withheld::SameFile));
    }
    let Some(number) = grant(db, row.id, me, times)? else { return Ok(Err(Withheld::Spent)) };
    update(db, row, Some(me))?;
    tell(db, row, steps)?;
    Ok(Ok(number))
}

fn update(db: &Connection, row: &DocumentRow, owner: Option<Owner>) -> Answer<()> {
    let changed = db
        .prepare_cached(
            "UPDATE documents SET kind = ?3, state = ?4, reason = ?5, fill = ?6, size = ?7, \
             content_hash = coalesce(?8, content_hash), next_at = ?9, since = ?10, tries = ?11, updated_at = ?12, \
             sheet = ?13, owner = CASE WHEN ?4 = 'sending' THEN coalesce(?14, owner) END, version = version + 1 \
             WHERE id = ?1 AND version = ?2",
        )?
        .execute(params![
            id(row.id),
            row.version,
            row.kind,
            row.state,
            row.reason,
            row.fill.map(id),
            row.size,
            row.content_hash,
            row.next_at,
            row.since,
            row.tries,
            row.updated_at,
            row.sheet,
            owner.map(|owner| id(owner.0))
        ])?;
    if changed == 1 { Ok(()) } else { Err(LedgerError::Conflict) }
}

/// A document's steps are no steps of its hire, which stays where it is.
fn tell(db: &Connection, row: &DocumentRow, steps: &[DocumentStep]) -> Answer<()> {
    let mut insert = db.prepare_cached(
        "INSERT INTO history (hire, at, actor, from_state, to_state, cause) \
         SELECT id, ?2, ?3, stands, stands, ?4 \
         FROM (SELECT id, state || coalesce('(' || reason || ')', '') AS stands FROM hires WHERE id = ?1)",
    )?;
    for step in steps {
        insert.execute(params![id(row.hire), step.at.as_millisecond(), step.actor, step.cause])?;
    }
    Ok(())
}

fn due(db: &Connection, now: Timestamp, limit: usize) -> Answer<Vec<HireId>> {
    let sql = format!(
        "SELECT hire FROM {DUE} AND documents.next_at <= ?1 GROUP BY hire ORDER BY min(documents.next_at) LIMIT ?2"
    );
    let mut select = db.prepare_cached(&sql)?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let ids = select.query_map(params![now.as_millisecond(), limit], |row| {
        Ok(HireId(uuid(&row.get::<_, Vec<u8>>(0)?)))
    })?;
    Ok(ids.collect::<Result<_, _>>()?)
}

fn orphans(db: &Connection, me: Owner) -> Answer<Vec<DocumentRow>> {
    let sql = format!("SELECT {COLUMNS} FROM documents WHERE state = 'sending' AND owner IS NOT ?1");
    let mut select = db.prepare_cached(&sql)?;
    let rows = select.query_map([id(me.0)], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn lying_since(db: &Connection, before: Timestamp) -> Answer<Vec<DocumentRow>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM documents WHERE state IN ('pending', 'failed', 'unknown') AND fill IS NOT NULL \
         AND updated_at < ?1"
    );
    let mut select = db.prepare_cached(&sql)?;
    let rows = select.query_map([before.as_millisecond()], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}
