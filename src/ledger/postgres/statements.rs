//! What the ledger asks of PostgreSQL: one function per question, all SQL in one place. Whatever changes
//! something is one statement, hence one transaction and one journey; only the permit takes several.

use jiff::Timestamp;
use sqlx::postgres::{PgPool, PgRow};
use sqlx::{Row as _, query, query_as, query_scalar};
use uuid::Uuid;

use super::write::{CLAIM_SECONDS, Query, Steps, changing, clean};
use crate::domain::{Entry, HireId};
use crate::ledger::row::{Row, time};
use crate::ledger::{Delivery, Filter, Owner, flagged, needs_person};

pub(super) type Answer<T> = Result<T, sqlx::Error>;

fn read(row: &PgRow) -> Answer<Row> {
    Ok(Row {
        id: row.try_get("id")?,
        key_hash: Vec::new(),
        kind: row.try_get("kind")?,
        account: row.try_get("account")?,
        application: row.try_get("application")?,
        source: row.try_get("source")?,
        state: row.try_get("state")?,
        reason: row.try_get("reason")?,
        version: row.try_get("version")?,
        next_at: row.try_get("next_at")?,
        since: row.try_get("since")?,
        tries: u32::try_from(row.try_get::<i64, _>("tries")?).unwrap_or(u32::MAX),
        look_up_zero: row.try_get("look_up_zero")?,
        employee: row.try_get("employee")?,
        flags: row.try_get("flags")?,
        person_hash: None,
        hashes_changed: false,
        candidate_hash: None,
        audit_at: row.try_get("audit_at")?,
        received_at: row.try_get("received_at")?,
        updated_at: row.try_get("updated_at")?,
        facts: row.try_get("facts")?,
        rest: row.try_get("rest")?,
        kept: None,
    })
}

fn delivered<'q>(query: Query<'q>, delivery: &'q Delivery, body: &'q [u8]) -> Query<'q> {
    query
        .bind(clean(&delivery.source))
        .bind(delivery.at.as_millisecond())
        .bind(clean(&delivery.event))
        .bind(delivery.delivery_id.as_deref().map(clean))
        .bind(delivery.secret.and_then(|n| i64::try_from(n).ok()))
        .bind((!delivery.body.is_empty()).then_some(body))
}

/// Stores a new hire with its delivery; whether it did, because its key was not known.
pub(super) async fn accept(
    db: &PgPool,
    row: &Row,
    entries: &[Entry],
    delivery: &Delivery,
    body: &[u8],
    me: Owner,
) -> Answer<bool> {
    let steps = Steps::of(entries);
    let new = query(
        "WITH new AS ( \
           INSERT INTO hires (id, mark, key_hash, kind, account, application, source, version, claimed_by, claimed_until, \
             received_at, state, reason, next_at, since, tries, look_up_zero, employee, flags, person_hash, updated_at, facts, rest, candidate_hash) \
           VALUES ($24, $24, $25, $26, $27, $28, $29, 1, $30, clock_timestamp() + $31 * interval '1 second', \
             $32, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $33) \
           ON CONFLICT (key_hash) DO NOTHING RETURNING id), \
         kept AS ( \
           INSERT INTO deliveries (hire, source, at, event, delivery_id, secret, body) \
           SELECT id, $1, $2, $3, $4, $5, $6 FROM new), \
         told AS ( \
           INSERT INTO history (hire, at, actor, from_state, to_state, cause) \
           SELECT new.id, step.at, step.actor, step.from_state, step.to_state, step.cause FROM new, \
             unnest($7::bigint[], $8::text[], $9::text[], $10::text[], $11::text[]) \
             WITH ORDINALITY AS step (at, actor, from_state, to_state, cause, n) ORDER BY step.n) \
         SELECT id FROM new",
    );
    let new = changing(steps.bind(delivered(new, delivery, body)), row)
        .bind(row.id)
        .bind(&row.key_hash)
        .bind(clean(&row.kind))
        .bind(clean(&row.account))
        .bind(clean(&row.application))
        .bind(clean(&row.source))
        .bind(me.0)
        .bind(CLAIM_SECONDS)
        .bind(row.received_at)
        .bind(&row.candidate_hash);
    Ok(new.fetch_optional(db).await?.is_some())
}

/// Adds the delivery to the hire that has the key, without what it says if that was erased; that hire. Nothing is added if it is `own`, which was
/// stored with its delivery by an attempt whose answer was lost.
pub(super) async fn repeat(
    db: &PgPool,
    key_hash: &[u8],
    own: Uuid,
    delivery: &Delivery,
    body: &[u8],
) -> Answer<Option<Row>> {
    let known = query(
        "WITH known AS (SELECT * FROM hires WHERE key_hash = $7 FOR KEY SHARE), \
         kept AS ( \
           INSERT INTO deliveries (hire, source, at, event, delivery_id, secret, body) \
           SELECT id, $1, $2, $3, CASE WHEN state <> 'erased' THEN $4::text END, $5, \
             CASE WHEN state <> 'erased' THEN $6::bytea END FROM known WHERE id <> $8) \
         SELECT * FROM known",
    );
    let known = delivered(known, delivery, body).bind(key_hash).bind(own);
    known.fetch_optional(db).await?.as_ref().map(read).transpose()
}

pub(super) async fn by_id(db: &PgPool, hire: HireId) -> Answer<Option<Row>> {
    let row = query("SELECT * FROM hires WHERE id = $1").bind(hire.0).fetch_optional(db).await?;
    row.as_ref().map(read).transpose()
}

pub(super) async fn by_key(db: &PgPool, hash: &[u8]) -> Answer<Option<Row>> {
    let row = query("SELECT * FROM hires WHERE key_hash = $1").bind(hash).fetch_optional(db).await?;
    row.as_ref().map(read).transpose()
}

pub(super) async fn history(db: &PgPool, hire: HireId) -> Answer<Vec<Entry>> {
    let entries: Vec<(i64, String, Option<String>, String, String)> =
        query_as("SELECT at, actor, from_state, to_state, cause FROM history WHERE hire = $1 ORDER BY n")
            .bind(hire.0)
            .fetch_all(db)
            .await?;
    let entry = |(at, actor, from, to, cause)| Entry { at: time(at), actor, from, to, cause };
    Ok(entries.into_iter().map(entry).collect())
}

pub(super) async fn bodies(db: &PgPool, hire: HireId) -> Answer<Vec<Vec<u8>>> {
    query_scalar("SELECT body FROM deliveries WHERE hire = $1 AND body IS NOT NULL ORDER BY n")
        .bind(hire.0)
        .fetch_all(db)
        .await
}

/// The rows that a filter is about; [`by`] gives its values.
macro_rules! meant {
    () => {
        concat!(
            "state <> 'erased' AND ($1::text IS NULL OR state = $1) AND ($2::text IS NULL OR source = $2) \
             AND ($3::text IS NULL OR application = $3) AND ($4::bigint IS NULL OR received_at >= $4) \
             AND ($5::uuid IS NULL OR id < $5) AND ($6::text IS NULL OR flags LIKE $6) \
             AND ($7::text IS NULL OR reason = $7) \
             AND ($8::bigint IS NULL OR (state = 'waiting' AND since <= $8) OR (",
            needs_person!(),
            "))"
        )
    };
}
pub(super) async fn list(db: &PgPool, filter: &Filter) -> Answer<Vec<Row>> {
    const LIST: &str = concat!("SELECT * FROM hires WHERE ", meant!(), " ORDER BY id DESC LIMIT $9");
    let rows = by(query(LIST), filter).bind(i64::try_from(filter.limit).unwrap_or(i64::MAX));
    rows.fetch_all(db).await?.iter().map(read).collect()
}

pub(super) async fn count(db: &PgPool, filter: &Filter) -> Answer<i64> {
    const COUNT: &str = concat!("SELECT count(*) FROM hires WHERE ", meant!());
    by(query(COUNT), filter).fetch_one(db).await?.try_get(0)
}

fn by<'q>(query: Query<'q>, filter: &'q Filter) -> Query<'q> {
    query
        .bind(&filter.state)
        .bind(&filter.source)
        .bind(filter.ats_id.as_deref().map(clean))
        .bind(filter.since.map(Timestamp::as_millisecond))
        .bind(filter.after.map(|after| after.0))
        .bind(filter.flag.map(flagged))
        .bind(&filter.reason)
        .bind(filter.needs_person.map(Timestamp::as_millisecond))
}

/// Takes hires whose time in this column has come and that nobody else has taken, and keeps the others off them
/// for a short time. What another replica is about to take or to change is passed over, not waited for. The
/// last parameter is whether to take those that wait for the credential, or only the others, or either.
macro_rules! taking {
    ($column:literal) => {
        concat!(
            "WITH free AS ( SELECT id, ",
            $column,
            " AS at FROM hires WHERE ",
            $column,
            " <= $1 AND ($5::boolean IS NULL OR (state = 'waiting' AND reason IS NOT DISTINCT FROM 'credential') = $5) \
             AND (claimed_by = $2 OR claimed_until IS NULL OR claimed_until <= clock_timestamp()) \
             ORDER BY ",
            $column,
            " LIMIT $3 FOR UPDATE SKIP LOCKED), \
             taken AS ( \
               UPDATE hires SET claimed_by = $2, claimed_until = clock_timestamp() + $4 * interval '1 second' \
               FROM free WHERE hires.id = free.id RETURNING hires.id, free.at) \
             SELECT id FROM taken ORDER BY at, id"
        )
    };
}

pub(super) async fn due(
    db: &PgPool,
    me: Owner,
    now: Timestamp,
    limit: usize,
    for_credential: bool,
) -> Answer<Vec<HireId>> {
    take(db, taking!("next_at"), me, now, limit, Some(for_credential)).await
}

pub(super) async fn audits(db: &PgPool, me: Owner, now: Timestamp, limit: usize) -> Answer<Vec<HireId>> {
    take(db, taking!("audit_at"), me, now, limit, None).await
}

async fn take(
    db: &PgPool,
    taking: &'static str,
    me: Owner,
    now: Timestamp,
    limit: usize,
    for_credential: Option<bool>,
) -> Answer<Vec<HireId>> {
    let ids: Vec<Uuid> = query_scalar(taking)
        .bind(now.as_millisecond())
        .bind(me.0)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .bind(CLAIM_SECONDS)
        .bind(for_credential)
        .fetch_all(db)
        .await?;
    Ok(ids.into_iter().map(HireId).collect())
}

pub(super) async fn next_due(db: &PgPool) -> Answer<Option<Timestamp>> {
    let next: Option<i64> = query_scalar(
        "SELECT min(next_at) FROM hires WHERE next_at IS NOT NULL \
         AND NOT (state = 'waiting' AND reason IS NOT DISTINCT FROM 'credential')",
    )
    .fetch_one(db)
    .await?;
    Ok(next.map(time))
}

/// Whoever held the permit cannot be sending any more, by the server's clock. That may be this process too, if
/// its commit became known to nobody.
pub(super) async fn orphans(db: &PgPool) -> Answer<Vec<HireId>> {
    let ids: Vec<Uuid> = query_scalar(
        "SELECT id FROM hires WHERE state = 'sending' AND (lease_until IS NULL OR lease_until <= clock_timestamp())",
    )
    .fetch_all(db)
    .await?;
    Ok(ids.into_iter().map(HireId).collect())
}

pub(super) async fn counts(db: &PgPool) -> Answer<Vec<(String, String, u64)>> {
    let counts: Vec<(String, String, i64)> =
        query_as("SELECT source, state, count(*) FROM hires GROUP BY source, state").fetch_all(db).await?;
    let count = |(source, state, count)| (source, state, u64::try_from(count).unwrap_or_default());
    Ok(counts.into_iter().map(count).collect())
}

pub(super) async fn oldest_unfinished(db: &PgPool) -> Answer<Option<Timestamp>> {
    let oldest: Option<i64> = query_scalar(
        "SELECT min(received_at) FROM hires WHERE state IN ('received', 'ready', 'waiting', 'sending', 'unknown')",
    )
    .fetch_one(db)
    .await?;
    Ok(oldest.map(time))
}

/// Writes and commits something small: only then is it known that a delivery could be stored.
pub(super) async fn probe(db: &PgPool) -> Answer<()> {
    query(
        "INSERT INTO meta (name, value) VALUES ('probe', uuid_send($1)) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    )
    .bind(Uuid::now_v7())
    .execute(db)
    .await?;
    Ok(())
}
