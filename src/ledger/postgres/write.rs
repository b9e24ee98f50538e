//! The one statement that changes a hire, and the permit that goes through it.

use std::borrow::Cow;

use jiff::Timestamp;
use sqlx::postgres::{PgArguments, PgPool};
use sqlx::{PgExecutor, Postgres, query, query_as, query_scalar};
use uuid::Uuid;

use super::order;
use crate::domain::Entry;
use crate::ledger::permit::{Guard, ended_by, next_number, overruled};
use crate::ledger::row::{Row, time};
use crate::ledger::{Denied, Owner};

/// How long a hire is left alone by the others after a replica has taken or changed it.
pub(super) const CLAIM_SECONDS: i64 = 30;

/// How long after a permit's deadline its holder counts as gone.
pub(super) const MARGIN_SECONDS: i64 = 30;

/// A statement with the values bound so far.
pub(super) type Query<'q> = sqlx::query::Query<'q, Postgres, PgArguments>;

/// The steps of a hire as columns.
pub(super) struct Steps<'e> {
    at: Vec<i64>,
    actor: Vec<Cow<'e, str>>,
    from: Vec<Option<&'e str>>,
    to: Vec<&'e str>,
    cause: Vec<Cow<'e, str>>,
}

impl<'e> Steps<'e> {
    pub(super) fn of(entries: &'e [Entry]) -> Self {
        Self {
            at: entries.iter().map(|entry| entry.at.as_millisecond()).collect(),
            actor: entries.iter().map(|entry| clean(&entry.actor)).collect(),
            from: entries.iter().map(|entry| entry.from.as_deref()).collect(),
            to: entries.iter().map(|entry| entry.to.as_str()).collect(),
            cause: entries.iter().map(|entry| clean(&entry.cause)).collect(),
        }
    }

    pub(super) fn bind<'q>(self, query: Query<'q>) -> Query<'q>
    where
        'e: 'q,
    {
        query.bind(self.at).bind(self.actor).bind(self.from).bind(self.to).bind(self.cause)
    }
}

/// PostgreSQL's text cannot hold the character NUL; an ATS may send one. The visible sign stands for it.
pub(super) fn clean(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "\u{2400}")) } else { Cow::Borrowed(text) }
}

/// The values that every write of a hire brings.
pub(super) fn changing<'q>(query: Query<'q>, row: &'q Row) -> Query<'q> {
    query
        .bind(&row.state)
        .bind(&row.reason)
        .bind(row.next_at)
        .bind(row.since)
        .bind(i64::from(row.tries))
        .bind(&row.look_up_zero)
        .bind(row.employee)
        .bind(&row.flags)
        .bind(&row.person_hash)
        .bind(row.updated_at)
        .bind(&row.facts)
        .bind(&row.rest)
}

/// A permit to be granted with a write.
pub(super) struct Grant {
    pub(super) number: i64,
    pub(super) now: Timestamp,
    pub(super) deadline: Timestamp,
}

/// Writes the hire over the version it was read in, with its steps, the end of its permit, and the new permit
/// if there is one. Whether that version was still the last.
pub(super) async fn save(
    db: impl PgExecutor<'_>,
    row: &Row,
    entries: &[Entry],
    (me, mark): (Owner, Uuid),
    grant: Option<&Grant>,
) -> Result<bool, sqlx::Error> {
    let write = query(
        "WITH changed AS ( \
           UPDATE hires SET state = $6, reason = $7, next_at = $8, since = $9, tries = $10, look_up_zero = $11, employee = $12, \
             flags = $13, person_hash = $14, updated_at = $15, facts = coalesce($16, facts), rest = coalesce($17, rest), candidate_hash = $29, audit_at = $30, version = version + 1, mark = $18, \
             claimed_by = $19, claimed_until = clock_timestamp() + $20 * interval '1 second', \
             owner = CASE WHEN $6 = 'sending' THEN CASE WHEN $21::bigint IS NULL THEN owner ELSE $19 END END, \
             lease_until = CASE WHEN $6 = 'sending' THEN \
               coalesce(clock_timestamp() + ($24::bigint - $23::bigint) * interval '1 millisecond' + $22 * interval '1 second', lease_until) END \
           WHERE id = $25 AND version = $26 AND ($21::bigint IS NULL OR erase_requested IS NULL) RETURNING id), \
         ended AS ( \
           UPDATE permits SET ended = CASE WHEN overruling.how IS NOT NULL AND coalesce(ended, $27) = 'unknown' THEN overruling.how ELSE coalesce(ended, $27) END \
           FROM changed, (SELECT CASE WHEN $28::text = 'resent' AND EXISTS (SELECT FROM permits WHERE subject = $25 AND ended = 'resent') \
             THEN NULL ELSE $28::text END AS how) AS overruling \
           WHERE subject = changed.id \
             AND ((ended IS NULL AND $27::text IS NOT NULL) OR (overruling.how IS NOT NULL AND ended = 'unknown'))), \
         granted AS ( \
           INSERT INTO permits (subject, number, owner, granted_at, deadline) \
           SELECT id, $21, $19, $23, $24 FROM changed WHERE $21 IS NOT NULL), \
         told AS ( \
           INSERT INTO history (hire, at, actor, from_state, to_state, cause) \
           SELECT changed.id, step.at, step.actor, step.from_state, step.to_state, step.cause FROM changed, \
             unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[]) \
             WITH ORDINALITY AS step (at, actor, from_state, to_state, cause, n) ORDER BY step.n) \
         SELECT id FROM changed",
    );
    let write = changing(Steps::of(entries).bind(write), row)
        .bind(mark)
        .bind(me.0)
        .bind(CLAIM_SECONDS)
        .bind(grant.map(|grant| grant.number))
        .bind(MARGIN_SECONDS)
        .bind(grant.map(|grant| grant.now.as_millisecond()))
        .bind(grant.map(|grant| grant.deadline.as_millisecond()))
        .bind(row.id)
        .bind(row.version)
        .bind(ended_by(entries))
        .bind(overruled(entries))
        .bind(&row.candidate_hash)
        .bind(row.audit_at);
    Ok(write.fetch_optional(db).await?.is_some())
}

/// Whether the last write of the hire bears this mark.
pub(super) async fn bears(db: &PgPool, hire: Uuid, mark: Uuid) -> Result<bool, sqlx::Error> {
    query_scalar("SELECT EXISTS (SELECT FROM hires WHERE id = $1 AND mark = $2)")
        .bind(hire)
        .bind(mark)
        .fetch_one(db)
        .await
}

/// Grants the next permit and writes the step to `sending`, in one transaction: its number, or why not.
/// `None` if the hire was changed meanwhile.
///
/// What forbids a permit stands in *other* rows (another hire of the same person), which a compare-and-set on
/// this row does not see. So two permits for one person go one after the other: the locks are the hashes of the
/// e-mail address and of the candidate, held until the commit, and only under them is looked for the other.
pub(super) async fn permit(
    db: &PgPool,
    row: &Row,
    entries: &[Entry],
    (me, mark): (Owner, Uuid),
    guard: Guard,
    (now, deadline): (Timestamp, Timestamp),
) -> Result<Option<Result<u32, Denied>>, sqlx::Error> {
    let mut all = db.begin().await?;
    query(
        "SELECT pg_advisory_xact_lock(number) FROM ( \
           SELECT ('x' || encode(substr(hash, 1, 8), 'hex'))::bit(64)::bigint AS number \
           FROM (VALUES ($1::bytea), (coalesce((SELECT kept FROM merged WHERE gone = $2), $2::bytea))) AS hashes (hash) \
           WHERE hash IS NOT NULL ORDER BY number) AS locks",
    )
    .bind(&row.person_hash)
    .bind(&row.candidate_hash)
    .execute(&mut *all)
    .await?;
    let other = order::same_person(&mut *all, row).await?;
    let (overtaken, at, ends): (bool, Option<i64>, Vec<Option<String>>) = query_as(
        "WITH before AS ( \
           SELECT at FROM unhired WHERE key_hash = $2 AND (at IS NULL OR $3::bigint IS NULL OR at >= $3)) \
         SELECT EXISTS (SELECT FROM before), (SELECT at FROM before), \
           ARRAY(SELECT ended FROM permits WHERE subject = $1)",
    )
    .bind(row.id)
    .bind(&row.key_hash)
    .bind(guard.hired_at.map(Timestamp::as_millisecond))
    .fetch_one(&mut *all)
    .await?;
    if overtaken && guard.unhired {
        return Ok(Some(Err(Denied::Overtaken(at.map(time)))));
    }
    if let Some(other) = other.filter(|_| guard.second_hires) {
        return Ok(Some(Err(Denied::SamePerson(other))));
    }
    let permits: Vec<_> = ends.into_iter().map(Into::into).collect();
    let Some(number) = next_number(&permits) else { return Ok(Some(Err(Denied::Spent))) };
    let grant = Grant { number: number.into(), now, deadline };
    if !save(&mut *all, row, entries, (me, mark), Some(&grant)).await? {
        return Ok(None);
    }
    all.commit().await?;
    Ok(Some(Ok(number)))
}

/// After a commit whose answer was lost: the permit's number, if this very write was committed and its deadline
/// is ahead by the server's clock. Waits for the lost transaction's end, so that the answer is final.
pub(super) async fn granted(
    db: &PgPool,
    hire: Uuid,
    (me, mark): (Owner, Uuid),
) -> Result<Option<u32>, sqlx::Error> {
    let mut both = db.begin().await?;
    query("SELECT FROM hires WHERE id = $1 FOR UPDATE").bind(hire).execute(&mut *both).await?;
    let number: Option<i64> = query_scalar(
        "SELECT max(number) FROM permits JOIN hires ON hires.id = subject AND hires.owner = permits.owner \
         WHERE subject = $1 AND hires.state = 'sending' AND hires.owner = $2 AND mark = $3 AND ended IS NULL \
           AND lease_until > clock_timestamp() + $4 * interval '1 second'",
    )
    .bind(hire)
    .bind(me.0)
    .bind(mark)
    .bind(MARGIN_SECONDS)
    .fetch_one(&mut *both)
    .await?;
    Ok(number.and_then(|number| u32::try_from(number).ok()))
}
