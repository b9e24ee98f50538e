//! Documents, and their files in the spool.

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::postgres::{PgConnection, PgPool, PgRow};
use sqlx::{Row, query, query_as, query_scalar};
use uuid::Uuid;

use super::statements::Answer;
use super::write::{MARGIN_SECONDS, clean};
use super::{PostgresLedger, in_time, is_lost, twice};
use crate::domain::document::DocumentStep;
use crate::domain::{Actor, Document, DocumentId, HireId, Upload};
use crate::ledger::permit::next_number;
use crate::ledger::row::time;
use crate::ledger::shelf::{
    DocumentRow, Shelf, Withheld, ended_by, hand_out, overrules, permitted, place_of_chunk,
};
use crate::ledger::{LedgerError, Owner, Ticket};

/// How long the documents of a hire are left alone by the others after a replica has taken them on or changed one. A
/// file may take that long to come.
const CLAIM_SECONDS: i64 = 120;

/// Documents of which something is to be done: what waits for an employee is not, until there is one.
macro_rules! due_documents {
    () => {
        "documents JOIN hires ON hires.id = documents.hire WHERE documents.next_at IS NOT NULL \
         AND CASE WHEN documents.state <> 'pending' THEN true WHEN documents.fill IS NOT NULL THEN hires.state = 'created' \
         ELSE hires.state NOT IN ('cancelled', 'ignored', 'erased') END"
    };
}

#[async_trait]
impl Shelf for PostgresLedger {
    async fn add(&self, documents: &[Document]) -> Result<(), LedgerError> {
        let rows: Vec<_> = documents.iter().map(|document| DocumentRow::of(document, &self.seal)).collect();
        Ok(twice(|| add(&self.pool, &rows, self.owner)).await?)
    }

    async fn of(&self, hires: &[HireId]) -> Result<Vec<Document>, LedgerError> {
        let hires: Vec<_> = hires.iter().map(|hire| hire.0).collect();
        let rows = twice(|| of(&self.pool, &hires)).await?;
        rows.into_iter().map(|row| row.open(&self.seal)).collect()
    }

    async fn save(&self, document: &mut Document) -> Result<(), LedgerError> {
        let row = DocumentRow::of(document, &self.seal);
        let (db, signed) = (&self.pool, (self.owner, Uuid::now_v7()));
        let saved = twice(|| save(db, &row, &document.unsaved, signed)).await?
            || twice(|| bears(db, row.id, signed.1)).await?;
        if !saved {
            return Err(LedgerError::Conflict);
        }
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
        let row = DocumentRow::of(&sending, &self.seal);
        let (db, signed) = (&self.pool, (self.owner, Uuid::now_v7()));
        let asked = permit(db, &row, &sending.unsaved, signed, upload.employee, (now, deadline));
        let granted = match in_time(asked).await {
            Err(error) if is_lost(&error) => {
                let number = in_time(granted(db, row.id, signed)).await?;
                Ok(number.ok_or(error)?)
            }
            answer => answer?.ok_or(LedgerError::Conflict)?,
        };
        Ok(granted.map(|number| hand_out(document, sending, number, deadline, upload)))
    }

    async fn keep(&self, document: DocumentId, fill: Uuid, n: u32, chunk: &[u8]) -> Result<(), LedgerError> {
        let sealed = self.seal.seal(&place_of_chunk(document, fill, n), chunk);
        let kept = || async {
            query(
                "INSERT INTO spool (document, fill, n, chunk) SELECT id, $2, $3, $4 FROM documents WHERE id = $1 \
                 ON CONFLICT (document, fill, n) DO NOTHING",
            )
            .bind(document.0)
            .bind(fill)
            .bind(i64::from(n))
            .bind(&sealed)
            .execute(&self.pool)
            .await
        };
        twice(kept).await?;
        Ok(())
    }

    async fn chunk(&self, document: DocumentId, fill: Uuid, n: u32) -> Result<Option<Vec<u8>>, LedgerError> {
        let read = || {
            query_scalar("SELECT chunk FROM spool WHERE document = $1 AND fill = $2 AND n = $3")
                .bind(document.0)
                .bind(fill)
                .bind(i64::from(n))
                .fetch_optional(&self.pool)
        };
        let sealed: Option<Vec<u8>> = twice(read).await?;
        sealed.map(|sealed| self.seal.unseal(&place_of_chunk(document, fill, n), &sealed)).transpose()
    }

    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<HireId>, LedgerError> {
        Ok(twice(|| due(&self.pool, self.owner, now, limit)).await?)
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, LedgerError> {
        let sql = || {
            query_scalar(concat!("SELECT min(documents.next_at) FROM ", due_documents!()))
                .fetch_one(&self.pool)
        };
        let next: Option<i64> = twice(sql).await?;
        Ok(next.map(time))
    }

    async fn orphans(&self) -> Result<Vec<Document>, LedgerError> {
        let rows = twice(|| orphans(&self.pool)).await?;
        rows.into_iter().map(|row| row.open(&self.seal)).collect()
    }

    async fn lying_since(&self, before: Timestamp) -> Result<Vec<Document>, LedgerError> {
        let rows = twice(|| lying_since(&self.pool, before)).await?;
        rows.into_iter().map(|row| row.open(&self.seal)).collect()
    }

    async fn counts(&self) -> Result<Vec<(String, u64)>, LedgerError> {
        let sql = || query_as("SELECT state, count(*) FROM documents GROUP BY state").fetch_all(&self.pool);
        let counts: Vec<(String, i64)> = twice(sql).await?;
        Ok(counts
            .into_iter()
            .map(|(state, count)| (state, u64::try_from(count).unwrap_or_default()))
            .collect())
    }
}

fn read(row: &PgRow) -> Answer<DocumentRow> {
    Ok(DocumentRow {
        id: row.try_get("id")?,
        hire: row.try_get("hire")?,
        n: row.try_get("n")?,
        file_hash: Vec::new(),
        kind: "",
        state: row.try_get("state")?,
        reason: row.try_get("reason")?,
        version: row.try_get("version")?,
        fill: row.try_get("fill")?,
        size: row.try_get("size")?,
        content_hash: None,
        next_at: row.try_get("next_at")?,
        since: row.try_get("since")?,
        tries: row.try_get("tries")?,
        updated_at: row.try_get("updated_at")?,
        sheet: row.try_get("sheet")?,
    })
}

/// Numbers are given one hire at a time: its row is locked.
async fn lock(db: &mut PgConnection, hire: Uuid) -> Answer<()> {
    query("SELECT FROM hires WHERE id = $1 FOR NO KEY UPDATE").bind(hire).execute(db).await?;
    Ok(())
}

async fn add(db: &PgPool, rows: &[DocumentRow], me: Owner) -> Answer<()> {
    let mut all = db.begin().await?;
    for row in rows {
        lock(&mut all, row.hire).await?;
        query(
            "INSERT INTO documents (id, mark, hire, n, file_hash, kind, state, version, next_at, tries, updated_at, sheet, \
               claimed_by, claimed_until) \
             SELECT $1, $1, $2, coalesce(max(n), 0) + 1, $3, $4, $5, 1, $6, 0, $7, $8, $9, \
               clock_timestamp() + $10 * interval '1 second' FROM documents WHERE hire = $2 \
             HAVING EXISTS (SELECT FROM hires WHERE id = $2 AND state <> 'erased') \
             ON CONFLICT (hire, file_hash) DO NOTHING",
        )
        .bind(row.id)
        .bind(row.hire)
        .bind(&row.file_hash)
        .bind(row.kind)
        .bind(&row.state)
        .bind(row.next_at)
        .bind(row.updated_at)
        .bind(&row.sheet)
        .bind(me.0)
        .bind(CLAIM_SECONDS)
        .execute(&mut *all)
        .await?;
    }
    all.commit().await
}

async fn of(db: &PgPool, hires: &[Uuid]) -> Answer<Vec<DocumentRow>> {
    let rows = query("SELECT * FROM documents WHERE hire = ANY($1) ORDER BY hire, n").bind(hires);
    rows.fetch_all(db).await?.iter().map(read).collect()
}

/// Whether the version that was read was still the last.
async fn save(db: &PgPool, row: &DocumentRow, steps: &[DocumentStep], signed: (Owner, Uuid)) -> Answer<bool> {
    let mut all = db.begin().await?;
    if !update(&mut all, row, signed, None).await? {
        return Ok(false);
    }
    if let Some(how) = ended_by(steps) {
        query("UPDATE permits SET ended = $2 WHERE subject = $1 AND ended IS NULL")
            .bind(row.id)
            .bind(how)
            .execute(&mut *all)
            .await?;
    }
    if overrules(steps) {
        query("UPDATE permits SET ended = 'overruled' WHERE subject = $1 AND ended = 'unknown'")
            .bind(row.id)
            .execute(&mut *all)
            .await?;
    }
    tell(&mut all, row, steps).await?;
    query("DELETE FROM spool WHERE document = $1 AND fill IS DISTINCT FROM $2")
        .bind(row.id)
        .bind(row.needed())
        .execute(&mut *all)
        .await?;
    all.commit().await?;
    Ok(true)
}

/// Whether the last write of the document bears this mark.
async fn bears(db: &PgPool, document: Uuid, mark: Uuid) -> Answer<bool> {
    query_scalar("SELECT EXISTS (SELECT FROM documents WHERE id = $1 AND mark = $2)")
        .bind(document)
        .bind(mark)
        .fetch_one(db)
        .await
}

/// Grants the next permit with the step to `sending`. Two documents of one hire may have the same content: their
/// permits go one after the other, by the lock on the hire.
async fn permit(
    db: &PgPool,
    row: &DocumentRow,
    steps: &[DocumentStep],
    (me, mark): (Owner, Uuid),
    employee: u64,
    (now, deadline): (Timestamp, Timestamp),
) -> Answer<Option<Result<u32, Withheld>>> {
    let mut all = db.begin().await?;
    lock(&mut all, row.hire).await?;
    let (is_there, same, ends): (bool, bool, Vec<Option<String>>) = query_as(
        "SELECT EXISTS (SELECT FROM hires WHERE id = $1 AND state = 'created' AND employee = $2 \
             AND (flags NOT LIKE '%\"unhired\":true%' OR flags LIKE '%\"unhire_overruled\":true%')), \
           EXISTS (SELECT FROM documents WHERE hire = $1 AND id <> $3 \
             AND content_hash = coalesce($4, (SELECT content_hash FROM documents WHERE id = $3)) \
             AND state IN ('sending', 'sent', 'unknown')), \
           ARRAY(SELECT ended FROM permits WHERE subject = $3)",
    )
    .bind(row.hire)
    .bind(i64::try_from(employee).ok())
    .bind(row.id)
    .bind(&row.content_hash)
    .fetch_one(&mut *all)
    .await?;
    if !is_there {
        return Ok(Some(Err(Withheld::HireChanged)));
    }
    if same {
        return Ok(Some(Err(Withheld::SameFile)));
    }
    let permits: Vec<_> = ends.into_iter().map(Into::into).collect();
    let Some(number) = next_number(&permits) else { return Ok(Some(Err(Withheld::Spent))) };
    let lease = deadline.duration_since(now).as_secs().saturating_add(MARGIN_SECONDS);
    if !update(&mut all, row, (me, mark), Some(lease)).await? {
        return Ok(None);
    }
    query("INSERT INTO permits (subject, number, owner, granted_at, deadline) VALUES ($1, $2, $3, $4, $5)")
        .bind(row.id)
        .bind(i64::from(number))
        .bind(me.0)
        .bind(now.as_millisecond())
        .bind(deadline.as_millisecond())
        .execute(&mut *all)
        .await?;
    tell(&mut all, row, steps).await?;
    all.commit().await?;
    Ok(Some(Ok(number)))
}

/// After a commit whose answer was lost: the permit's number, if this very write was committed and its deadline is
/// ahead by the server's clock.
async fn granted(db: &PgPool, document: Uuid, (me, mark): (Owner, Uuid)) -> Answer<Option<u32>> {
    let mut both = db.begin().await?;
    query("SELECT FROM documents WHERE id = $1 FOR UPDATE").bind(document).execute(&mut *both).await?;
    let number: Option<i64> = query_scalar(
        "SELECT max(number) FROM permits JOIN documents ON documents.id = subject AND documents.owner = permits.owner \
         WHERE subject = $1 AND documents.state = 'sending' AND documents.owner = $2 AND mark = $3 AND ended IS NULL \
           AND lease_until > clock_timestamp() + $4 * interval '1 second'",
    )
    .bind(document)
    .bind(me.0)
    .bind(mark)
    .bind(MARGIN_SECONDS)
    .fetch_one(&mut *both)
    .await?;
    Ok(number.and_then(|number| u32::try_from(number).ok()))
}

async fn update(
    db: &mut PgConnection,
    row: &DocumentRow,
    (me, mark): (Owner, Uuid),
    lease: Option<i64>,
) -> Answer<bool> {
    let changed = query(
        "UPDATE documents SET kind = $3, state = $4, reason = $5, fill = $6, size = $7, \
           content_hash = coalesce($8, content_hash), next_at = $9, since = $10, tries = $11, updated_at = $12, sheet = $13, \
           mark = $14, claimed_by = $15, claimed_until = clock_timestamp() + $16 * interval '1 second', \
           owner = CASE WHEN $4 = 'sending' THEN CASE WHEN $17::bigint IS NULL THEN owner ELSE $15 END END, \
           lease_until = CASE WHEN $4 = 'sending' THEN \
             coalesce(clock_timestamp() + $17::bigint * interval '1 second', lease_until) END, \
           version = version + 1 WHERE id = $1 AND version = $2",
    )
    .bind(row.id)
    .bind(row.version)
    .bind(row.kind)
    .bind(&row.state)
    .bind(&row.reason)
    .bind(row.fill)
    .bind(row.size)
    .bind(&row.content_hash)
    .bind(row.next_at)
    .bind(row.since)
    .bind(row.tries)
    .bind(row.updated_at)
    .bind(&row.sheet)
    .bind(mark)
    .bind(me.0)
    .bind(CLAIM_SECONDS)
    .bind(lease)
    .execute(db)
    .await?;
    Ok(changed.rows_affected() == 1)
}

/// A document's steps are no steps of its hire, which stays where it is.
async fn tell(db: &mut PgConnection, row: &DocumentRow, steps: &[DocumentStep]) -> Answer<()> {
    for step in steps {
        query(
            "INSERT INTO history (hire, at, actor, from_state, to_state, cause) \
             SELECT id, $2, $3, stands, stands, $4 \
             FROM (SELECT id, state || coalesce('(' || reason || ')', '') AS stands FROM hires WHERE id = $1) AS hire",
        )
        .bind(row.hire)
        .bind(step.at.as_millisecond())
        .bind(clean(&step.actor))
        .bind(clean(&step.cause))
        .execute(&mut *db)
        .await?;
    }
    Ok(())
}

/// Takes on all documents of a hire of which one is due and none is another's.
async fn due(db: &PgPool, me: Owner, now: Timestamp, limit: usize) -> Answer<Vec<HireId>> {
    let ids: Vec<Uuid> = query_scalar(concat!(
        "WITH waiting AS ( SELECT hire, min(documents.next_at) AS at FROM ",
        due_documents!(),
        " AND documents.next_at <= $1 AND NOT EXISTS ( \
             SELECT FROM documents AS other WHERE other.hire = documents.hire AND other.claimed_by <> $2 \
               AND other.claimed_until > clock_timestamp()) \
           GROUP BY hire ORDER BY at LIMIT $3), \
         free AS ( SELECT id, documents.hire, at FROM documents JOIN waiting ON waiting.hire = documents.hire \
           FOR UPDATE OF documents SKIP LOCKED), \
         taken AS ( \
           UPDATE documents SET claimed_by = $2, claimed_until = clock_timestamp() + $4 * interval '1 second' \
           FROM free WHERE documents.id = free.id RETURNING documents.hire, free.at) \
         SELECT hire FROM taken GROUP BY hire ORDER BY min(at), hire"
    ))
    .bind(now.as_millisecond())
    .bind(me.0)
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .bind(CLAIM_SECONDS)
    .fetch_all(db)
    .await?;
    Ok(ids.into_iter().map(HireId).collect())
}

/// Whoever held the permit cannot be sending any more, by the server's clock.
async fn orphans(db: &PgPool) -> Answer<Vec<DocumentRow>> {
    let rows = query(
        "SELECT * FROM documents WHERE state = 'sending' AND (lease_until IS NULL OR lease_until <= clock_timestamp())",
    );
    rows.fetch_all(db).await?.iter().map(read).collect()
}

async fn lying_since(db: &PgPool, before: Timestamp) -> Answer<Vec<DocumentRow>> {
    let rows = query(
        "SELECT * FROM documents WHERE state IN ('pending', 'failed', 'unknown') AND fill IS NOT NULL AND updated_at < $1",
    );
    rows.bind(before.as_millisecond()).fetch_all(db).await?.iter().map(read).collect()
}
