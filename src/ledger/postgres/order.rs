//! What comes in another order than it happened, and what is looked at long afterwards.

use jiff::Timestamp;
use sqlx::postgres::PgPool;
use sqlx::{PgExecutor, query, query_as, query_scalar};
use uuid::Uuid;

use super::statements::{Answer, repeat};
use crate::domain::{HireId, State};
use crate::ledger::permit::Other;
use crate::ledger::row::{Row, time};
use crate::ledger::{Delivery, FORGET_AFTER};

/// Adds the delivery to the hire with this key, or remembers it without one.
///
/// A hire that is stored at the same moment is either found the second time, or finds what was remembered when it
/// asks for its permit: it was committed before that, and this was committed before it is looked for.
pub(super) async fn unhire(
    db: &PgPool,
    key_hash: &[u8],
    at: Option<Timestamp>,
    delivery: &Delivery,
    body: &[u8],
) -> Answer<Option<Row>> {
    if let Some(known) = repeat(db, key_hash, Uuid::nil(), delivery, body).await? {
        return Ok(Some(known));
    }
    let now = delivery.at;
    query(
        "WITH forgotten AS (DELETE FROM unhired WHERE seen_at < $4 AND key_hash <> $1) \
         INSERT INTO unhired (key_hash, at, seen_at) VALUES ($1, $2, $3) ON CONFLICT (key_hash) DO UPDATE \
         SET seen_at = excluded.seen_at, \
           at = CASE WHEN unhired.at > excluded.at THEN unhired.at ELSE coalesce(excluded.at, unhired.at) END",
    )
    .bind(key_hash)
    .bind(at.map(Timestamp::as_millisecond))
    .bind(now.as_millisecond())
    .bind((now - FORGET_AFTER).as_millisecond())
    .execute(db)
    .await?;
    repeat(db, key_hash, Uuid::nil(), delivery, body).await
}

/// Two candidates become one person; all hires of that person.
pub(super) async fn merge(db: &PgPool, gone: &[u8], kept: &[u8], now: Timestamp) -> Answer<Vec<HireId>> {
    let mut all = db.begin().await?;
    // Merges are rare, and each may concern what another one says.
    query("LOCK TABLE merged IN SHARE ROW EXCLUSIVE MODE").execute(&mut *all).await?;
    let further: Option<Vec<u8>> =
        query_scalar("SELECT kept FROM merged WHERE gone = $1").bind(kept).fetch_optional(&mut *all).await?;
    let kept = further.as_deref().unwrap_or(kept);
    if gone != kept {
        query("UPDATE merged SET kept = $2 WHERE kept = $1").bind(gone).bind(kept).execute(&mut *all).await?;
        query(
            "INSERT INTO merged (gone, kept, at) VALUES ($1, $2, $3) ON CONFLICT (gone) DO UPDATE SET kept = excluded.kept",
        )
        .bind(gone)
        .bind(kept)
        .bind(now.as_millisecond())
        .execute(&mut *all)
        .await?;
    }
    let ids: Vec<Uuid> = query_scalar(
        "SELECT id FROM hires WHERE candidate_hash = $1 \
           OR candidate_hash IN (SELECT gone FROM merged WHERE kept = $1) ORDER BY id",
    )
    .bind(kept)
    .fetch_all(&mut *all)
    .await?;
    all.commit().await?;
    Ok(ids.into_iter().map(HireId).collect())
}

/// A hire's id, state and reason; whether it has a permit, and how that ended.
type Asked = (Uuid, String, Option<String>, bool, Option<String>);

/// Another hire of the same person that was, or may have been, sent.
pub(super) async fn same_person(db: impl PgExecutor<'_>, row: &Row) -> Answer<Option<HireId>> {
    let others: Vec<Asked> = query_as(
        "WITH same (hash) AS (SELECT coalesce((SELECT kept FROM merged WHERE gone = $3), $3::bytea)) \
         SELECT id, state, reason, subject IS NOT NULL, ended FROM hires LEFT JOIN permits ON subject = id \
         WHERE id <> $1 AND (person_hash = $2 \
           OR candidate_hash IN (SELECT hash FROM same UNION ALL SELECT gone FROM merged, same WHERE kept = hash))",
    )
    .bind(row.id)
    .bind(&row.person_hash)
    .bind(&row.candidate_hash)
    .fetch_all(db)
    .await?;
    let mut others = others.into_iter().map(|(hire, state, reason, has_permit, ended)| Other {
        hire: HireId(hire),
        state: State::parse(&state, reason.as_deref()),
        permit: has_permit.then(|| ended.into()),
    });
    Ok(others.find_map(|other| other.is_in_the_way()))
}

pub(super) async fn next_audit(db: &PgPool) -> Answer<Option<Timestamp>> {
    let next: Option<i64> =
        query_scalar("SELECT min(audit_at) FROM hires WHERE audit_at IS NOT NULL").fetch_one(db).await?;
    Ok(next.map(time))
}
